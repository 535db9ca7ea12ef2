// The part of the difference that is about the pods of experiments.
#pragma once

#include <string>
#include <vector>

#include "rollout/action.h"
#include "rollout/observed.h"
#include "rollout/target.h"

namespace reconciler {

struct ExperimentDifference {
  std::vector<Action> come;  ///< before traffic is shifted
  std::vector<Action> go;    ///< once no traffic reaches them any more
  std::string waiting;       ///< for pods that are missing, and why
};

ExperimentDifference diff_experiment(const Rollout& desired, const Observed& live, const Target& target, TimePoint now);

/// The ReplicaSet of these pods; null while there is none that is exactly theirs.
const Workload* workload_of(const ExperimentPods& pods, const Observed& live);

/// Can they answer: is there a pod, and the Service to it?
bool can_answer(const ExperimentPods& pods, const Observed& live);

}  // namespace reconciler
