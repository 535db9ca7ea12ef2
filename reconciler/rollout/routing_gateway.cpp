// Kubernetes Gateway API: the weights of the backendRefs of each rule that leads to both sides.
#include "base/format.h"
#include "rollout/routers.h"
#include "rollout/weighted_list.h"

namespace reconciler {
namespace {

/// A backendRef without a weight has 1, which the API server writes out.
constexpr WeightedListForm kBackendRefs{.name_field = "name", .absent_weight = 1};

ObjectKey gateway_route_key(const GatewayRouting& gateway, const GatewayRouting::Route& route) {
  return {"gateway.networking.k8s.io", route.kind, gateway.ns, route.name};
}

/// The rules that lead to both sides; `Invalid` when there is none.
Result<std::vector<size_t>> own_rules(const ObjectKey& key, const Json& object, const Traffic& sides) {
  std::vector<size_t> out;
  const Json* rules = find(object, {"spec", "rules"});
  for (size_t i = 0; rules && rules->is_array() && i < rules->size(); ++i) {
    const Json* backends = find((*rules)[i], {"backendRefs"});
    if (!backends) continue;
    if (leads_to(*backends, kBackendRefs, sides.stable.service) &&
        leads_to(*backends, kBackendRefs, sides.canary.service))
      out.push_back(i);
  }
  if (out.empty())
    return invalid(format("{} {}/{} has no rule with both backendRefs {} and {}", key.kind, key.ns, key.name,
                          sides.stable.service, sides.canary.service));
  return out;
}

std::string rule_place(const ObjectKey& key, size_t rule) {
  return format("{} {}/{}: rule {}", key.kind, key.ns, key.name, rule);
}

}  // namespace

std::vector<RouteObject> objects_of(const GatewayRouting& gateway, const Rollout&) {
  std::vector<RouteObject> out;
  for (const GatewayRouting::Route& route : gateway.routes)
    out.push_back({gateway_route_key(gateway, route), RouteUse::Weights});
  return out;
}

Result<RouteObjects> write_weights(const GatewayRouting& gateway, const Rollout&, RouteObjects objects,
                                   const Traffic& traffic) {
  for (const GatewayRouting::Route& route : gateway.routes) {
    auto object = objects.find(gateway_route_key(gateway, route));
    if (object == objects.end()) continue;
    auto rules = own_rules(object->first, object->second, traffic);
    if (!rules) return rules.error();
    for (size_t rule : *rules) {
      Json& backends = object->second["spec"]["rules"][rule]["backendRefs"];
      auto written = with_split(backends, kBackendRefs, traffic, rule_place(object->first, rule));
      if (!written) return written.error();
      backends = *std::move(written);
    }
  }
  return objects;
}

Result<std::vector<Split>> read_splits(const GatewayRouting& gateway, const Rollout&, const RouteObjects& objects,
                                       const Traffic& sides) {
  std::vector<Split> out;
  for (const GatewayRouting::Route& route : gateway.routes) {
    auto object = objects.find(gateway_route_key(gateway, route));
    if (object == objects.end()) continue;
    auto rules = own_rules(object->first, object->second, sides);
    if (!rules) return rules.error();
    for (size_t rule : *rules) {
      const Json& backends = object->second["spec"]["rules"][rule]["backendRefs"];
      auto split = split_of(backends, kBackendRefs, sides, rule_place(object->first, rule));
      if (!split) return split.error();
      out.push_back(*split);
    }
  }
  return out;
}

}  // namespace reconciler
