#include "manifest/routing_fields.h"

#include "base/format.h"

namespace reconciler {
namespace {

using KnownFields = std::vector<std::string_view>;

bool check_known(const Field& field, const KnownFields& known) {
  if (!field.is_map()) return false;
  field.refuse_unknown(known);
  return true;
}

void check_all_known(const Field& list, const KnownFields& known) {
  for (const Field& item : list.items()) check_known(item, known);
}

void check_virtual_service(const Field& service) {
  if (!check_known(service, {"name", "routes", "tlsRoutes", "tcpRoutes"})) return;
  check_all_known(service["tlsRoutes"], {"port", "sniHosts"});
  check_all_known(service["tcpRoutes"], {"port"});
}

void check_istio(const Field& istio) {
  if (!check_known(istio, {"virtualService", "virtualServices", "destinationRule"})) return;
  check_virtual_service(istio["virtualService"]);
  for (const Field& service : istio["virtualServices"].items()) check_virtual_service(service);
  check_known(istio["destinationRule"], {"name", "canarySubsetName", "stableSubsetName", "additionalSubsetNames"});
}

void check_plugins(const Field& plugins) {
  if (!plugins.is_map()) return;
  for (const auto& [name, config] : plugins.json().items())
    if (name != "argoproj-labs/gatewayAPI" && !config.is_null())
      plugins[name].problem("is not supported: of all plugins Serin knows argoproj-labs/gatewayAPI");
  Field gateway = plugins["argoproj-labs/gatewayAPI"];
  // The last ones are about how the plugin keeps its own records and talks to other GitOps tools, or mean nothing
  // here, to the plugin neither: manifests have them all the same.
  if (!check_known(gateway, {"httpRoute", "httpRoutes", "httpRouteRuleName", "grpcRoute", "grpcRoutes",
                             "grpcRouteRuleName", "tcpRoute", "tcpRoutes", "tcpRouteRuleName", "tlsRoute", "tlsRoutes",
                             "tlsRouteRuleName", "namespace", "configMap", "inProgressLabelKey", "inProgressLabelValue",
                             "disableInProgressLabel", "useHeaderRoutes", "activeRolloutsAnnotationKey"}))
    return;
  for (std::string_view list : {"httpRoutes", "grpcRoutes", "tcpRoutes", "tlsRoutes"})
    check_all_known(gateway[list], {"name", "useHeaderRoutes", "ruleName"});
}

}  // namespace

void check_routing_fields(const Field& routing) {
  if (!check_known(routing, {"istio", "maxTrafficWeight", "managedRoutes", "nginx", "alb", "smi", "ambassador",
                             "appMesh", "traefik", "apisix", "plugins"}))
    return;
  check_all_known(routing["managedRoutes"], {"name"});
  check_istio(routing["istio"]);
  check_known(routing["nginx"], {"stableIngress", "stableIngresses", "annotationPrefix", "additionalIngressAnnotations",
                                 "canaryIngressAnnotations"});
  if (check_known(routing["alb"],
                  {"ingress", "ingresses", "servicePort", "rootService", "annotationPrefix", "stickinessConfig"}))
    check_known(routing["alb"]["stickinessConfig"], {"enabled", "durationSeconds"});
  check_known(routing["smi"], {"rootService", "trafficSplitName"});
  check_known(routing["ambassador"], {"mappings"});
  check_known(routing["traefik"], {"weightedTraefikServiceName"});
  if (check_known(routing["apisix"], {"route"})) check_known(routing["apisix"]["route"], {"name", "rules"});
  if (routing["appMesh"].present()) routing["appMesh"].problem("is not supported");
  check_plugins(routing["plugins"]);
}

}  // namespace reconciler
