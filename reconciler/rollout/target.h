// What the cluster looks like in a given status: no time, no history.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "rollout/experiment.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// The Services that lead to stable and to the canary, by name.
struct Roles {
  std::string stable;
  std::string canary;
  bool operator==(const Roles&) const = default;
};

/// As the manifest names them; with pingPong as the status remembers.
Roles roles_of(const Rollout& desired, const Status& status);

struct Target {
  Roles roles;
  std::map<std::string, int> replicas;  ///< by revision hash; every other revision goes
  std::string stable;                   ///< the revision that is protected, or the only one
  std::string canary;                   ///< the one beside it; without routing also on its way out; empty: none
  std::string stable_service;           ///< the hash that the stable Service selects
  /// The same for the canary Service. With blue-green it may be an aborted revision that has no place here: the preview
  /// Service shows it for as long as its pods are kept.
  std::string canary_service;
  int weight = 0;                               ///< the canary's share of traffic, of `whole`
  int whole = kWholeWeight;                     ///< what weights are parts of
  std::vector<ManagedRoute> managed;            ///< header and mirror routes in force
  std::vector<ExperimentPods> experiment;       ///< of the present step, if that is one
  Duration experiment_linger{0};                ///< how long pods of an experiment that is over stay
  std::map<std::string, std::string> metadata;  ///< ephemeral metadata by revision hash, as an annotation's text
  std::string rejected;                         ///< the hash that the route is marked with; empty for none
  /// How long the pods of the other revisions stay once traffic is off them; nothing: as they are.
  std::optional<Duration> linger;
  /// What the workload of workloadRef is to keep of its pods, as far as its manifest goes; scaled down is it only by
  /// the first revision.
  enum class Workload { AsItIs, WhatIsMissing, None };
  Workload workload = Workload::AsItIs;
  bool first_revision = false;
  bool full_stable_first = false;  ///< that time begins when stable has all its pods
  bool operator==(const Target&) const = default;

  /// The pods that a revision is asked for; 0 when it has no place here.
  int asked_for(const std::string& hash) const {
    auto pods = replicas.find(hash);
    return pods == replicas.end() ? 0 : pods->second;
  }
};

Target target(const Rollout& desired, const Status& status);

/// How many pods the workload of workloadRef is to keep; nothing: as many as it has.
std::optional<int> workload_replicas(const Rollout& desired, const Observed& live, const Target& target);

/// Did the revision that Git asks for fail, and nobody asked to try again?
bool is_rejected(const Status& status, const std::string& hash);

/// Has the canary all the traffic that its deploy commit allows it (Rollout-Pause-At)?
bool is_at_pause_mark(const Rollout& desired, const Status& status);

/// The weight that the steps before `index` lead to: the last setWeight, 0 without one.
int weight_before(const Rollout& desired, int index);

/// Canary pods that a routed rollout is asked for: the last setCanaryScale, else ceil(N * weight / whole) of the
/// present step; all past the last step (spec 3.2). Those for the present weight stay until a lower one is written.
int canary_pods(const Rollout& desired, const Status& status);

/// Blue-green: the pods of the new version; previewReplicaCount until its preview is accepted, then all.
int preview_pods(const Rollout& desired, const Status& status);

/// The canary pods that must be available before that much of the traffic may go there.
int pods_to_carry(const Rollout& desired, const Status& status, int weight);

/// How many of `pods` canary pods are enough to go on: all, or what replicaProgressThreshold says.
int enough_of(const Rollout& desired, int pods);

}  // namespace reconciler
