// An experiment: further pods of the two versions, under hashes of their own, so that no Service of the rollout leads
// to them and no ReplicaSet of it counts them. They come up, get their share of the traffic, and go again:
//
//   pods up ─► recorded (the time runs) ─► their share of traffic ─► time is over ─► no traffic ─► pods go
//
// The status remembers only since when they are up. What else there is to know is in the steps and in the cluster.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// One ReplicaSet of an experiment.
struct ExperimentPods {
  std::string name;           ///< `<rollout>-<canary's hash>-<step>-<template>`, or `<experiment>-<template>`
  std::string label;          ///< the name of its template
  std::string hash;           ///< its own; another one when anything else here is another
  std::string revision;       ///< the one whose pod template it has; empty: it has one of its own
  std::string pod_template;   ///< its own, as compact JSON; empty: that of the revision
  int min_ready_seconds = 0;  ///< the same
  int replicas = 0;
  PodMetadata metadata;
  std::string selector;  ///< as compact JSON; empty: that of the revision
  std::string service;   ///< empty for none
  int weight = 0;        ///< its share of traffic at present
  bool operator==(const ExperimentPods&) const = default;
};

/// The experiment that the present step is; null when it is none, or when the canary is on its way out.
const Experiment* present_experiment(const Rollout& desired, const Status& status);

/// Its ReplicaSets; with traffic from when all of them are up.
std::vector<ExperimentPods> experiment_pods(const Rollout& desired, const Status& status);

/// How long the pods of experiments that are over stay: what the last one before the present step says; given up, none.
Duration experiment_linger(const Rollout& desired, const Status& status);

/// The ReplicaSet itself. `source` is the ReplicaSet of its revision as it is in the cluster; pods with a template of
/// their own need none.
Json experiment_replica_set(const RolloutKey& rollout, const ExperimentPods& pods, const Json& source);

/// The Service to such a ReplicaSet, with the ports of its containers. Kubernetes removes it with the ReplicaSet.
Json experiment_service(const RolloutKey& rollout, const std::string& name, const Json& replica_set);

}  // namespace reconciler
