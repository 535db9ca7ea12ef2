#include "rollout/plan.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/advance.h"
#include "rollout/diff.h"

namespace reconciler {
namespace {

std::optional<TimePoint> earlier(std::optional<TimePoint> a, std::optional<TimePoint> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

/// The next scale-down deadline that lies ahead.
std::optional<TimePoint> next_deadline(const Observed& live) {
  std::optional<TimePoint> next;
  for (const auto* workloads : {&live.workloads, &live.experiments})
    for (const Workload& w : *workloads)
      if (w.replicas > 0 && !w.deadline_passed) next = earlier(next, w.scale_down_deadline);
  return next;
}

/// What the step of the state machine is, and what is missing for the status after it.
Decision carry_on(const Rollout& desired, const Observed& live, Advance step, TimePoint now) {
  Decision out{.status = std::move(step.status),
               .subject = std::move(step.subject),
               .why = std::move(step.why),
               .look_again = earlier(step.look_again, next_deadline(live)),
               .held = std::move(step.held),
               .frozen = step.frozen,
               .urgent = step.urgent};
  if (!out.held.empty()) return out;
  auto missing = diff(desired, live, target(desired, out.status), now);
  if (!missing) {
    out.held = missing.error().message;
    return out;
  }
  out.actions = std::move(missing->actions);
  out.look_again = earlier(out.look_again, missing->look_again);
  if (out.why.empty()) out.why = missing->restarting;
  out.settled = out.subject.empty() && out.actions.empty() && missing->waiting.empty() &&
                missing->stable_is_short.empty() && missing->restarting.empty();
  return out;
}

}  // namespace

Decision plan(const Rollout& desired, const Observed& live, const std::optional<Status>& status, TimePoint now) {
  return carry_on(desired, live, advance(desired, live, status, now), now);
}

Decision keep(const Rollout& last_good, const Observed& live, const Status& status, TimePoint now) {
  return carry_on(last_good, live, stay_refused(last_good, live, status, now), now);
}

}  // namespace reconciler
