#include "sim/app_routes.h"

#include "base/check.h"
#include "sim/apps.h"

namespace reconciler {
namespace {

Json route_manifest(const App& app, const char* api_version, const char* kind, const std::string& name, Json spec) {
  return {{"apiVersion", api_version},
          {"kind", kind},
          {"metadata", {{"name", name}, {"namespace", app.key.ns}}},
          {"spec", std::move(spec)}};
}

/// The destinations of a VirtualService's route, all traffic to the first.
Json host_pair(const App& app) {
  return Json::array({{{"destination", {{"host", app.stable_service()}}}, {"weight", 100}},
                      {{"destination", {{"host", app.canary_service()}}}, {"weight", 0}}});
}

Json subset_pair(const App& app) {
  return Json::array({{{"destination", {{"host", app.key.name}, {"subset", "stable"}}}, {"weight", 100}},
                      {{"destination", {{"host", app.key.name}, {"subset", "canary"}}}, {"weight", 0}}});
}

Json virtual_service(const App& app, const std::string& name, const char* protocol, Json routes) {
  return route_manifest(app, "networking.istio.io/v1", "VirtualService", name,
                        {{"hosts", {app.key.name}}, {protocol, std::move(routes)}});
}

Json primary_routes(Json destinations) {
  return Json::array({{{"name", "primary"}, {"route", std::move(destinations)}}});
}

Json ingress(const App& app) {
  const Json backend = {{"service", {{"name", app.stable_service()}, {"port", {{"number", 80}}}}}};
  const Json paths = Json::array({{{"path", "/"}, {"pathType", "Prefix"}, {"backend", backend}}});
  return route_manifest(
      app, "networking.k8s.io/v1", "Ingress", app.key.name,
      {{"rules", Json::array({{{"host", app.key.name + ".example.com"}, {"http", {{"paths", paths}}}}})}});
}

int whole_of(const App& app) { return app.max_weight == 0 ? 100 : app.max_weight; }

/// Two backends by name, as most kinds of routes have them.
Json backend_pair(const App& app, const char* name, const char* port, Json more = Json::object()) {
  Json out = Json::array();
  for (const std::string& service : {app.stable_service(), app.canary_service()}) {
    Json backend = more;
    backend.update({{name, service}, {port, 80}, {"weight", service == app.stable_service() ? whole_of(app) : 0}});
    out.push_back(std::move(backend));
  }
  return out;
}

/// A kind of somebody else's, as far as a cluster looks at its definition.
Json route_definition(const std::string& group, const std::string& kind, const std::string& plural,
                      const std::string& version) {
  const Json served = {{"name", version}, {"served", true}, {"storage", true}};
  std::string singular = kind;
  for (char& c : singular)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  return {{"apiVersion", "apiextensions.k8s.io/v1"},
          {"kind", "CustomResourceDefinition"},
          {"metadata", {{"name", plural + "." + group}}},
          {"spec",
           {{"group", group},
            {"scope", "Namespaced"},
            {"names", {{"kind", kind}, {"plural", plural}, {"singular", singular}}},
            {"versions", Json::array({served})}}}};
}

Json with_managed_routes(Json routing) {
  routing["managedRoutes"] = Json::array({{{"name", "testers"}}, {{"name", "shadow"}}});
  return routing;
}

Json istio_routing(Json virtual_service) {
  return with_managed_routes({{"istio", {{"virtualService", std::move(virtual_service)}}}});
}

}  // namespace

bool has_route_steps(AppRouter router) {
  return has_mirror_steps(router) || router == AppRouter::Alb || router == AppRouter::Apisix;
}

bool has_mirror_steps(AppRouter router) {
  return router == AppRouter::Istio || router == AppRouter::DestinationRule || router == AppRouter::GatewayApi;
}

std::string header_route_name(const App& app) {
  return app.router == AppRouter::Apisix ? app.key.name + "-testers" : "testers";
}

bool takes_experiments(AppRouter router) {
  return router == AppRouter::Istio || router == AppRouter::TwoServices || router == AppRouter::TlsAndTcp ||
         router == AppRouter::DestinationRule || router == AppRouter::GatewayApi || router == AppRouter::Alb ||
         router == AppRouter::Smi;
}

bool takes_max_weight(AppRouter router) { return router == AppRouter::Nginx || router == AppRouter::GatewayApi; }

bool can_take_turns(AppRouter router) {
  return router == AppRouter::Istio || router == AppRouter::TwoServices || router == AppRouter::TlsAndTcp ||
         router == AppRouter::GatewayApi || router == AppRouter::Alb;
}

namespace {

Json router_of(const App& app) {
  const std::string& name = app.key.name;
  switch (app.router) {
    case AppRouter::Istio: return istio_routing({{"name", name}, {"routes", {"primary"}}});
    case AppRouter::TwoServices:
      return {
          {"istio", {{"virtualServices", Json::array({{{"name", name}}, {{"name", name + "-edge." + app.key.ns}}})}}}};
    case AppRouter::TlsAndTcp:
      return {{"istio",
               {{"virtualService",
                 {{"name", name},
                  {"tlsRoutes", Json::array({{{"port", 443}, {"sniHosts", {name + ".example.com"}}}})},
                  {"tcpRoutes", Json::array({{{"port", 5000}}})}}}}}};
    case AppRouter::DestinationRule: {
      Json out = istio_routing({{"name", name}});
      out["istio"]["destinationRule"] = {
          {"name", name}, {"canarySubsetName", "canary"}, {"stableSubsetName", "stable"}};
      return out;
    }
    case AppRouter::GatewayApi:
      return with_managed_routes({{"plugins", {{"argoproj-labs/gatewayAPI", {{"httpRoute", name}}}}}});
    case AppRouter::Nginx: return {{"nginx", {{"stableIngress", name}}}};
    case AppRouter::Alb:
      return {{"alb", {{"ingress", name}, {"servicePort", 80}, {"rootService", app.stable_service()}}},
              {"managedRoutes", Json::array({{{"name", "testers"}}})}};
    case AppRouter::Smi: return {{"smi", Json::object()}};
    case AppRouter::Traefik: return {{"traefik", {{"weightedTraefikServiceName", name}}}};
    case AppRouter::Apisix:
      return {{"apisix", {{"route", {{"name", name}, {"rules", {"main"}}}}}},
              {"managedRoutes", Json::array({{{"name", header_route_name(app)}}})}};
    case AppRouter::Ambassador: return {{"ambassador", {{"mappings", {name}}}}};
  }
  unreachable();
}

}  // namespace

Json traffic_routing(const App& app) {
  Json out = router_of(app);
  if (app.max_weight != 0) out["maxTrafficWeight"] = app.max_weight;
  return out;
}

std::vector<Json> route_manifests(const App& app) {
  const std::string& name = app.key.name;
  switch (app.router) {
    case AppRouter::Istio: return {virtual_service(app, name, "http", primary_routes(host_pair(app)))};
    case AppRouter::TwoServices:
      return {virtual_service(app, name, "http", primary_routes(host_pair(app))),
              virtual_service(app, name + "-edge", "http", primary_routes(host_pair(app)))};
    case AppRouter::TlsAndTcp: {
      const Json tls = {{"port", 443}, {"sniHosts", {name + ".example.com"}}};
      Json out =
          virtual_service(app, name, "tls", Json::array({{{"match", Json::array({tls})}, {"route", host_pair(app)}}}));
      out["spec"]["tcp"] = Json::array({{{"match", Json::array({{{"port", 5000}}})}, {"route", host_pair(app)}}});
      return {std::move(out)};
    }
    case AppRouter::DestinationRule: {
      const Json subsets = Json::array(
          {{{"name", "stable"}, {"labels", {{"app", name}}}}, {{"name", "canary"}, {"labels", {{"app", name}}}}});
      return {virtual_service(app, name, "http", primary_routes(subset_pair(app))),
              route_manifest(app, "networking.istio.io/v1", "DestinationRule", name,
                             {{"host", name}, {"subsets", subsets}})};
    }
    case AppRouter::GatewayApi:
      return {route_manifest(app, "gateway.networking.k8s.io/v1", "HTTPRoute", name,
                             {{"rules", Json::array({{{"backendRefs", backend_pair(app, "name", "port")}}})}})};
    case AppRouter::Nginx:
    case AppRouter::Alb: return {ingress(app)};
    case AppRouter::Smi: return {};
    case AppRouter::Traefik:
      return {route_manifest(app, "traefik.io/v1alpha1", "TraefikService", name,
                             {{"weighted", {{"services", backend_pair(app, "name", "port")}}}})};
    case AppRouter::Apisix:
      return {route_manifest(
          app, "apisix.apache.org/v2", "ApisixRoute", name,
          {{"http",
            Json::array({{{"name", "main"}, {"backends", backend_pair(app, "serviceName", "servicePort")}}})}})};
    case AppRouter::Ambassador:
      return {route_manifest(app, "getambassador.io/v2", "Mapping", name,
                             {{"prefix", "/" + name + "/"}, {"service", app.stable_service() + ":80"}})};
  }
  unreachable();
}

std::vector<Json> router_definitions() {
  return {route_definition("gateway.networking.k8s.io", "HTTPRoute", "httproutes", "v1"),
          route_definition("split.smi-spec.io", "TrafficSplit", "trafficsplits", "v1alpha1"),
          route_definition("traefik.io", "TraefikService", "traefikservices", "v1alpha1"),
          route_definition("apisix.apache.org", "ApisixRoute", "apisixroutes", "v2"),
          route_definition("getambassador.io", "Mapping", "mappings", "v2")};
}

}  // namespace reconciler
