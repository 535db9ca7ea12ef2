// APISIX: the weights of the backends of an ApisixRoute's rules.
#include "base/format.h"
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

}  // namespace

std::vector<RouteObject> objects_of(const ApisixRouting& apisix, const Rollout& rollout) {
  return {{apisix_route_key(apisix, rollout), RouteUse::Weights}};
}

Result<RouteObjects> write_weights(const ApisixRouting& apisix, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic) {
  auto object = objects.find(apisix_route_key(apisix, rollout));
  if (object == objects.end()) return objects;
  for (const std::string& rule : apisix.rules) {
    auto index = rule_index(object->first, object->second, rule);
    if (!index) return index.error();
    Json& backends = object->second["spec"]["http"][*index]["backends"];
    auto written = with_split(backends, kRuleBackends, traffic, apisix_rule_place(object->first, rule));
    if (!written) return written.error();
    backends = *std::move(written);
  }
  return objects;
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
