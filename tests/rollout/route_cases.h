// One case of every kind of router, and a cluster that counts what is written to its objects.
#pragma once

#include <map>

#include "rollout/route_builders.h"

namespace reconciler {

/// A cluster with the objects of one router, that counts what is written to them.
struct RoutedCluster : Cluster1 {
  explicit RoutedCluster(RouteObjects routes) { live.routes = std::move(routes); }

  /// Passes until nothing happens; returns how many writes went to route objects.
  int rest_counting(const Rollout& desired, TimePoint now) {
    int writes = 0;
    for (int i = 0, quiet = 0; i < 200; ++i) {
      quiet = pass(desired, now) ? 0 : quiet + 1;
      for (const Action& action : last.actions) writes += std::holds_alternative<RewriteRoutes>(action);
      pods_start(now);
      if (quiet == 2) return writes;
    }
    history.push_back("NEVER AT REST");
    return writes;
  }
};

inline Rollout with_router(Rollout rollout, const Router& router) {
  rollout.routing.routers = {router};
  return rollout;
}

struct RouterCase {
  const char* what;
  Router router;
  RouteObjects routes;
  std::optional<int> max_weight = {};

  /// Which steps it takes beside weights: none, header routes, or mirror routes too.
  enum class Steps { None, Headers, Mirrors };
  Steps steps() const {
    if (std::holds_alternative<IstioRouting>(router) || std::holds_alternative<GatewayRouting>(router))
      return Steps::Mirrors;
    const bool headers = std::holds_alternative<AlbRouting>(router) || std::holds_alternative<ApisixRouting>(router);
    return headers ? Steps::Headers : Steps::None;
  }
};

/// Every router but Istio's, which the builders have.
inline std::vector<RouterCase> router_cases() {
  const std::string ingress = R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"web",
    "namespace":"shop"},"spec":{"rules":[{"http":{"paths":[{"backend":{"service":{"name":"till-stable"}}}]}}]}})";
  return {
      {"gateway", GatewayRouting{"shop", {{.kind = "HTTPRoute", .name = "web", .header_routes = true}}},
       objects({R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"name":"web",
         "namespace":"shop"},"spec":{"rules":[{"backendRefs":[{"name":"till-stable","weight":100},
         {"name":"till-canary","weight":0}]}]}})"})},
      {"nginx", NginxRouting{.ingresses = {"web"}}, objects({ingress})},
      {"alb", AlbRouting{.ingresses = {"web"}, .service_port = 80}, objects({ingress})},
      {"smi", SmiRouting{"", "till"}, {}},
      {"traefik", TraefikRouting{"web"},
       objects(
           {R"({"apiVersion":"traefik.io/v1alpha1","kind":"TraefikService","metadata":{"name":"web","namespace":"shop"},
         "spec":{"weighted":{"services":[{"name":"till-stable","weight":100},{"name":"till-canary","weight":0}]}}})"})},
      {"apisix", ApisixRouting{"web", {"web"}},
       objects(
           {R"({"apiVersion":"apisix.apache.org/v2","kind":"ApisixRoute","metadata":{"name":"web","namespace":"shop"},
         "spec":{"http":[{"name":"web","backends":[{"serviceName":"till-stable","weight":100},
         {"serviceName":"till-canary","weight":0}]}]}})"})},
      {"ambassador", AmbassadorRouting{{"web"}},
       objects({R"({"apiVersion":"getambassador.io/v2","kind":"Mapping","metadata":{"name":"web","namespace":"shop"},
         "spec":{"prefix":"/","service":"till-stable"}})"})},
  };
}

/// Those that may have maxTrafficWeight, with one.
inline std::vector<RouterCase> cases_with_max_weight() {
  std::vector<RouterCase> out;
  for (RouterCase& each : router_cases())
    if (std::holds_alternative<GatewayRouting>(each.router) || std::holds_alternative<NginxRouting>(each.router))
      for (const int whole : {7, 1000}) {
        out.push_back(each);
        out.back().max_weight = whole;
      }
  return out;
}

inline Router subset_router() {
  return IstioRouting{{{.ns = "shop", .name = "till"}}, IstioDestinationRule{"till", "canary", "stable"}};
}

inline RouteObjects subset_objects() {
  return objects(
      {R"({"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"till","namespace":"shop"},
      "spec":{"http":[{"route":[{"destination":{"host":"till","subset":"stable"},"weight":100},
                                {"destination":{"host":"till","subset":"canary"},"weight":0}]}]}})",
       R"({"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":"till","namespace":"shop"},
      "spec":{"host":"till","subsets":[{"name":"stable","labels":{"app":"till"}},{"name":"canary","labels":{"app":"till"}}]}})"});
}

}  // namespace reconciler
