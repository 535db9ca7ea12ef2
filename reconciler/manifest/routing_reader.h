#pragma once

#include "manifest/field.h"
#include "rollout/rollout.h"

namespace reconciler {

/// Types spec.strategy.canary.trafficRouting of that rollout. What is invalid goes to the findings.
TrafficRouting read_routing(const Field& routing, const RolloutKey& rollout);

}  // namespace reconciler
