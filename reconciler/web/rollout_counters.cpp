#include "web/rollout_counters.h"

namespace reconciler {
namespace {

/// Few values, so that a reason can be a label.
std::string reason_of_abort(const std::string& why) {
  if (why.starts_with("aborted by")) return "decision";
  if (why.starts_with("no progress")) return "deadline";
  return why.starts_with("rejected before") ? "mark" : "analysis";
}

}  // namespace

void RolloutCounters::time_from_commit(Measure measure, const Status& status) {
  if (auto made = git_.time_of(status.commit))
    measurements_.time(measure, {{"repo", git_.names().repo}}, clock_.now() - *made);
}

void RolloutCounters::happened(const RolloutKey& key, const Status& status, const std::vector<RolloutEvent>& events) {
  Labels labels = {{"namespace", key.ns}, {"name", key.name}};
  for (const RolloutEvent& event : events) {
    if (event.reason == "RolloutUpdated") time_from_commit(Measure::CommitToApplySeconds, status);
    if (event.reason == "RolloutCompleted") time_from_commit(Measure::CommitToHealthySeconds, status);
    if (event.reason == "RolloutCompleted" && event.message.starts_with("promoted "))
      measurements_.add(Measure::Promotions, labels);
    if (event.reason == "RolloutAborted")
      measurements_.add(Measure::Aborts, {labels[0], labels[1], {"reason", reason_of_abort(event.message)}});
  }
  auto returning = returning_since_.find(key);
  if (!status.returning.empty()) {
    returning_since_.try_emplace(key, clock_.monotonic());
  } else if (returning != returning_since_.end()) {
    measurements_.time(Measure::RollbackSeconds, labels, clock_.monotonic() - returning->second);
    returning_since_.erase(returning);
  }
}

}  // namespace reconciler
