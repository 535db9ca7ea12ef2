#include "manifest/routing_reader.h"

#include <algorithm>

#include "base/format.h"
#include "manifest/istio_reader.h"
#include "manifest/name_list.h"

namespace reconciler {
namespace {

constexpr int kServicePortMax = 65535;

std::map<std::string, std::string> read_annotations(const Field& map) {
  std::map<std::string, std::string> out;
  if (!map.present() || !map.is_map()) return out;
  for (const auto& [name, value] : map.json().items())
    if (auto text = map[name].text()) out[name] = *text;
  return out;
}

/// Either the one name or the list of names, which is how several routers ask for their objects.
std::vector<std::string> read_one_or_several(const Field& router, const char* one, const char* several) {
  const bool has_one = router[one].present(), has_several = router[several].present();
  if (has_one && has_several) router.problem(format("must have {} or {}, not both", one, several));
  if (!has_one && !has_several) router.problem(format("{} is required", one));
  if (has_several && router[several].json().empty()) router[several].problem("must not be empty");
  if (has_several) return read_object_names(router[several]);
  std::string name = read_object_name(router[one]);
  return name.empty() ? std::vector<std::string>{} : std::vector<std::string>{name};
}

GatewayRouting read_gateway(const Field& gateway, const RolloutKey& rollout) {
  GatewayRouting out{.ns = rollout.ns};
  if (Field ns = gateway["namespace"]; ns.present()) out.ns = read_object_name(ns);
  const std::pair<const char*, const char*> kinds[] = {
      {"http", "HTTPRoute"}, {"grpc", "GRPCRoute"}, {"tcp", "TCPRoute"}, {"tls", "TLSRoute"}};
  for (const auto& [prefix, kind] : kinds) {
    Field one = gateway[format("{}Route", prefix)];
    if (one.present()) {
      const std::string rule = gateway[format("{}RouteRuleName", prefix)].text().value_or("");
      out.routes.push_back({.kind = kind, .name = read_object_name(one), .rule = rule, .header_routes = true});
    }
    for (const Field& item : gateway[format("{}Routes", prefix)].items())
      if (item.is_map())
        out.routes.push_back({.kind = kind,
                              .name = read_object_name(item["name"]),
                              .rule = item["ruleName"].text().value_or(""),
                              .header_routes = item["useHeaderRoutes"].flag().value_or(false)});
  }
  if (out.routes.empty()) gateway.problem("must name a route, such as httpRoute");
  return out;
}

NginxRouting read_nginx(const Field& nginx) {
  NginxRouting out;
  out.ingresses = read_one_or_several(nginx, "stableIngress", "stableIngresses");
  if (auto prefix = nginx["annotationPrefix"].text(); prefix && !prefix->empty()) out.annotation_prefix = *prefix;
  out.prefixed_annotations = read_annotations(nginx["additionalIngressAnnotations"]);
  out.plain_annotations = read_annotations(nginx["canaryIngressAnnotations"]);
  return out;
}

AlbRouting read_alb(const Field& alb) {
  AlbRouting out;
  out.ingresses = read_one_or_several(alb, "ingress", "ingresses");
  if (!alb["servicePort"].present()) alb.problem("servicePort is required");
  out.service_port = alb["servicePort"].integer(1, kServicePortMax).value_or(0);
  if (alb["rootService"].present()) out.root_service = read_object_name(alb["rootService"]);
  if (auto prefix = alb["annotationPrefix"].text(); prefix && !prefix->empty()) out.annotation_prefix = *prefix;
  Field stickiness = alb["stickinessConfig"];
  if (!stickiness.present() || !stickiness.is_map()) return out;
  const bool enabled = stickiness["enabled"].flag().value_or(false);
  auto seconds = stickiness["durationSeconds"].integer(1, 604800);
  if (enabled && !stickiness["durationSeconds"].present()) stickiness.problem("durationSeconds is required");
  if (enabled) out.stickiness = AlbRouting::Stickiness{enabled, seconds.value_or(0)};
  return out;
}

SmiRouting read_smi(const Field& smi, const RolloutKey& rollout) {
  SmiRouting out{.split = rollout.name};
  if (smi["rootService"].present()) out.root_service = read_object_name(smi["rootService"]);
  if (smi["trafficSplitName"].present()) out.split = read_object_name(smi["trafficSplitName"]);
  return out;
}

TraefikRouting read_traefik(const Field& traefik) {
  Field name = traefik["weightedTraefikServiceName"];
  if (!name.present()) traefik.problem("weightedTraefikServiceName is required");
  return {read_object_name(name)};
}

ApisixRouting read_apisix(const Field& apisix) {
  ApisixRouting out;
  Field route = apisix["route"];
  if (!route.present()) apisix.problem("route is required");
  if (!route.present() || !route.is_map()) return out;
  if (!route["name"].present()) route.problem("name is required");
  out.route = read_object_name(route["name"]);
  out.rules = read_names(route["rules"], "rule");
  if (out.rules.empty()) out.rules = {out.route};
  return out;
}

AmbassadorRouting read_ambassador(const Field& ambassador) {
  AmbassadorRouting out{read_object_names(ambassador["mappings"])};
  if (out.mappings.empty()) ambassador.problem("mappings is required");
  return out;
}

std::vector<std::string> read_managed_routes(const Field& list) {
  std::vector<std::string> out;
  for (const Field& item : list.items()) {
    if (!item.is_map()) continue;
    const std::string name = item["name"].text().value_or("");
    if (name.empty())
      item.problem("name is required");
    else if (std::find(out.begin(), out.end(), name) != out.end())
      item["name"].problem(format("route \"{}\" stands here twice", name));
    else
      out.push_back(name);
  }
  return out;
}

}  // namespace

TrafficRouting read_routing(const Field& routing, const RolloutKey& rollout) {
  TrafficRouting out;
  auto router = [&](const char* name) { return routing[name].present() && routing[name].is_map(); };
  if (router("istio")) out.routers.emplace_back(read_istio(routing["istio"], rollout.ns));
  if (router("nginx")) out.routers.emplace_back(read_nginx(routing["nginx"]));
  if (router("alb")) out.routers.emplace_back(read_alb(routing["alb"]));
  if (router("smi")) out.routers.emplace_back(read_smi(routing["smi"], rollout));
  if (router("traefik")) out.routers.emplace_back(read_traefik(routing["traefik"]));
  if (router("apisix")) out.routers.emplace_back(read_apisix(routing["apisix"]));
  if (router("ambassador")) out.routers.emplace_back(read_ambassador(routing["ambassador"]));
  if (Field gateway = routing["plugins"]["argoproj-labs/gatewayAPI"]; gateway.present() && gateway.is_map())
    out.routers.emplace_back(read_gateway(gateway, rollout));
  out.managed_routes = read_managed_routes(routing["managedRoutes"]);
  return out;
}

}  // namespace reconciler
