#include "daemon/kept_routes.h"

#include <algorithm>
#include <vector>

#include "rollout/action.h"
#include "rollout/routing_istio.h"

namespace reconciler {
namespace {

constexpr const char* kProtocols[] = {"http", "tls", "tcp"};

/// The list at spec.<name>; an empty one when there is none.
const Json& list_at(const Json& object, std::string_view name) {
  static const Json kNone = Json::array();
  const Json* list = find(object, {"spec", name});
  return list && list->is_array() ? *list : kNone;
}

/// The destinations of a route, in order: host, and subset behind a slash.
std::vector<std::string> places_of(const Json& route) {
  std::vector<std::string> out;
  const Json* list = find(route, {"route"});
  if (!list || !list->is_array()) return out;
  for (const Json& each : *list)
    out.push_back(first_label(text_at(each, {"destination", "host"})) + "/" + text_at(each, {"destination", "subset"}));
  return out;
}

bool leads_to(const Json& route, const std::set<std::string>& services) {
  const auto places = places_of(route);
  return std::any_of(places.begin(), places.end(),
                     [&](const std::string& place) { return services.contains(place.substr(0, place.find('/'))); });
}

/// The live route that stands for this one: of the same name (or also without) and to the same places; else null.
const Json* counterpart(const Json& route, const Json& live_routes) {
  for (const Json& candidate : live_routes)
    if (text_at(candidate, {"name"}) == text_at(route, {"name"}) && places_of(candidate) == places_of(route))
      return &candidate;
  return nullptr;
}

bool is_named_in(const Json& routes, const std::string& name) {
  return std::any_of(routes.begin(), routes.end(), [&](const Json& r) { return text_at(r, {"name"}) == name; });
}

void keep_weights(Json& route, const Json& live_routes) {
  const Json* same = counterpart(route, live_routes);
  if (!same) return;
  for (size_t i = 0; i < route["route"].size(); ++i)
    if (auto weight = integer_at((*same)["route"][i], {"weight"})) route["route"][i]["weight"] = *weight;
}

/// Routes that steps put before the manifest's own.
Json extra_routes(const Json& live_http, const Json& http, const std::set<std::string>& managed) {
  Json out = Json::array();
  for (const Json& route : live_http) {
    const std::string name = text_at(route, {"name"});
    if (!name.empty() && !is_named_in(http, name) && leads_to(route, managed)) out.push_back(route);
  }
  return out;
}

}  // namespace

std::set<std::string> destination_hosts(const Json& live) {
  std::set<std::string> out;
  if (text_at(live, {"kind"}) != "VirtualService") return out;
  for (const char* protocol : kProtocols)
    for (const Json& route : list_at(live, protocol))
      for (const std::string& place : places_of(route)) out.insert(place.substr(0, place.find('/')));
  return out;
}

Json with_kept_routes(Json manifest, const Json& live, const std::set<std::string>& managed) {
  if (managed.empty() || text_at(live, {"kind"}) != "VirtualService") return manifest;
  for (const char* protocol : kProtocols) {
    if (list_at(manifest, protocol).empty()) continue;
    for (Json& route : manifest["spec"][protocol])
      if (leads_to(route, managed)) keep_weights(route, list_at(live, protocol));
  }
  if (list_at(manifest, "http").empty()) return manifest;
  Json http = extra_routes(list_at(live, "http"), list_at(manifest, "http"), managed);
  for (const Json& route : list_at(manifest, "http")) http.push_back(route);
  manifest["spec"]["http"] = std::move(http);
  return manifest;
}

Json with_kept_subsets(Json manifest, const Json& live) {
  const bool managed = !text_at(live, {"metadata", "annotations", kManagedByAnnotation}).empty();
  if (!managed || text_at(live, {"kind"}) != "DestinationRule" || list_at(manifest, "subsets").empty()) return manifest;
  for (Json& subset : manifest["spec"]["subsets"])
    for (const Json& same : list_at(live, "subsets"))
      if (text_at(same, {"name"}) == text_at(subset, {"name"}))
        if (std::string hash = text_at(same, {"labels", kHashLabel}); !hash.empty())
          subset["labels"][std::string(kHashLabel)] = hash;
  return manifest;
}

}  // namespace reconciler
