// How many pods each revision has without traffic routing, where the numbers of pods make the share of traffic
// (spec 3.2). Pure arithmetic: counts in, counts out.
//
// `approximate_split` says where a weight leads to; `next_counts` goes a step of the way, within the limits of maxSurge
// and maxUnavailable. Called again and again as pods come up and go, it arrives.
#pragma once

#include <vector>

#include "rollout/rollout.h"

namespace reconciler {

/// What maxSurge and maxUnavailable come to for a number of replicas.
struct Fenceposts {
  int surge = 0;
  int unavailable = 0;
  int most = 0;   ///< pods asked for in total, at any time
  int least = 0;  ///< available pods, at any time
  bool operator==(const Fenceposts&) const = default;
};

/// Surge rounds up, unavailable rounds down; both 0 would be a standstill, so then one may be unavailable.
Fenceposts fenceposts(int replicas, const PodCount& max_surge, const PodCount& max_unavailable);

struct PodSplit {
  int canary = 0;
  int stable = 0;
  bool operator==(const PodSplit&) const = default;
};

/// The numbers of pods whose ratio comes closest to `weight` percent, with one pod more than `replicas` where surging
/// is allowed and helps. A weight of 1 to 99 leaves neither side empty, but for a single replica that may not surge.
PodSplit approximate_split(int replicas, int surge, int weight);

/// One ReplicaSet: the pods it is asked for and those that are available.
struct Pods {
  int asked = 0;
  int available = 0;
  bool operator==(const Pods&) const = default;
};

struct RevisionPods {
  Pods canary;
  Pods stable;
  std::vector<Pods> others;  ///< newest first
};

/// What each is to be asked for next.
struct NextCounts {
  int canary = 0;
  int stable = 0;
  std::vector<int> others;  ///< in the same order
  bool operator==(const NextCounts&) const = default;
};

/// A step from `now` towards `wanted` that asks for no more than `limits.most` pods and takes away no available pod
/// below `limits.least`. Other revisions go first; stable grows before the canary.
NextCounts next_counts(const RevisionPods& now, const PodSplit& wanted, const Fenceposts& limits);

}  // namespace reconciler
