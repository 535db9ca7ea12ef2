// APISIX: the weights of the backends of an ApisixRoute's rules. A header route is an ApisixRoute of ours under its
// name: the same rules before the others, for requests with these headers, leading to the canary alone.
#include <algorithm>

#include "base/format.h"
#include "base/text.h"
#include "rollout/action.h"
#include "rollout/routers.h"
#include "rollout/weighted_list.h"

namespace reconciler {
namespace {

constexpr WeightedListForm kRuleBackends{.name_field = "serviceName", .absent_weight = 100};

ObjectKey apisix_route_key(const ApisixRouting& apisix, const Rollout& rollout) {
  return {"apisix.apache.org", "ApisixRoute", rollout.key.ns, apisix.route};
}

std::string apisix_rule_place(const ObjectKey& key, const std::string& rule) {
  return format("ApisixRoute {}/{}: rule \"{}\"", key.ns, key.name, rule);
}

/// Where in spec.http the rule of that name stands, and that it has backends.
Result<size_t> rule_index(const ObjectKey& key, const Json& object, const std::string& name) {
  const Json* http = find(object, {"spec", "http"});
  for (size_t i = 0; http && http->is_array() && i < http->size(); ++i) {
    if (text_at((*http)[i], {"name"}) != name) continue;
    const Json* backends = find((*http)[i], {"backends"});
    if (!backends || !backends->is_array()) return invalid(apisix_rule_place(key, name) + " has no backends");
    return i;
  }
  return invalid(format("ApisixRoute {}/{} has no rule named \"{}\"", key.ns, key.name, name));
}

ObjectKey header_route_key(const Rollout& rollout, const std::string& name) {
  return {"apisix.apache.org", "ApisixRoute", rollout.key.ns, name};
}

/// Ours when it says so; one that Argo Rollouts made for the same rollout is taken over.
bool is_our_apisix_route(const Json& route, const Rollout& rollout) {
  if (text_at(route, {"metadata", "labels", kRolloutLabel}) == rollout.key.name) return true;
  const Json* owners = find(route, {"metadata", "ownerReferences"});
  for (size_t i = 0; owners && owners->is_array() && i < owners->size(); ++i)
    if (text_at((*owners)[i], {"kind"}) == "Rollout" && text_at((*owners)[i], {"name"}) == rollout.key.name)
      return true;
  return false;
}

Json header_expression(const SetHeaderRoute::Match& match) {
  const StringMatch& value = match.value;
  return {{"subject", {{"scope", "Header"}, {"name", match.header}}},
          {"op", value.how == "exact" ? "Equal" : "RegexMatch"},
          {"value", value.how == "prefix" ? "^" + regex_of(value.value) + ".*" : value.value}};
}

/// A rule of the manifest, for requests with these headers alone. `ahead`: by how much it comes before the rule.
Json header_rule(Json rule, const SetHeaderRoute& step, const Traffic& traffic, int ahead) {
  rule["priority"] = integer_at(rule, {"priority"}).value_or(0) + ahead;
  for (const SetHeaderRoute::Match& match : step.matches) rule["match"]["exprs"].push_back(header_expression(match));
  Json canary = Json::array();
  for (Json& backend : rule["backends"])
    if (text_at(backend, {"serviceName"}) == traffic.canary.service && canary.empty())
      canary.push_back(std::move(backend));
  for (Json& backend : canary) backend["weight"] = 100;
  rule["backends"] = std::move(canary);
  return rule;
}

/// `made`, or a new one, with everything that is ours in it. The first of managedRoutes comes first.
Result<Json> header_route(const ApisixRouting& apisix, const Rollout& rollout, const Json& base, Json made,
                          const SetHeaderRoute& step, const Traffic& traffic) {
  const auto& names = rollout.routing.managed_routes;
  const int ahead = int(names.end() - std::find(names.begin(), names.end(), step.name));
  made["metadata"]["labels"][std::string(kRolloutLabel)] = rollout.key.name;
  constexpr std::string_view kClass = "kubernetes.io/ingress.class";
  if (std::string name = text_at(base, {"metadata", "annotations", kClass}); !name.empty())
    made["metadata"]["annotations"][std::string(kClass)] = name;
  Json spec = base.at("spec"), rules = Json::array();
  spec.erase("stream");
  for (const std::string& rule : apisix.rules) {
    auto index = rule_index(apisix_route_key(apisix, rollout), base, rule);
    if (!index) return index.error();
    rules.push_back(header_rule(spec["http"][*index], step, traffic, ahead));
  }
  spec["http"] = std::move(rules);
  made["spec"] = std::move(spec);
  return made;
}

/// Makes the header route of that name, or takes it away when no step in force asks for it.
Result<void> write_header_route(const ApisixRouting& apisix, const Rollout& rollout, RouteObjects& objects,
                                const std::string& name, const Traffic& traffic) {
  const ObjectKey key = header_route_key(rollout, name);
  const auto live = objects.find(key);
  const bool is_ours = live == objects.end() || is_our_apisix_route(live->second, rollout);
  const auto wanted = std::find_if(traffic.managed.begin(), traffic.managed.end(), [&](const ManagedRoute& route) {
    return std::holds_alternative<SetHeaderRoute>(route) && name_of(route) == name;
  });
  if (wanted == traffic.managed.end()) {
    if (is_ours) objects.erase(key);
    return {};
  }
  if (!is_ours) return invalid(format("ApisixRoute {}/{} exists and is not of this rollout", key.ns, key.name));
  const Json& base = objects.at(apisix_route_key(apisix, rollout));
  Json made = live != objects.end() ? live->second
                                    : Json{{"apiVersion", text_at(base, {"apiVersion"})},
                                           {"kind", "ApisixRoute"},
                                           {"metadata", {{"name", key.name}, {"namespace", key.ns}}}};
  auto route = header_route(apisix, rollout, base, std::move(made), std::get<SetHeaderRoute>(*wanted), traffic);
  if (!route) return route.error();
  objects[key] = *std::move(route);
  return {};
}

}  // namespace

std::vector<RouteObject> objects_of(const ApisixRouting& apisix, const Rollout& rollout) {
  std::vector<RouteObject> out{{apisix_route_key(apisix, rollout), RouteUse::Weights}};
  for (const std::string& name : rollout.routing.managed_routes)
    if (name != apisix.route) out.push_back({header_route_key(rollout, name), RouteUse::Made});
  return out;
}

Result<RouteObjects> write_weights(const ApisixRouting& apisix, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic) {
  auto object = objects.find(apisix_route_key(apisix, rollout));
  if (object == objects.end()) return objects;
  for (const std::string& rule : apisix.rules) {
    auto index = rule_index(object->first, object->second, rule);
    if (!index) return index.error();
    Json& backends = object->second["spec"]["http"][*index]["backends"];
    auto written = with_split(backends, kRuleBackends, rollout, traffic, apisix_rule_place(object->first, rule));
    if (!written) return written.error();
    backends = *std::move(written);
  }
  for (const RouteObject& made : objects_of(apisix, rollout)) {
    if (made.use != RouteUse::Made) continue;
    auto written = write_header_route(apisix, rollout, objects, made.key.name, traffic);
    if (!written) return written.error();
  }
  return objects;
}

bool has_managed_route(const ApisixRouting& apisix, const Rollout& rollout, const RouteObjects& objects) {
  for (const RouteObject& made : objects_of(apisix, rollout))
    if (auto live = objects.find(made.key); made.use == RouteUse::Made && live != objects.end())
      if (is_our_apisix_route(live->second, rollout)) return true;
  return false;
}

Result<std::vector<Split>> read_splits(const ApisixRouting& apisix, const Rollout& rollout, const RouteObjects& objects,
                                       const Traffic& sides) {
  std::vector<Split> out;
  auto object = objects.find(apisix_route_key(apisix, rollout));
  if (object == objects.end()) return out;
  for (const std::string& rule : apisix.rules) {
    auto index = rule_index(object->first, object->second, rule);
    if (!index) return index.error();
    const Json& backends = object->second["spec"]["http"][*index]["backends"];
    auto split = split_of(backends, kRuleBackends, sides, apisix_rule_place(object->first, rule));
    if (!split) return split.error();
    out.push_back(*split);
  }
  return out;
}

}  // namespace reconciler
