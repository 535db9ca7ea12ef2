// What a VirtualService or DestinationRule shows of a rollout whose manifest cannot be read just now.
#pragma once

#include <set>
#include <string>

#include "base/json.h"

namespace reconciler {

/// The Services, by first label, that the routes of a VirtualService lead to; empty for other kinds.
std::set<std::string> destination_hosts(const Json& live);

/// `manifest` with the weights, and the routes put before its own, that lead to the Services in `managed`, as `live`
/// has them.
Json with_kept_routes(Json manifest, const Json& live, const std::set<std::string>& managed);

/// `manifest`, a DestinationRule, with the hash labels of its subsets as `live` has them, when a rollout manages it.
Json with_kept_subsets(Json manifest, const Json& live);

}  // namespace reconciler
