// Istio: the weights of VirtualServices, and in subset mode the revisions of a DestinationRule's subsets. Everything
// that is not a weight of the rollout's own routes, or the hash label of its two subsets, stays as it is.
#pragma once

#include "rollout/routing.h"

namespace reconciler {

/// `checkout` of `checkout.shop.svc.cluster.local`.
std::string first_label(const std::string& host);

std::vector<RouteObject> objects_of(const IstioRouting& istio, const Rollout& rollout);

Result<RouteObjects> write_weights(const IstioRouting& istio, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic);

Result<std::vector<Split>> read_splits(const IstioRouting& istio, const Rollout& rollout, const RouteObjects& objects,
                                       const Traffic& sides);

/// Is there an HTTP route with the name of a managed one?
bool has_managed_route(const IstioRouting& istio, const Rollout& rollout, const RouteObjects& objects);

/// `object`, a VirtualService, with exactly the managed routes that `live` has.
Json with_managed_routes_of(const Rollout& rollout, const Json& live, Json object);

/// The hash label in both subsets, and the managed-by annotation. An empty hash takes the label away.
Result<RouteObjects> write_revisions(const IstioRouting& istio, const Rollout& rollout, RouteObjects objects,
                                     const SubsetRevisions& wanted);

/// A DestinationRule that no rollout uses any more, without all that one put there.
Json released_rule(Json rule);

/// Nothing in host mode, where Services say it, and while the DestinationRule does not exist.
std::optional<SubsetRevisions> read_revisions(const IstioRouting& istio, const Rollout& rollout,
                                              const RouteObjects& objects);

}  // namespace reconciler
