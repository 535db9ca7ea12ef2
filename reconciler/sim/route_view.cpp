#include "sim/route_view.h"

#include <algorithm>

#include "base/check.h"
#include "rollout/action.h"

namespace reconciler {
namespace {

/// Where the name of a destination stands in one kind of list.
enum class NamedBy { HostOrSubset, Name, Service, ServiceName, UpperServiceName };

std::string destination_name(const Json& item, NamedBy by) {
  switch (by) {
    case NamedBy::HostOrSubset: {
      const std::string subset = text_at(item, {"destination", "subset"});
      return subset.empty() ? text_at(item, {"destination", "host"}) : subset;
    }
    case NamedBy::Name: return text_at(item, {"name"});
    case NamedBy::Service: return text_at(item, {"service"});
    case NamedBy::ServiceName: return text_at(item, {"serviceName"});
    case NamedBy::UpperServiceName: return text_at(item, {"ServiceName"});
  }
  unreachable();
}

/// Nothing when the list does not lead to both.
std::optional<RouteShare> share_in(const Json* list, NamedBy by, const RolloutKey& app) {
  if (!list || !list->is_array()) return std::nullopt;
  RouteShare out;
  bool has_first = false, has_second = false;
  for (const Json& item : *list) {
    const std::string name = destination_name(item, by);
    const int weight = int(integer_at(item, {by == NamedBy::UpperServiceName ? "Weight" : "weight"}).value_or(0));
    const bool first = name == app.name || name == "stable", second = name == app.name + "-canary" || name == "canary";
    (first ? out.first : second ? out.second : out.others) += weight;
    if (!first && !second) out.further[name] += weight;
    has_first = has_first || first;
    has_second = has_second || second;
  }
  return has_first && has_second ? std::optional(out) : std::nullopt;
}

/// The share in each item of a list of routes.
std::vector<RouteShare> shares_of_each(const Json* routes, const char* member, NamedBy by, const RolloutKey& app) {
  std::vector<RouteShare> out;
  for (size_t i = 0; routes && routes->is_array() && i < routes->size(); ++i)
    if (auto share = share_in(find((*routes)[i], {member}), by, app)) out.push_back(*share);
  return out;
}

int annotated_number(const Json& object, const std::string& name, int absent) {
  const std::string annotation = "nginx.ingress.kubernetes.io/" + name;
  auto number = parse_json(text_at(object, {"metadata", "annotations", annotation}, std::to_string(absent)));
  return number ? int(integer_at(*number, {}).value_or(absent)) : absent;
}

std::vector<RouteShare> shares_in_ingress(const Json& object, const RolloutKey& app) {
  if (text_at(object, {"metadata", "annotations", "nginx.ingress.kubernetes.io/canary"}) == "true") {
    const int weight = annotated_number(object, "canary-weight", 0);
    return {{annotated_number(object, "canary-weight-total", 100) - weight, weight, 0}};
  }
  const std::string annotation = "alb.ingress.kubernetes.io/actions." + app.name;
  auto action = parse_json(text_at(object, {"metadata", "annotations", annotation}, "null"));
  const Json* groups = action ? find(*action, {"ForwardConfig", "TargetGroups"}) : nullptr;
  const auto share = share_in(groups, NamedBy::UpperServiceName, app);
  return share ? std::vector<RouteShare>{*share} : std::vector<RouteShare>{};
}

}  // namespace

const std::vector<RouteKind>& route_kinds_known() {
  static const std::vector<RouteKind> all = {
      {"networking.istio.io/v1", "VirtualService"},   {"networking.istio.io/v1", "DestinationRule"},
      {"gateway.networking.k8s.io/v1", "HTTPRoute"},  {"networking.k8s.io/v1", "Ingress"},
      {"split.smi-spec.io/v1alpha1", "TrafficSplit"}, {"traefik.io/v1alpha1", "TraefikService"},
      {"apisix.apache.org/v2", "ApisixRoute"},        {"getambassador.io/v2", "Mapping"}};
  return all;
}

bool is_route_kind(const std::string& kind) {
  const auto& all = route_kinds_known();
  return std::any_of(all.begin(), all.end(), [&](const RouteKind& known) { return known.kind == kind; });
}

std::vector<std::string> route_names(const RolloutKey& app) {
  return {app.name, app.name + "-edge", app.name + "-canary", app.name + "-" + app.name + "-canary",
          app.name + "-testers"};
}

bool is_header_route(const Json& object) {
  return text_at(object, {"kind"}) == "ApisixRoute" && text_at(object, {"metadata", "name"}).ends_with("-testers");
}

RolloutKey app_of_route(const Json& object) {
  std::string name = text_at(object, {"metadata", "labels", kRolloutLabel});
  if (name.empty()) {
    name = text_at(object, {"metadata", "name"});
    if (name.ends_with("-edge")) name.resize(name.size() - std::string("-edge").size());
  }
  return {text_at(object, {"metadata", "namespace"}), name};
}

std::vector<RouteShare> shares_in(const Json& object, const RolloutKey& app) {
  const std::string kind = text_at(object, {"kind"});
  if (kind == "Ingress") return shares_in_ingress(object, app);
  if (kind == "TrafficSplit") {
    auto share = share_in(find(object, {"spec", "backends"}), NamedBy::Service, app);
    return share ? std::vector<RouteShare>{*share} : std::vector<RouteShare>{};
  }
  if (kind == "TraefikService") {
    auto share = share_in(find(object, {"spec", "weighted", "services"}), NamedBy::Name, app);
    return share ? std::vector<RouteShare>{*share} : std::vector<RouteShare>{};
  }
  if (kind == "Mapping") {
    const int weight = int(integer_at(object, {"spec", "weight"}).value_or(0));
    return {{100 - weight, weight, 0}};
  }
  if (kind == "HTTPRoute") return shares_of_each(find(object, {"spec", "rules"}), "backendRefs", NamedBy::Name, app);
  if (kind == "ApisixRoute")
    return shares_of_each(find(object, {"spec", "http"}), "backends", NamedBy::ServiceName, app);
  std::vector<RouteShare> out;
  for (const char* protocol : {"http", "tls", "tcp"})
    for (const RouteShare& share :
         shares_of_each(find(object, {"spec", protocol}), "route", NamedBy::HostOrSubset, app))
      out.push_back(share);
  return out;
}

std::pair<std::string, std::string> subset_hashes(const Json& object) {
  std::pair<std::string, std::string> out;
  const Json* subsets = find(object, {"spec", "subsets"});
  for (size_t i = 0; subsets && subsets->is_array() && i < subsets->size(); ++i) {
    const std::string name = text_at((*subsets)[i], {"name"});
    const std::string hash = text_at((*subsets)[i], {"labels", kHashLabel});
    if (name == "stable") out.first = hash;
    if (name == "canary") out.second = hash;
  }
  return out;
}

namespace {

std::string extra_rule_target(const Json& route) {
  const Json* rules = find(route, {"spec", "rules"});
  for (size_t i = 0; rules && rules->is_array() && i < rules->size(); ++i) {
    const Json& rule = (*rules)[i];
    if (text_at(rule, {"name"}) == "testers") return text_at(rule["backendRefs"][0], {"name"});
    if (text_at(rule, {"name"}) == "shadow")
      return text_at(rule["filters"].back(), {"requestMirror", "backendRef", "name"});
  }
  return "";
}

}  // namespace

std::string extra_route_target(const Json& object) {
  if (text_at(object, {"kind"}) == "Ingress") {
    const auto action =
        parse_json(text_at(object, {"metadata", "annotations", "alb.ingress.kubernetes.io/actions.testers"}, "null"));
    const Json* groups = action ? find(*action, {"ForwardConfig", "TargetGroups"}) : nullptr;
    return groups && !groups->empty() ? text_at(groups->front(), {"ServiceName"}) : "";
  }
  const Json* http = find(object, {"spec", "http"});
  if (is_header_route(object)) return http ? text_at((*http)[0]["backends"][0], {"serviceName"}) : "";
  if (text_at(object, {"kind"}) == "HTTPRoute") return extra_rule_target(object);
  for (size_t i = 0; http && http->is_array() && i < http->size(); ++i) {
    const Json& route = (*http)[i];
    const std::string name = text_at(route, {"name"});
    if (name != "testers" && name != "shadow") continue;
    const Json destination = route.contains("mirror") ? route["mirror"] : route["route"][0]["destination"];
    const std::string subset = text_at(destination, {"subset"});
    return subset.empty() ? text_at(destination, {"host"}) : subset;
  }
  return "";
}

}  // namespace reconciler
