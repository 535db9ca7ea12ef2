// Istio weights: object JSON in, object JSON out (spec 3.4). Everything in a VirtualService that is not a weight of the
// rollout's own routes stays as it is.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "rollout/rollout.h"

namespace reconciler {

/// `object` with `weight` % to the canary on the rollout's HTTP routes and the rest to stable, other destinations
/// left alone. `Invalid` when a route or one of its two destinations is missing, or when the weights cannot sum to 100.
Result<Json> with_canary_weight(const Json& object, const Rollout& rollout, int weight);

/// The highest share that one of the rollout's routes gives to the canary now; `Invalid` as above.
Result<int> canary_weight(const Json& object, const Rollout& rollout);

/// The sum of weights of each of the rollout's routes is 100.
bool weights_sum_to_100(const Json& object, const Rollout& rollout);

/// `object` with the annotation `serin.dev/rejected: <hash>`, or without it when `hash` is empty.
Json with_rejected_mark(const Json& object, const std::string& hash);

/// The revision that the annotation names; empty without one.
std::string rejected_mark(const Json& object);

}  // namespace reconciler
