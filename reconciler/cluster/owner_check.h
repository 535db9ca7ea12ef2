#pragma once

#include "ports.h"

namespace reconciler {

/// A Rollout object that is to own a ReplicaSet must be there and not about to go, as the API server has it now: what
/// belongs to an owner that is gone is collected, pods and all. `Conflict` when it is not so; actions that name no
/// owner are fine.
Result<void> check_owner(Cluster& cluster, const RolloutKey& rollout, const Action& action);

}  // namespace reconciler
