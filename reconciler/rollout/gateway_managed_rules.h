// Gateway API: the rules that header and mirror steps put before those of an HTTPRoute or GRPCRoute. They have the
// shape that Argo Rollouts' plugin gives them: one for each rule that leads to both sides, named after the step's
// route.
#pragma once

#include <set>
#include <vector>

#include "rollout/routing.h"

namespace reconciler {

/// Where in spec.rules such rules stand, by their names. An API server that keeps no names of rules is seen through: an
/// annotation says how many of the first ones are ours.
std::set<size_t> managed_rules(const Rollout& rollout, const Json& object);

/// `object` with exactly the wanted rules before the others. `sources`: the rules that lead to both sides, with their
/// weights written already.
Json with_managed_rules(const GatewayRouting::Route& route, const Rollout& rollout, Json object,
                        const std::vector<size_t>& sources, const Traffic& traffic);

/// `object` with exactly the managed rules that `live` has.
Json with_managed_rules_of(const Rollout& rollout, const Json& live, Json object);

}  // namespace reconciler
