// What each router says about itself. `objects_of`: its objects. `write_weights`: the objects with the wanted split.
// `read_splits`: how they share traffic now. A file each.
#pragma once

#include "rollout/routing_istio.h"

namespace reconciler {

std::vector<RouteObject> objects_of(const GatewayRouting& gateway, const Rollout& rollout);
Result<RouteObjects> write_weights(const GatewayRouting& gateway, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic);
Result<std::vector<Split>> read_splits(const GatewayRouting& gateway, const Rollout& rollout,
                                       const RouteObjects& objects, const Traffic& sides);

/// Is there a rule that a step made?
bool has_managed_route(const GatewayRouting& gateway, const Rollout& rollout, const RouteObjects& objects);

std::vector<RouteObject> objects_of(const NginxRouting& nginx, const Rollout& rollout);
Result<RouteObjects> write_weights(const NginxRouting& nginx, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic);
Result<std::vector<Split>> read_splits(const NginxRouting& nginx, const Rollout& rollout, const RouteObjects& objects,
                                       const Traffic& sides);

std::vector<RouteObject> objects_of(const AlbRouting& alb, const Rollout& rollout);
Result<RouteObjects> write_weights(const AlbRouting& alb, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic);
Result<std::vector<Split>> read_splits(const AlbRouting& alb, const Rollout& rollout, const RouteObjects& objects,
                                       const Traffic& sides);

/// Is there a path for a header route?
bool has_managed_route(const AlbRouting& alb, const Rollout& rollout, const RouteObjects& objects);
/// `object`, an Ingress, with the header routes that `live` has.
Json with_managed_paths_of(const AlbRouting& alb, const Rollout& rollout, const Json& live, Json object);

std::vector<RouteObject> objects_of(const SmiRouting& smi, const Rollout& rollout);
Result<RouteObjects> write_weights(const SmiRouting& smi, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic);
Result<std::vector<Split>> read_splits(const SmiRouting& smi, const Rollout& rollout, const RouteObjects& objects,
                                       const Traffic& sides);

std::vector<RouteObject> objects_of(const TraefikRouting& traefik, const Rollout& rollout);
Result<RouteObjects> write_weights(const TraefikRouting& traefik, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic);
Result<std::vector<Split>> read_splits(const TraefikRouting& traefik, const Rollout& rollout,
                                       const RouteObjects& objects, const Traffic& sides);

std::vector<RouteObject> objects_of(const ApisixRouting& apisix, const Rollout& rollout);
Result<RouteObjects> write_weights(const ApisixRouting& apisix, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic);
Result<std::vector<Split>> read_splits(const ApisixRouting& apisix, const Rollout& rollout, const RouteObjects& objects,
                                       const Traffic& sides);

/// Is there a header route of ours?
bool has_managed_route(const ApisixRouting& apisix, const Rollout& rollout, const RouteObjects& objects);

std::vector<RouteObject> objects_of(const AmbassadorRouting& ambassador, const Rollout& rollout);
Result<RouteObjects> write_weights(const AmbassadorRouting& ambassador, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic);
Result<std::vector<Split>> read_splits(const AmbassadorRouting& ambassador, const Rollout& rollout,
                                       const RouteObjects& objects, const Traffic& sides);

}  // namespace reconciler
