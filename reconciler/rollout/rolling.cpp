#include "rollout/rolling.h"

#include <algorithm>

#include "rollout/replica_counts.h"
#include "rollout/replica_set.h"

namespace reconciler {
namespace {

Pods pods_of(const Workload* w) { return w ? Pods{w->replicas, w->available} : Pods{}; }

bool is_selected(const Observed& live, const std::string& hash) {
  return std::any_of(live.services.begin(), live.services.end(), [&](auto& s) { return s.second.hash == hash; });
}

/// Ours that have no place in the target, newest first.
std::vector<const Workload*> others_of(const Observed& live, const Target& target) {
  std::vector<const Workload*> out;
  for (const Workload& w : live.workloads)
    if (w.owned && !target.replicas.contains(w.hash)) out.push_back(&w);
  std::stable_sort(out.begin(), out.end(), [](auto a, auto b) { return a->revision > b->revision; });
  return out;
}

class Sizes {
 public:
  Sizes(const Rollout& desired, const Observed& live, const Target& target)
      : desired_(desired), live_(live), target_(target) {}

  RollingStep run() {
    const bool alone = target_.canary.empty();
    const std::string& rising = alone ? target_.stable : target_.canary;
    const Workload* canary = live_.workload(rising);
    const Workload* stable = alone ? nullptr : live_.workload(target_.stable);
    const auto others = others_of(live_, target_);
    RevisionPods now{.canary = pods_of(canary), .stable = pods_of(stable)};
    for (const Workload* w : others) now.others.push_back(pods_of(w));
    const PodSplit wanted{target_.replicas.at(rising), alone ? 0 : target_.replicas.at(target_.stable)};
    const auto limits = fenceposts(desired_.replicas, desired_.max_surge, desired_.max_unavailable);
    const NextCounts next = next_counts(now, wanted, limits);
    if (stable) resize(*stable, next.stable);
    if (canary)
      resize(*canary, next.canary);
    else if (rising == desired_.hash)
      create(next.canary);
    // Somebody may still be led to a revision by a Service: its last pod goes when the Service has moved on, or when
    // the pods that the Service waits for have no room otherwise.
    const bool no_room = next.canary < wanted.canary && next.canary <= now.canary.asked;
    for (size_t i = 0; i < others.size(); ++i) {
      const bool keep_one = !no_room && is_selected(live_, others[i]->hash);
      resize(*others[i], std::max(next.others[i], keep_one ? std::min(1, others[i]->replicas) : 0));
    }
    return std::move(out_);
  }

 private:
  void create(int replicas) { out_.grow.emplace_back(create_replica_set(desired_, live_, target_, replicas)); }

  void resize(const Workload& w, int replicas) {
    if (w.replicas == replicas) return;
    auto& list = w.replicas < replicas ? out_.grow : out_.shrink;
    list.emplace_back(ScaleReplicaSet{w.name, replicas, desired_.replicas});
  }

  const Rollout& desired_;
  const Observed& live_;
  const Target& target_;
  RollingStep out_;
};

}  // namespace

RollingStep rolling_step(const Rollout& desired, const Observed& live, const Target& target) {
  // Before anything is recorded there is nothing to be sized.
  return target.stable.empty() ? RollingStep{} : Sizes(desired, live, target).run();
}

}  // namespace reconciler
