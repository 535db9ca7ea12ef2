#include "rollout/replica_counts.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

namespace reconciler {
namespace {

int rounded_up(const PodCount& count, int replicas) {
  if (count.unit == PodCount::Unit::Pods) return count.number;
  return int((int64_t(replicas) * count.number + 99) / 100);
}

int rounded_down(const PodCount& count, int replicas) {
  if (count.unit == PodCount::Unit::Pods) return count.number;
  return int(int64_t(replicas) * count.number / 100);
}

/// Is `weight` percent of `total` pods exactly between two whole numbers?
bool is_tied(int total, int weight) { return int64_t(total) * weight % 100 == 50; }

/// The candidate that comes closest to the weight; of equally close ones the first.
class Closest {
 public:
  explicit Closest(int weight) : weight_(weight) {}

  void consider(int canary, int total) {
    // |canary / total - weight / 100| as a fraction over 100 * total.
    const int64_t distance = std::abs(int64_t(canary) * 100 - int64_t(weight_) * total);
    if (best_ && distance * best_total_ >= best_distance_ * total) return;
    best_ = PodSplit{canary, total - canary};
    best_distance_ = distance;
    best_total_ = total;
  }

  const std::optional<PodSplit>& best() const { return best_; }

 private:
  const int weight_;
  std::optional<PodSplit> best_;
  int64_t best_distance_ = 0;
  int best_total_ = 1;
};

/// Pods that count when some may go: those of a ReplicaSet that grows are only there once they are available; those of
/// one that shrinks lose the ailing ones first.
int counted_growing(const Pods& pods) { return std::min(pods.asked, pods.available); }

int sum_of_asked(const RevisionPods& now) {
  int sum = now.canary.asked + now.stable.asked;
  for (const Pods& other : now.others) sum += other.asked;
  return sum;
}

int sum_of_available(const RevisionPods& now) {
  int sum = counted_growing(now.canary) + counted_growing(now.stable);
  for (const Pods& other : now.others) sum += counted_growing(other);
  return sum;
}

bool others_have_pods(const RevisionPods& now) {
  return std::any_of(now.others.begin(), now.others.end(), [](const Pods& p) { return p.asked > 0; });
}

/// Ailing pods serve nobody and go at once; of the rest as many as may be missing.
std::vector<int> shrunk_others(const RevisionPods& now, const Fenceposts& limits) {
  int budget = std::max(0, sum_of_available(now) - limits.least);
  std::vector<int> out;
  for (const Pods& other : now.others) {
    const int there = counted_growing(other);
    const int gone = std::min(there, budget);
    budget -= gone;
    out.push_back(there - gone);
  }
  return out;
}

/// Too many pods in all, after a scale-down: first from the side that grows, which may keep the available pods that are
/// needed, then from the other.
void trim(int& growing, const Pods& growing_now, int& shrinking, const Pods& shrinking_now, const Fenceposts& limits) {
  auto cut = [&](int& side, const Pods& side_now, int other, const Pods& other_now) {
    const int excess = growing + shrinking - limits.most;
    const int keep =
        std::clamp(limits.least - std::min(other, other_now.available), 0, std::min(side, side_now.available));
    side -= std::clamp(excess, 0, std::max(0, side - keep));
  };
  cut(growing, growing_now, shrinking, shrinking_now);
  cut(shrinking, shrinking_now, growing, growing_now);
}

}  // namespace

Fenceposts fenceposts(int replicas, const PodCount& max_surge, const PodCount& max_unavailable) {
  Fenceposts out{.surge = rounded_up(max_surge, replicas), .unavailable = rounded_down(max_unavailable, replicas)};
  if (out.surge == 0 && out.unavailable == 0) out.unavailable = 1;
  out.most = replicas + out.surge;
  out.least = replicas - std::min(out.unavailable, replicas);
  return out;
}

PodSplit approximate_split(int replicas, int surge, int weight) {
  if (replicas == 0) return {};
  const int up = int((int64_t(replicas) * weight + 99) / 100), down = int(int64_t(replicas) * weight / 100);
  const bool may_be_empty = weight == 0 || weight == 100 || (replicas == 1 && surge == 0);
  Closest closest(weight);
  if (up < replicas || may_be_empty) closest.consider(up, replicas);
  if (!is_tied(replicas, weight) && (down > 0 || may_be_empty)) closest.consider(down, replicas);
  if (surge > 0) {
    // Still the pods that the weight makes of `replicas`: so the pod more never leaves stable without any.
    closest.consider(up, replicas + 1);
    if (!is_tied(replicas + 1, weight) && (down > 0 || may_be_empty)) closest.consider(down, replicas + 1);
  }
  return closest.best().value_or(PodSplit{0, replicas});
}

NextCounts next_counts(const RevisionPods& now, const PodSplit& wanted, const Fenceposts& limits) {
  NextCounts next{.canary = now.canary.asked, .stable = now.stable.asked, .others = shrunk_others(now, limits)};
  int room = std::max(0, limits.most - sum_of_asked(now));
  const int stable_grows = std::clamp(wanted.stable - now.stable.asked, 0, room);
  room -= stable_grows;
  next.stable += stable_grows;
  next.canary += std::clamp(wanted.canary - now.canary.asked, 0, room);

  const bool canary_shrinks = wanted.canary < now.canary.asked;
  if (!others_have_pods(now)) {
    const int counted = canary_shrinks ? now.canary.asked + counted_growing(now.stable)
                                       : counted_growing(now.canary) + now.stable.asked;
    const int budget = std::max(0, counted - limits.least);
    if (canary_shrinks) next.canary = std::max(wanted.canary, now.canary.asked - budget);
    if (!canary_shrinks && wanted.stable < now.stable.asked)
      next.stable = std::max(wanted.stable, now.stable.asked - budget);
  }
  if (canary_shrinks)
    trim(next.stable, now.stable, next.canary, now.canary, limits);
  else
    trim(next.canary, now.canary, next.stable, now.stable, limits);
  return next;
}

}  // namespace reconciler
