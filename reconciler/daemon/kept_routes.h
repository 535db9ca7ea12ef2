// What objects that route show of a rollout whose manifest cannot be carried out just now.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/json.h"

namespace reconciler {

/// May an object of this kind share traffic between Services?
bool may_share_traffic(std::string_view kind);

/// The Services, by first label, that the routes of `live` lead to; empty for kinds that do not route.
std::set<std::string> destination_services(const Json& live);

/// `manifest` with the weights, and the routes put before its own, that lead to the Services in `managed`, as `live`
/// has them.
Json with_kept_routes(Json manifest, const Json& live, const std::set<std::string>& managed);

/// `manifest`, a DestinationRule, with the hash labels of its subsets as `live` has them, when a rollout manages it.
Json with_kept_subsets(Json manifest, const Json& live);

}  // namespace reconciler
