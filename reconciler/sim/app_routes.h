// How a simulated app shares its traffic: the router in its Rollout, and the objects of that router as people keep
// them.
#pragma once

#include <vector>

#include "base/json.h"

namespace reconciler {

struct App;

enum class AppRouter {
  Istio,            ///< one VirtualService with an HTTP route between the two Services
  TwoServices,      ///< a second VirtualService beside it
  TlsAndTcp,        ///< a VirtualService with a TLS and a TCP route
  DestinationRule,  ///< two subsets of one host, without Services
  GatewayApi,
  Nginx,
  Alb,
  Smi,
  Traefik,
  Apisix,
  Ambassador,
};

/// Does it carry out header steps, and mirror steps too?
bool has_route_steps(AppRouter router);
bool has_mirror_steps(AppRouter router);

/// How the header steps of an app call their route; with APISIX that is the name of an object.
std::string header_route_name(const App& app);
/// May weights be parts of something else than 100?
bool takes_max_weight(AppRouter router);
/// Can its routes lead to more than the two sides?
bool takes_experiments(AppRouter router);
/// Can its two Services take turns?
bool can_take_turns(AppRouter router);

/// spec.strategy.canary.trafficRouting of the app.
Json traffic_routing(const App& app);

/// The manifests of the objects that its router reads or writes.
std::vector<Json> route_manifests(const App& app);

/// What a cluster must have before it knows the objects of every router.
std::vector<Json> router_definitions();

}  // namespace reconciler
