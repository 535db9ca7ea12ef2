#include "manifest/routing_check.h"

#include <algorithm>

#include "base/format.h"
#include "manifest/name_list.h"
#include "manifest/names.h"

namespace reconciler {
namespace {

/// Weights that are read from objects are reckoned with up to this one (rollout/routing.h).
constexpr int kMaxWeight = 1'000'000;

template <class Kind>
bool has_router(const Rollout& rollout) {
  const auto& routers = rollout.routing.routers;
  return std::any_of(routers.begin(), routers.end(), [](const Router& r) { return std::holds_alternative<Kind>(r); });
}

/// Subsets of one host need no Services; every other way to share traffic goes by their names.
bool needs_services(const Rollout& rollout) {
  const auto& routers = rollout.routing.routers;
  return std::any_of(routers.begin(), routers.end(), [](const Router& router) {
    const auto* istio = std::get_if<IstioRouting>(&router);
    return !istio || !istio->destination_rule;
  });
}

void check_services(const Field& canary, const Rollout& rollout) {
  if (rollout.ping_pong || !needs_services(rollout)) return;
  for (std::string_view name : {"stableService", "canaryService"})
    if (canary[name].json().empty() || canary[name].json() == "")
      canary[name].problem("is required with trafficRouting: it needs both services");
}

void check_ping_pong(const Field& canary, const Rollout& rollout) {
  Field ping_pong = canary["pingPong"];
  if (!ping_pong.present()) return;
  const bool plugin = has_router<GatewayRouting>(rollout), alb = has_router<AlbRouting>(rollout);
  if (!alb && !plugin && !has_router<IstioRouting>(rollout)) ping_pong.problem("needs alb, istio or a plugin");
  for (const Router& router : rollout.routing.routers)
    if (const auto* with_root = std::get_if<AlbRouting>(&router); with_root && with_root->root_service.empty())
      canary["trafficRouting"]["alb"].problem("rootService is required with pingPong");
}

void check_route_name(const Field& route, const Rollout& rollout) {
  const auto& managed = rollout.routing.managed_routes;
  const std::string name = text_at(route.json(), {"name"});
  if (!name.empty() && std::find(managed.begin(), managed.end(), name) == managed.end())
    route["name"].problem(managed.empty() ? "needs trafficRouting.managedRoutes to list it"
                                          : "is not listed in trafficRouting.managedRoutes");
}

/// An ALB compares headers with whole values.
void check_exact(const Field& header) {
  for (const Field& match : header["match"].items())
    if (Field value = match["headerValue"]; value["prefix"].present() || value["regex"].present())
      value.problem("must be exact with alb");
}

/// A route of the Gateway API compares methods with whole ones.
void check_exact_methods(const Field& mirror) {
  for (const Field& match : mirror["match"].items())
    if (Field method = match["method"]; method["prefix"].present() || method["regex"].present())
      method.problem("must be exact with argoproj-labs/gatewayAPI");
}

/// Does a route of the Gateway API take mirror routes?
bool has_http_route(const Rollout& rollout) {
  for (const Router& router : rollout.routing.routers)
    if (const auto* gateway = std::get_if<GatewayRouting>(&router))
      for (const GatewayRouting::Route& route : gateway->routes)
        if (route.kind == "HTTPRoute") return true;
  return false;
}

void check_steps(const Field& canary, const Rollout& rollout) {
  const bool istio = has_router<IstioRouting>(rollout), alb = has_router<AlbRouting>(rollout);
  const bool gateway = has_router<GatewayRouting>(rollout), apisix = has_router<ApisixRouting>(rollout);
  for (const Field& step : canary["steps"].items()) {
    Field header = step["setHeaderRoute"], mirror = step["setMirrorRoute"];
    if (header.present()) {
      if (!istio && !alb && !gateway && !apisix)
        header.problem("is carried out by istio, alb, apisix and argoproj-labs/gatewayAPI only");
      if (alb) check_exact(header);
      check_route_name(header, rollout);
    }
    if (mirror.present()) {
      if (!istio && !has_http_route(rollout))
        mirror.problem("is carried out by istio and by an httpRoute of argoproj-labs/gatewayAPI only");
      if (gateway) check_exact_methods(mirror);
      check_route_name(mirror, rollout);
    }
  }
}

/// Some routers give these names to objects, or to parts of them.
void check_managed_names(const Field& routing, const Rollout& rollout) {
  if (!has_router<ApisixRouting>(rollout) && !has_router<GatewayRouting>(rollout)) return;
  for (const Field& route : routing["managedRoutes"].items()) {
    const std::string name = text_at(route.json(), {"name"});
    if (name.empty()) continue;
    if (auto trouble = name_trouble("", name)) route["name"].problem(*trouble);
    for (const Router& router : rollout.routing.routers)
      if (const auto* apisix = std::get_if<ApisixRouting>(&router); apisix && apisix->route == name)
        route["name"].problem("is the name of the ApisixRoute itself");
  }
}

}  // namespace

void read_ping_pong(const Field& canary, Rollout& rollout) {
  Field ping_pong = canary["pingPong"];
  if (!ping_pong.present() || !ping_pong.is_map()) return;
  ping_pong.refuse_unknown({"pingService", "pongService"});
  rollout.ping_pong = true;
  rollout.stable_service = read_object_name(ping_pong["pingService"]);
  rollout.canary_service = read_object_name(ping_pong["pongService"]);
  for (const char* name : {"pingService", "pongService"})
    if (!ping_pong[name].present()) ping_pong.problem(format("{} is required", name));
  if (!rollout.stable_service.empty() && rollout.stable_service == rollout.canary_service)
    ping_pong["pongService"].problem("must be another Service than pingService");
  if (!canary["trafficRouting"].present()) ping_pong.problem("needs trafficRouting");
}

std::optional<int> read_max_weight(const Field& routing) {
  Field weight = routing["maxTrafficWeight"];
  if (!weight.present()) return std::nullopt;
  const auto out = weight.integer(1, kMaxWeight);
  if (routing["nginx"].present() || routing["plugins"].present()) return out;
  weight.problem("needs nginx or a plugin");
  return std::nullopt;
}

void check_routing(const Field& canary, const Rollout& rollout) {
  check_services(canary, rollout);
  check_ping_pong(canary, rollout);
  check_steps(canary, rollout);
  check_managed_names(canary["trafficRouting"], rollout);
}

}  // namespace reconciler
