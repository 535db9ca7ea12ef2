// AWS load balancer controller: a forward action over two target groups, in an annotation of each Ingress. A header
// route is a path before the others, whose backend is the name of two more annotations: who it forwards to, and when.
#include <algorithm>

#include "base/format.h"
#include "rollout/routers.h"

namespace reconciler {
namespace {

ObjectKey balanced_ingress_key(const Rollout& rollout, const std::string& name) {
  return {"networking.k8s.io", "Ingress", rollout.key.ns, name};
}

/// The Service that the Ingress names, and that the action stands for.
const std::string& action_service(const AlbRouting& alb, const Traffic& sides) {
  return alb.root_service.empty() ? sides.stable.service : alb.root_service;
}

std::string action_annotation(const AlbRouting& alb, const Traffic& sides) {
  return alb.annotation_prefix + "/actions." + action_service(alb, sides);
}

bool has_rule_for(const Json& ingress, const std::string& service) {
  const Json* rules = find(ingress, {"spec", "rules"});
  for (size_t i = 0; rules && rules->is_array() && i < rules->size(); ++i)
    if (const Json* paths = find((*rules)[i], {"http", "paths"}); paths && paths->is_array())
      for (const Json& path : *paths)
        if (text_at(path, {"backend", "service", "name"}) == service) return true;
  return false;
}

Result<void> check_action_service(const AlbRouting& alb, const ObjectKey& key, const Json& ingress,
                                  const Traffic& sides) {
  const std::string& service = action_service(alb, sides);
  if (has_rule_for(ingress, service)) return {};
  return invalid(format("Ingress {}/{} has no rule for Service {}", key.ns, key.name, service));
}

Json target_group(const AlbRouting& alb, const std::string& service, int weight) {
  return {{"ServiceName", service}, {"ServicePort", std::to_string(alb.service_port)}, {"Weight", weight}};
}

Json action_of(const AlbRouting& alb, const Traffic& traffic) {
  Json groups = Json::array({target_group(alb, traffic.canary.service, traffic.weight),
                             target_group(alb, traffic.stable.service, traffic.stable_weight())});
  for (const ExperimentShare& share : traffic.experiments)
    groups.push_back(target_group(alb, share.service, share.weight));
  Json forward = {{"TargetGroups", std::move(groups)}};
  if (alb.stickiness)
    forward["TargetGroupStickinessConfig"] = {{"Enabled", alb.stickiness->enabled},
                                              {"DurationSeconds", alb.stickiness->seconds}};
  return {{"Type", "forward"}, {"ForwardConfig", std::move(forward)}};
}

bool is_managed_name(const Rollout& rollout, const std::string& name) {
  const auto& names = rollout.routing.managed_routes;
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// The route that a path stands for; empty when it is none of ours.
std::string route_of_path(const Rollout& rollout, const Json& path) {
  const std::string name = text_at(path, {"backend", "service", "name"});
  return is_managed_name(rollout, name) ? name : "";
}

/// The paths of a rule; an empty list when it has none.
const Json& paths_of(const Json& rule) {
  static const Json kNone = Json::array();
  const Json* paths = find(rule, {"http", "paths"});
  return paths && paths->is_array() ? *paths : kNone;
}

Json path_to_route(const std::string& name) {
  return {{"path", "/*"},
          {"pathType", "ImplementationSpecific"},
          {"backend", {{"service", {{"name", name}, {"port", {{"name", "use-annotation"}}}}}}}};
}

/// `{actions: text, conditions: text}` of a header route.
std::map<std::string, std::string> route_annotations(const AlbRouting& alb, const SetHeaderRoute& route,
                                                     const Traffic& traffic) {
  const Json forward = {{"TargetGroups", Json::array({target_group(alb, traffic.canary.service, 100)})}};
  Json conditions = Json::array();
  for (const SetHeaderRoute::Match& match : route.matches)
    conditions.push_back(
        {{"field", "http-header"},
         {"httpHeaderConfig", {{"httpHeaderName", match.header}, {"values", Json::array({match.value.value})}}}});
  return {{alb.annotation_prefix + "/actions." + route.name, dump({{"Type", "forward"}, {"ForwardConfig", forward}})},
          {alb.annotation_prefix + "/conditions." + route.name, dump(conditions)}};
}

/// Takes away what stands in the Ingress for managed routes, but for those in `wanted`.
void drop_routes(const AlbRouting& alb, const Rollout& rollout, Json& ingress, const std::vector<std::string>& wanted) {
  for (const std::string& name : rollout.routing.managed_routes) {
    if (std::find(wanted.begin(), wanted.end(), name) != wanted.end()) continue;
    for (const char* part : {"/actions.", "/conditions."})
      if (find(ingress, {"metadata", "annotations"}))
        ingress["metadata"]["annotations"].erase(alb.annotation_prefix + part + name);
  }
}

/// Exactly the wanted routes before the paths of every rule, in the order of managedRoutes.
void write_routes(const AlbRouting& alb, const Rollout& rollout, Json& ingress, const Traffic& traffic) {
  std::vector<std::string> wanted;
  for (const ManagedRoute& route : traffic.managed) {
    const auto* header = std::get_if<SetHeaderRoute>(&route);
    if (!header) continue;
    wanted.push_back(header->name);
    for (const auto& [name, text] : route_annotations(alb, *header, traffic))
      ingress["metadata"]["annotations"][name] = text;
  }
  drop_routes(alb, rollout, ingress, wanted);
  const Json* rules = find(ingress, {"spec", "rules"});
  for (size_t i = 0; rules && rules->is_array() && i < rules->size(); ++i) {
    if (paths_of((*rules)[i]).empty()) continue;
    Json paths = Json::array();
    for (const std::string& name : wanted) paths.push_back(path_to_route(name));
    for (const Json& path : paths_of((*rules)[i]))
      if (route_of_path(rollout, path).empty()) paths.push_back(path);
    ingress["spec"]["rules"][i]["http"]["paths"] = std::move(paths);
  }
}

/// The live action as a document; null when there is none that can be read.
Json live_action(const Json& ingress, const std::string& annotation) {
  auto action = parse_json(text_at(ingress, {"metadata", "annotations", annotation}, "null"));
  return action ? *std::move(action) : Json();
}

}  // namespace

std::vector<RouteObject> objects_of(const AlbRouting& alb, const Rollout& rollout) {
  std::vector<RouteObject> out;
  for (const std::string& name : alb.ingresses) out.push_back({balanced_ingress_key(rollout, name), RouteUse::Weights});
  return out;
}

Result<RouteObjects> write_weights(const AlbRouting& alb, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic) {
  const std::string annotation = action_annotation(alb, traffic);
  const Json action = action_of(alb, traffic);
  for (const std::string& name : alb.ingresses) {
    auto ingress = objects.find(balanced_ingress_key(rollout, name));
    if (ingress == objects.end()) continue;
    if (auto fits = check_action_service(alb, ingress->first, ingress->second, traffic); !fits) return fits.error();
    // The same action in other words is no change.
    if (live_action(ingress->second, annotation) != action)
      ingress->second["metadata"]["annotations"][annotation] = dump(action);
    if (!rollout.routing.managed_routes.empty()) write_routes(alb, rollout, ingress->second, traffic);
  }
  return objects;
}

bool has_managed_route(const AlbRouting& alb, const Rollout& rollout, const RouteObjects& objects) {
  for (const std::string& name : alb.ingresses) {
    auto ingress = objects.find(balanced_ingress_key(rollout, name));
    const Json* rules = ingress == objects.end() ? nullptr : find(ingress->second, {"spec", "rules"});
    for (size_t i = 0; rules && rules->is_array() && i < rules->size(); ++i)
      for (const Json& path : paths_of((*rules)[i]))
        if (!route_of_path(rollout, path).empty()) return true;
  }
  return false;
}

Json with_managed_paths_of(const AlbRouting& alb, const Rollout& rollout, const Json& live, Json object) {
  const Json* rules = find(object, {"spec", "rules"});
  const Json* live_rules = find(live, {"spec", "rules"});
  if (!rules || !rules->is_array() || !live_rules || !live_rules->is_array()) return object;
  for (size_t i = 0; i < std::min(rules->size(), live_rules->size()); ++i) {
    Json paths = Json::array();
    for (const Json& path : paths_of((*live_rules)[i]))
      if (!route_of_path(rollout, path).empty()) paths.push_back(path);
    if (paths.empty()) continue;
    for (const Json& path : paths_of((*rules)[i])) paths.push_back(path);
    object["spec"]["rules"][i]["http"]["paths"] = std::move(paths);
  }
  for (const std::string& name : rollout.routing.managed_routes)
    for (const char* part : {"/actions.", "/conditions."}) {
      const std::string annotation = alb.annotation_prefix + part + name;
      if (const Json* text = find(live, {"metadata", "annotations", annotation}))
        object["metadata"]["annotations"][annotation] = *text;
    }
  return object;
}

Result<std::vector<Split>> read_splits(const AlbRouting& alb, const Rollout& rollout, const RouteObjects& objects,
                                       const Traffic& sides) {
  std::vector<Split> out;
  for (const std::string& name : alb.ingresses) {
    auto ingress = objects.find(balanced_ingress_key(rollout, name));
    if (ingress == objects.end()) continue;
    if (auto fits = check_action_service(alb, ingress->first, ingress->second, sides); !fits) return fits.error();
    const Json action = live_action(ingress->second, action_annotation(alb, sides));
    Split split;
    const Json* groups = find(action, {"ForwardConfig", "TargetGroups"});
    for (size_t i = 0; groups && groups->is_array() && i < groups->size(); ++i) {
      const std::string service = text_at((*groups)[i], {"ServiceName"});
      const int64_t weight = reckoned_weight(integer_at((*groups)[i], {"Weight"}));
      const bool is_canary = service == sides.canary.service, is_stable = service == sides.stable.service;
      (is_canary ? split.canary : is_stable ? split.stable : split.others) += weight;
      // Nobody else writes into the action.
      if (!is_canary && !is_stable) split.experiments[service] += weight;
    }
    // Without an action yet the load balancer knows the stable Service at most.
    if (split == Split{}) split.stable = 100;
    out.push_back(split);
  }
  return out;
}

}  // namespace reconciler
