#pragma once

#include "manifest/field.h"
#include "rollout/rollout.h"

namespace reconciler {

/// pingPong's two Services take the places of stableService and canaryService.
void read_ping_pong(const Field& canary, Rollout& rollout);

/// maxTrafficWeight, which says what weights are parts of; nothing when it is absent or refused.
std::optional<int> read_max_weight(const Field& routing);

/// What spec.strategy.canary and its routers must say together (spec 4): services, steps with routes, limits.
void check_routing(const Field& canary, const Rollout& rollout);

}  // namespace reconciler
