// What the cluster looks like in a given status: no time, no history.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

struct Target {
  std::map<std::string, int> replicas;  ///< by revision hash; every other revision goes
  std::string stable_service;           ///< the hash that the stable Service selects
  std::string canary_service;
  int weight = 0;        ///< the canary's share of traffic
  std::string rejected;  ///< the hash that the route is marked with; empty for none
  /// How long the pods of the other revisions stay once traffic is off them; nothing: as they are.
  std::optional<Duration> linger;
  bool operator==(const Target&) const = default;
};

Target target(const Rollout& desired, const Status& status);

/// Did the revision that Git asks for fail, and nobody asked to try again?
bool is_rejected(const Status& status, const std::string& hash);

/// The weight that the steps before `index` lead to: the last setWeight, 0 without one.
int weight_before(const Rollout& desired, int index);

/// Canary pods while step `index` is being worked on: ceil(N * weight / 100); all past the last step (spec 3.2).
int canary_pods(const Rollout& desired, int index);

/// ceil(replicas * weight / 100)
int share_of(int replicas, int weight);

}  // namespace reconciler
