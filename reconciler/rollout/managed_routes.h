#pragma once

#include <vector>

#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// The header and mirror routes that the completed steps of this canary ask for, in the order of managedRoutes; none
/// once a person asked to promote it at once.
std::vector<ManagedRoute> managed_routes(const Rollout& desired, const Status& status);

}  // namespace reconciler
