#include "daemon/kept_routes.h"

#include <algorithm>
#include <vector>

#include "rollout/action.h"
#include "rollout/routing_istio.h"

namespace reconciler {
namespace {

/// A kind that shares traffic, and where in it: `routes` (a list in spec, or one map) have lists of destinations.
struct RouteForm {
  std::string_view kind;
  std::string_view routes;
  std::string_view list;
  std::string_view name;  ///< of a destination; empty: Istio's
};

constexpr RouteForm kForms[] = {{"VirtualService", "http", "route", ""},
                                {"VirtualService", "tls", "route", ""},
                                {"VirtualService", "tcp", "route", ""},
                                {"HTTPRoute", "rules", "backendRefs", "name"},
                                {"GRPCRoute", "rules", "backendRefs", "name"},
                                {"TCPRoute", "rules", "backendRefs", "name"},
                                {"TLSRoute", "rules", "backendRefs", "name"},
                                {"TraefikService", "weighted", "services", "name"},
                                {"ApisixRoute", "http", "backends", "serviceName"}};

constexpr std::string_view kActions = "/actions.";

std::vector<RouteForm> forms_of(const Json& object) {
  std::vector<RouteForm> out;
  for (const RouteForm& form : kForms)
    if (text_at(object, {"kind"}) == form.kind) out.push_back(form);
  return out;
}

/// The routes at spec.<name>, also where it is a single one; an empty list when there is none.
Json routes_at(const Json& object, std::string_view name) {
  const Json* routes = find(object, {"spec", name});
  if (!routes) return Json::array();
  return routes->is_array() ? *routes : Json::array({*routes});
}

const Json& list_at(const Json& object, std::string_view name) {
  static const Json kNone = Json::array();
  const Json* list = find(object, {name});
  return list && list->is_array() ? *list : kNone;
}

/// The Service that a destination leads to, by its first label.
std::string service_of(const Json& destination, const RouteForm& form) {
  return form.name.empty() ? first_label(text_at(destination, {"destination", "host"}))
                           : text_at(destination, {form.name});
}

/// The destinations of a route, in order: Service, and subset behind a slash; but for those in `experiments`.
std::vector<std::string> places_of(const Json& route, const RouteForm& form, const std::set<std::string>& experiments) {
  std::vector<std::string> out;
  for (const Json& each : list_at(route, form.list)) {
    const std::string service = service_of(each, form), subset = text_at(each, {"destination", "subset"});
    if (!experiments.contains(subset.empty() ? service : subset)) out.push_back(service + "/" + subset);
  }
  return out;
}

bool leads_to(const Json& route, const RouteForm& form, const std::set<std::string>& services) {
  const Json& list = list_at(route, form.list);
  return std::any_of(list.begin(), list.end(),
                     [&](const Json& each) { return services.contains(service_of(each, form)); });
}

/// The live route that stands for this one: of the same name (or also without) and to the same places; else null.
const Json* counterpart(const Json& route, const Json& live_routes, const RouteForm& form,
                        const std::set<std::string>& experiments) {
  const auto places = places_of(route, form, {});
  for (const Json& candidate : live_routes)
    if (text_at(candidate, {"name"}) == text_at(route, {"name"}) && places_of(candidate, form, experiments) == places)
      return &candidate;
  return nullptr;
}

bool is_named_in(const Json& routes, const std::string& name) {
  return std::any_of(routes.begin(), routes.end(), [&](const Json& r) { return text_at(r, {"name"}) == name; });
}

void keep_weights(Json& route, const Json& live_routes, const RouteForm& form,
                  const std::set<std::string>& experiments) {
  const Json* same = counterpart(route, live_routes, form, experiments);
  if (!same) return;
  const std::string list(form.list);
  size_t own = 0;
  for (const Json& live : list_at(*same, form.list)) {
    const std::string service = service_of(live, form), subset = text_at(live, {"destination", "subset"});
    if (experiments.contains(subset.empty() ? service : subset)) {
      route[list].push_back(live);
      continue;
    }
    if (auto weight = integer_at(live, {"weight"})) route[list][own]["weight"] = *weight;
    ++own;
  }
}

/// Routes that steps put before the manifest's own.
Json extra_routes(const Json& live_routes, const Json& routes, const RouteForm& form,
                  const std::set<std::string>& managed) {
  Json out = Json::array();
  for (const Json& route : live_routes) {
    const std::string name = text_at(route, {"name"});
    if (!name.empty() && !is_named_in(routes, name) && leads_to(route, form, managed)) out.push_back(route);
  }
  return out;
}

/// The manifest's routes behind those of `live` that steps made.
Json with_extra_routes(Json manifest, const Json& live, const RouteForm& form, const std::set<std::string>& managed) {
  const std::string list(form.routes);
  const Json own = routes_at(manifest, list);
  Json all = extra_routes(routes_at(live, list), own, form, managed);
  if (own.empty() || all.empty()) return manifest;
  for (const Json& route : own) all.push_back(route);
  manifest["spec"][list] = std::move(all);
  const std::string written = text_at(live, {"metadata", "annotations", kManagedRulesAnnotation});
  if (!written.empty()) manifest["metadata"]["annotations"][std::string(kManagedRulesAnnotation)] = written;
  return manifest;
}

/// The Services in the forward actions of an ALB Ingress, by annotation.
std::map<std::string, std::set<std::string>> actions_in(const Json& ingress) {
  std::map<std::string, std::set<std::string>> out;
  const Json* annotations = find(ingress, {"metadata", "annotations"});
  if (!annotations || !annotations->is_object() || text_at(ingress, {"kind"}) != "Ingress") return out;
  for (const auto& [name, value] : annotations->items()) {
    if (name.find(kActions) == name.npos || !value.is_string()) continue;
    const auto action = parse_json(value.get<std::string>());
    if (!action) continue;
    if (const Json* groups = find(*action, {"ForwardConfig", "TargetGroups"}); groups && groups->is_array())
      for (const Json& group : *groups) out[name].insert(text_at(group, {"ServiceName"}));
  }
  return out;
}

Json with_kept_actions(Json manifest, const Json& live, const std::set<std::string>& managed) {
  for (const auto& [name, services] : actions_in(live))
    if (std::any_of(services.begin(), services.end(), [&](auto& service) { return managed.contains(service); }) &&
        find(manifest, {"metadata", "annotations", name}))
      manifest["metadata"]["annotations"][name] = live["metadata"]["annotations"][name];
  return manifest;
}

}  // namespace

bool may_share_traffic(std::string_view kind) {
  return kind == "Ingress" ||
         std::any_of(std::begin(kForms), std::end(kForms), [&](auto& form) { return form.kind == kind; });
}

std::set<std::string> destination_services(const Json& live) {
  std::set<std::string> out;
  for (const RouteForm& form : forms_of(live))
    for (const Json& route : routes_at(live, form.routes))
      for (const Json& each : list_at(route, form.list)) out.insert(service_of(each, form));
  for (const auto& [name, services] : actions_in(live)) out.insert(services.begin(), services.end());
  return out;
}

Json with_kept_routes(Json manifest, const Json& live, const std::set<std::string>& managed) {
  if (managed.empty() || text_at(live, {"kind"}) != text_at(manifest, {"kind"})) return manifest;
  const std::set<std::string> experiments = experiment_names(live);
  for (const RouteForm& form : forms_of(live)) {
    const Json* routes = find(manifest, {"spec", form.routes});
    if (!routes) continue;
    Json& own = manifest["spec"][std::string(form.routes)];
    const Json live_routes = routes_at(live, form.routes);
    auto keep = [&](Json& route) {
      if (leads_to(route, form, managed)) keep_weights(route, live_routes, form, experiments);
    };
    if (own.is_array())
      for (Json& route : own) keep(route);
    else
      keep(own);
  }
  if (!experiments.empty()) manifest = with_experiment_names(manifest, experiments);
  manifest = with_kept_actions(std::move(manifest), live, managed);
  for (const RouteForm& form : forms_of(live))
    if (form.routes == "http" && form.list == "route")
      manifest = with_extra_routes(std::move(manifest), live, form, managed);
    else if (form.routes == "rules" && find(live, {"metadata", "annotations", kManagedRulesAnnotation}))
      manifest = with_extra_routes(std::move(manifest), live, form, managed);
  return manifest;
}

Json with_kept_subsets(Json manifest, const Json& live) {
  const bool managed = !text_at(live, {"metadata", "annotations", kManagedByAnnotation}).empty();
  if (!managed || text_at(live, {"kind"}) != "DestinationRule" || routes_at(manifest, "subsets").empty())
    return manifest;
  const std::set<std::string> experiments = experiment_names(live);
  const Json live_subsets = routes_at(live, "subsets");
  for (Json& subset : manifest["spec"]["subsets"])
    for (const Json& same : live_subsets)
      if (text_at(same, {"name"}) == text_at(subset, {"name"}))
        if (std::string hash = text_at(same, {"labels", kHashLabel}); !hash.empty())
          subset["labels"][std::string(kHashLabel)] = hash;
  for (const Json& subset : live_subsets)
    if (experiments.contains(text_at(subset, {"name"}))) manifest["spec"]["subsets"].push_back(subset);
  return experiments.empty() ? manifest : with_experiment_names(manifest, experiments);
}

}  // namespace reconciler
