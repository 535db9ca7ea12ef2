// Kubernetes Gateway API: the weights of the backendRefs of each rule that leads to both sides.
#include <algorithm>

#include "base/format.h"
#include "rollout/gateway_managed_rules.h"
#include "rollout/routers.h"
#include "rollout/weighted_list.h"

namespace reconciler {
namespace {

/// A backendRef without a weight has 1, which the API server writes out.
constexpr WeightedListForm kBackendRefs{.name_field = "name", .absent_weight = 1};

ObjectKey gateway_route_key(const GatewayRouting& gateway, const GatewayRouting::Route& route) {
  return {"gateway.networking.k8s.io", route.kind, gateway.ns, route.name};
}

std::string route_place(const ObjectKey& key) { return format("{} {}/{}", key.kind, key.ns, key.name); }

std::string rule_place(const ObjectKey& key, size_t rule) { return format("{}: rule {}", route_place(key), rule); }

bool leads_to_both(const Json& rule, const Traffic& sides) {
  const Json* backends = find(rule, {"backendRefs"});
  return backends && leads_to(*backends, kBackendRefs, sides.stable.service) &&
         leads_to(*backends, kBackendRefs, sides.canary.service);
}

/// The rules of the manifest that lead to both sides, or the one that the rollout names; `Invalid` when there is none.
Result<std::vector<size_t>> own_rules(const GatewayRouting::Route& route, const Rollout& rollout, const ObjectKey& key,
                                      const Json& object, const Traffic& sides) {
  std::vector<size_t> out;
  const std::set<size_t> managed = managed_rules(rollout, object);
  const Json* rules = find(object, {"spec", "rules"});
  for (size_t i = 0; rules && rules->is_array() && i < rules->size(); ++i)
    if (!managed.contains(i) && (route.rule.empty() || text_at((*rules)[i], {"name"}) == route.rule) &&
        leads_to_both((*rules)[i], sides))
      out.push_back(i);
  const std::string which = route.rule.empty() ? "" : format(" \"{}\"", route.rule);
  if (out.empty())
    return invalid(format("{} has no rule{} with both backendRefs {} and {}", route_place(key), which,
                          sides.stable.service, sides.canary.service));
  return out;
}

/// The list without destinations that are there for an experiment, and those.
std::pair<Json, Json> without_experiments(const Json& backends, const std::set<std::string>& names) {
  Json kept = Json::array(), ours = Json::array();
  for (const Json& backend : backends) (names.contains(text_at(backend, {"name"})) ? ours : kept).push_back(backend);
  return {std::move(kept), std::move(ours)};
}

/// The destinations of experiments, as the stable one but for name and weight.
Json experiment_backends(const Json& backends, const Traffic& traffic) {
  Json out = Json::array();
  for (const ExperimentShare& share : traffic.experiments)
    for (const Json& backend : backends)
      if (text_at(backend, {"name"}) == traffic.stable.service) {
        Json copy = backend;
        copy["name"] = share.service;
        copy["weight"] = share.weight;
        out.push_back(std::move(copy));
        break;
      }
  return out;
}

Result<void> write_rule(Json& backends, const Rollout& rollout, const std::set<std::string>& names,
                        const Traffic& traffic, const std::string& place) {
  auto [kept, ours] = without_experiments(backends, names);
  auto written = with_split(kept, kBackendRefs, rollout, traffic, place);
  if (!written) return written.error();
  Json wanted = experiment_backends(*written, traffic);
  if (*written == kept && ours == wanted) return {};
  for (Json& backend : wanted) written->push_back(std::move(backend));
  backends = *std::move(written);
  return {};
}

Result<Split> read_rule(const Json& backends, const std::set<std::string>& names, const Traffic& sides,
                        const std::string& place) {
  const auto [kept, ours] = without_experiments(backends, names);
  auto out = split_of(kept, kBackendRefs, sides, place);
  if (!out) return out;
  for (const Json& backend : ours) {
    const int64_t weight = reckoned_weight(integer_at(backend, {"weight"}), kBackendRefs.absent_weight);
    out->others += weight;
    out->experiments[text_at(backend, {"name"})] += weight;
  }
  return out;
}

Result<void> write_gateway_route(const GatewayRouting::Route& route, const Rollout& rollout, const ObjectKey& key,
                                 Json& object, const Traffic& traffic) {
  auto rules = own_rules(route, rollout, key, object, traffic);
  if (!rules) return rules.error();
  std::set<std::string> names = experiment_names(object), wanted;
  for (const ExperimentShare& share : traffic.experiments) wanted.insert(share.service);
  names.insert(wanted.begin(), wanted.end());
  for (const size_t rule : *rules) {
    auto written =
        write_rule(object["spec"]["rules"][rule]["backendRefs"], rollout, names, traffic, rule_place(key, rule));
    if (!written) return written.error();
  }
  object = with_managed_rules(route, rollout, with_experiment_names(object, wanted), *rules, traffic);
  return {};
}

}  // namespace

std::vector<RouteObject> objects_of(const GatewayRouting& gateway, const Rollout&) {
  std::vector<RouteObject> out;
  for (const GatewayRouting::Route& route : gateway.routes)
    out.push_back({gateway_route_key(gateway, route), RouteUse::Weights});
  return out;
}

Result<RouteObjects> write_weights(const GatewayRouting& gateway, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic) {
  for (const GatewayRouting::Route& route : gateway.routes) {
    auto object = objects.find(gateway_route_key(gateway, route));
    if (object == objects.end()) continue;
    auto written = write_gateway_route(route, rollout, object->first, object->second, traffic);
    if (!written) return written.error();
  }
  return objects;
}

Result<std::vector<Split>> read_splits(const GatewayRouting& gateway, const Rollout& rollout,
                                       const RouteObjects& objects, const Traffic& sides) {
  std::vector<Split> out;
  for (const GatewayRouting::Route& route : gateway.routes) {
    auto object = objects.find(gateway_route_key(gateway, route));
    if (object == objects.end()) continue;
    auto rules = own_rules(route, rollout, object->first, object->second, sides);
    if (!rules) return rules.error();
    const Json& all = object->second["spec"]["rules"];
    // Mirror rules carry weights of their own, copied from the rule they were made of.
    for (const size_t managed : managed_rules(rollout, object->second))
      if (leads_to_both(all[managed], sides)) rules->push_back(managed);
    const std::set<std::string> names = experiment_names(object->second);
    for (const size_t rule : *rules) {
      auto split = read_rule(all[rule]["backendRefs"], names, sides, rule_place(object->first, rule));
      if (!split) return split.error();
      out.push_back(*std::move(split));
    }
  }
  return out;
}

bool has_managed_route(const GatewayRouting& gateway, const Rollout& rollout, const RouteObjects& objects) {
  return std::any_of(gateway.routes.begin(), gateway.routes.end(), [&](const GatewayRouting::Route& route) {
    auto object = objects.find(gateway_route_key(gateway, route));
    return object != objects.end() && !managed_rules(rollout, object->second).empty();
  });
}

}  // namespace reconciler
