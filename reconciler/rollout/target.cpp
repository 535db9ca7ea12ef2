#include "rollout/target.h"

#include <algorithm>

namespace reconciler {
namespace {

/// How long pods stay that lost their traffic. After a failure an explicit 0 keeps the canary for inspection.
std::optional<Duration> linger(const Rollout& desired, const Status& status) {
  bool failed = is_rejected(status, desired.hash);
  if (!failed && status.returning.empty()) return desired.scale_down_delay;
  if (desired.abort_scale_down_delay > 0ms) return desired.abort_scale_down_delay;
  return failed ? std::nullopt : std::optional<Duration>(0ms);
}

}  // namespace

Target target(const Rollout& desired, const Status& status) {
  Target out{.linger = linger(desired, status)};
  if (is_rejected(status, desired.hash)) out.rejected = desired.hash;
  const int index = status.step ? status.step->index : 0;
  if (!status.stable) {
    // First deploy: nothing is protected yet, both Services lead to what is coming up.
    if (!status.canary) return out;
    out.replicas[status.canary->hash] = desired.replicas;
    out.stable_service = out.canary_service = status.canary->hash;
    return out;
  }
  out.replicas[status.stable->hash] = desired.replicas;
  out.stable_service = out.canary_service = status.stable->hash;
  if (!status.canary || !status.returning.empty()) return out;
  // On the way to a lower weight the pods for the present one stay until it is written.
  const int pods = std::max(canary_pods(desired, index), share_of(desired.replicas, status.weight));
  out.replicas[status.canary->hash] = pods;
  // A canary without pods is not selected: nobody would answer. With no replicas at all nobody does anyway.
  if (pods > 0 || status.weight > 0) out.canary_service = status.canary->hash;
  out.weight = status.weight;
  return out;
}

bool is_rejected(const Status& status, const std::string& hash) {
  return std::any_of(status.rejected.begin(), status.rejected.end(),
                     [&](const Rejected& r) { return r.hash == hash && !r.lapsed; });
}

int weight_before(const Rollout& desired, int index) {
  int weight = 0;
  for (int i = 0; i < index && i < int(desired.steps.size()); ++i)
    if (auto set = std::get_if<SetWeight>(&desired.steps[size_t(i)])) weight = set->percent;
  return weight;
}

int canary_pods(const Rollout& desired, int index) {
  if (index >= int(desired.steps.size())) return desired.replicas;
  return share_of(desired.replicas, weight_before(desired, index + 1));
}

int share_of(int replicas, int weight) { return int((int64_t(replicas) * weight + 99) / 100); }

}  // namespace reconciler
