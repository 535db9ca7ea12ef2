// The part of the difference that is about traffic: which pods the two sides are, and how much each gets, in the order
// that never points traffic at nothing:
//
//   stable side ─► less to the canary ─► canary side ─► more to the canary
//
// A side is what its Service selects, or in subset mode its DestinationRule's subset, or both.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "rollout/action.h"
#include "rollout/observed.h"
#include "rollout/routing.h"
#include "rollout/target.h"

namespace reconciler {

struct RouteDifference {
  std::vector<Action> actions;
  std::string waiting;                ///< what no action can hasten
  bool agrees = false;                ///< live sides and routes are those of the target
  bool experiments_are_over = false;  ///< no traffic reaches an experiment that the target has not
};

/// What the routes are to do in this target.
Traffic traffic_of(const Target& target);

/// `Invalid` when routes do not fit the rollout: then nothing may be done.
Result<RouteDifference> diff_routes(const Rollout& desired, const Observed& live, const Target& target);

}  // namespace reconciler
