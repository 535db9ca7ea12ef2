#include "manifest/istio_reader.h"

#include <algorithm>

#include "base/format.h"
#include "manifest/name_list.h"
#include "manifest/names.h"

namespace reconciler {
namespace {

constexpr int kRoutePortMax = 65535;

void read_service_name(const Field& service, IstioVirtualService& out) {
  std::string name = service["name"].text().value_or("");
  size_t point = name.find('.');
  out.name = name.substr(0, point);
  if (point != name.npos) {
    out.ns = name.substr(point + 1);
    out.ns.resize(std::min(out.ns.find('.'), out.ns.size()));
    if (auto trouble = label_trouble(out.ns)) service["name"].problem("the namespace in it " + *trouble);
  }
  if (name.empty())
    service.problem("name is required");
  else if (auto trouble = name_trouble("", out.name))
    service["name"].problem(*trouble);
}

/// `name`, `name.namespace` or `name.namespace.svc.cluster.local`.
IstioVirtualService read_virtual_service(const Field& service, const std::string& ns) {
  IstioVirtualService out{.ns = ns};
  if (!service.is_map()) return out;
  read_service_name(service, out);
  out.routes = read_names(service["routes"], "route");
  for (const Field& route : service["tlsRoutes"].items())
    out.tls_routes.push_back(
        {route["port"].integer(0, kRoutePortMax).value_or(0), read_names(route["sniHosts"], "SNI host")});
  for (const Field& route : service["tcpRoutes"].items())
    out.tcp_ports.push_back(route["port"].integer(0, kRoutePortMax).value_or(0));
  return out;
}

IstioDestinationRule read_destination_rule(const Field& rule) {
  IstioDestinationRule out{.name = read_object_name(rule["name"]),
                           .canary_subset = rule["canarySubsetName"].text().value_or(""),
                           .stable_subset = rule["stableSubsetName"].text().value_or("")};
  for (const char* name : {"name", "canarySubsetName", "stableSubsetName"})
    if (!rule[name].present() || rule[name].json() == "") rule.problem(format("{} is required", name));
  if (!out.canary_subset.empty() && out.canary_subset == out.stable_subset)
    rule["stableSubsetName"].problem("must be another subset than canarySubsetName");
  read_names(rule["additionalSubsetNames"], "subset");
  return out;
}

}  // namespace

IstioRouting read_istio(const Field& istio, const std::string& ns) {
  IstioRouting out;
  Field one = istio["virtualService"], several = istio["virtualServices"], rule = istio["destinationRule"];
  if (!one.present() && !several.present()) istio.problem("virtualService is required");
  if (one.present() && several.present()) istio.problem("must have virtualService or virtualServices, not both");
  if (one.present()) out.virtual_services.push_back(read_virtual_service(one, ns));
  for (const Field& service : several.items()) out.virtual_services.push_back(read_virtual_service(service, ns));
  if (several.present() && out.virtual_services.empty()) several.problem("must not be empty");
  if (rule.present() && rule.is_map()) out.destination_rule = read_destination_rule(rule);
  return out;
}

}  // namespace reconciler
