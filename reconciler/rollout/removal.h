// A rollout that Git names no more.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "rollout/action.h"
#include "rollout/observed.h"

namespace reconciler {

/// What takes the rollout's part out of Services and DestinationRules that it names no more.
std::vector<Action> release_actions(const Observed& live);

/// What takes its ReplicaSets away, and the hash off the Services in `staying`. Nothing that a Service selects goes
/// before that Service may select others. Empty when nothing of it is left.
std::vector<Action> removal_actions(const Observed& live, const std::set<std::string>& staying);

/// The Service in `staying` that leads to pods of this rollout; empty when none does.
std::string serving_through(const Observed& live, const std::set<std::string>& staying);

}  // namespace reconciler
