#include "rollout/restart.h"

#include <algorithm>

#include "rollout/replica_counts.h"

namespace reconciler {
namespace {

/// Stable, then the new version, then the others, newest first.
std::vector<const Workload*> in_order(const Observed& live, const Target& target) {
  std::vector<const Workload*> out;
  for (const Workload& w : live.workloads)
    if (w.owned) out.push_back(&w);
  auto rank = [&](const Workload* w) { return w->hash == target.stable ? 0 : w->hash == target.canary ? 1 : 2; };
  std::stable_sort(out.begin(), out.end(),
                   [&](auto a, auto b) { return rank(a) != rank(b) ? rank(a) < rank(b) : a->revision > b->revision; });
  return out;
}

/// How many pods may be missing on top of those that are.
int budget(const Rollout& desired, const Observed& live) {
  int asked = 0, available = 0;
  for (const Workload& w : live.workloads) {
    asked += w.replicas;
    available += std::min(w.available, w.replicas);
  }
  const int unavailable = fenceposts(desired.replicas, desired.max_surge, desired.max_unavailable).unavailable;
  return available - (std::max(desired.replicas, asked) - std::max(unavailable, 1));
}

}  // namespace

int pods_to_restart(const Rollout& desired, const Observed& live, TimePoint now) {
  if (!desired.restart_at || now < *desired.restart_at) return 0;
  int left = 0;
  for (const Workload& w : live.workloads)
    if (w.owned)
      left +=
          int(std::count_if(w.pods.begin(), w.pods.end(), [&](auto& p) { return p.created < *desired.restart_at; }));
  return left;
}

Restart restart(const Rollout& desired, const Observed& live, const Target& target, TimePoint now) {
  Restart out;
  if (!desired.restart_at) return out;
  if (now < *desired.restart_at) {
    out.look_again = desired.restart_at;
    return out;
  }
  int left = budget(desired, live);
  for (const Workload* w : in_order(live, target)) {
    std::vector<PodState> old;
    for (const PodState& pod : w->pods)
      if (pod.created < *desired.restart_at) old.push_back(pod);
    std::stable_sort(old.begin(), old.end(), [](auto& a, auto& b) { return a.created < b.created; });
    out.left += int(old.size());
    for (PodState& pod : old)
      if (left-- > 0) out.evict.push_back(std::move(pod));
  }
  return out;
}

}  // namespace reconciler
