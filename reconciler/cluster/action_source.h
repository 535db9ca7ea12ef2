// What an action is made from beside itself.
#pragma once

#include "base/json.h"
#include "ports.h"

namespace reconciler {

/// The ReplicaSet that pods of an experiment are a copy of, or that the Service of an experiment is to lead to; null
/// for every other action. `Conflict` when it is gone.
Result<Json> source_of(Cluster& cluster, const RolloutKey& rollout, const Action& action);

/// An experiment's ReplicaSet or Service of that name exists already. That is fine when it is this rollout's.
Result<void> accept_existing_experiment(Cluster& cluster, const RolloutKey& rollout, const Action& action);

}  // namespace reconciler
