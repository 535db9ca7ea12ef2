// Pods without traffic routing: the next ReplicaSet sizes on the way to the target, as actions (spec 3.2).
#pragma once

#include <vector>

#include "rollout/action.h"
#include "rollout/observed.h"
#include "rollout/target.h"

namespace reconciler {

/// What comes up now, and what may go now; what the limits do not allow yet comes with a later pass.
struct RollingStep {
  std::vector<Action> grow;
  std::vector<Action> shrink;
};

/// Of a revision that a Service still selects one pod stays.
RollingStep rolling_step(const Rollout& desired, const Observed& live, const Target& target);

}  // namespace reconciler
