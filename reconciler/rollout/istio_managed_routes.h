// The header and mirror routes that steps put before the routes of a VirtualService (spec 3.4).
#pragma once

#include "rollout/routing.h"

namespace reconciler {

/// Does the route have the name of a managed one?
bool is_managed_route(const Rollout& rollout, const Json& route);

/// `{host, subset?}` of the canary: its Service, or in subset mode the DestinationRule's host and the canary's subset.
Result<Json> canary_destination(const IstioRouting& istio, const Rollout& rollout, const RouteObjects& objects,
                                const Traffic& sides);

/// `http` with exactly the wanted managed routes first, in the order of managedRoutes, then the others unchanged.
/// `source`: the index of the route whose destinations and port they take.
Json with_managed_routes(const Rollout& rollout, const Json& http, size_t source, const Json& canary,
                         const std::vector<ManagedRoute>& wanted);

}  // namespace reconciler
