#include "rollout/istio_managed_routes.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/routing_istio.h"

namespace reconciler {
namespace {

Json string_match_json(const StringMatch& match) { return {{match.how, match.value}}; }

/// The port of the first destination of the route that a managed one stands before; null when it names none.
Json first_port(const Json& source) {
  const Json* destinations = find(source, {"route"});
  if (!destinations || !destinations->is_array() || destinations->empty()) return nullptr;
  auto number = integer_at((*destinations)[0], {"destination", "port", "number"});
  return number ? Json{{"number", *number}} : Json();
}

Json with_port(Json destination, const Json& source) {
  if (Json port = first_port(source); !port.is_null()) destination["port"] = std::move(port);
  return destination;
}

Json header_route(const SetHeaderRoute& step, const Json& source, const Json& canary) {
  Json matches = Json::array();
  for (const SetHeaderRoute::Match& match : step.matches)
    matches.push_back({{"headers", {{match.header, string_match_json(match.value)}}}});
  return {{"name", step.name},
          {"match", std::move(matches)},
          {"route", Json::array({{{"destination", with_port(canary, source)}, {"weight", 100}}})}};
}

Json mirror_match(const SetMirrorRoute::Match& match) {
  Json out = Json::object();
  if (match.method) out["method"] = string_match_json(*match.method);
  if (match.path) out["uri"] = string_match_json(*match.path);
  for (const auto& [header, value] : match.headers) out["headers"][header] = string_match_json(value);
  return out;
}

Json mirror_route(const SetMirrorRoute& step, const Json& source, const Json& canary) {
  Json matches = Json::array();
  for (const SetMirrorRoute::Match& match : step.matches) matches.push_back(mirror_match(match));
  return {{"name", step.name},
          {"match", std::move(matches)},
          {"route", source.value("route", Json::array())},
          {"mirror", with_port(canary, source)},
          {"mirrorPercentage", {{"value", step.percentage}}}};
}

Json managed_route_json(const ManagedRoute& step, const Json& source, const Json& canary) {
  if (const auto* header = std::get_if<SetHeaderRoute>(&step)) return header_route(*header, source, canary);
  return mirror_route(std::get<SetMirrorRoute>(step), source, canary);
}

/// `http` without managed routes, behind `first`.
Json before_the_others(const Rollout& rollout, Json first, const Json& http) {
  for (const Json& route : http)
    if (!is_managed_route(rollout, route)) first.push_back(route);
  return first;
}

}  // namespace

bool is_managed_route(const Rollout& rollout, const Json& route) {
  const auto& names = rollout.routing.managed_routes;
  return std::find(names.begin(), names.end(), text_at(route, {"name"})) != names.end();
}

Result<Json> canary_destination(const IstioRouting& istio, const Rollout& rollout, const RouteObjects& objects,
                                const Traffic& sides) {
  if (!istio.destination_rule) return Json{{"host", sides.canary.service}};
  const ObjectKey key{"networking.istio.io", "DestinationRule", rollout.key.ns, istio.destination_rule->name};
  auto rule = objects.find(key);
  const std::string host = rule == objects.end() ? "" : text_at(rule->second, {"spec", "host"});
  // Only a managed route needs the host, and there are none before the rule has been seen.
  if (host.empty() && sides.managed.empty()) return Json::object();
  if (host.empty()) return invalid(format("DestinationRule {}/{} names no host", key.ns, key.name));
  return Json{{"host", host}, {"subset", istio.destination_rule->canary_subset}};
}

Json with_managed_routes(const Rollout& rollout, const Json& http, size_t source, const Json& canary,
                         const std::vector<ManagedRoute>& wanted) {
  Json first = Json::array();
  for (const std::string& name : rollout.routing.managed_routes)
    for (const ManagedRoute& step : wanted)
      if (name_of(step) == name) first.push_back(managed_route_json(step, http.at(source), canary));
  return before_the_others(rollout, std::move(first), http);
}

Json with_managed_routes_of(const Rollout& rollout, const Json& live, Json object) {
  const Json* live_http = find(live, {"spec", "http"});
  const Json* http = find(object, {"spec", "http"});
  if (!live_http || !live_http->is_array() || !http || !http->is_array()) return object;
  Json first = Json::array();
  for (const Json& route : *live_http)
    if (is_managed_route(rollout, route)) first.push_back(route);
  Json all = before_the_others(rollout, std::move(first), *http);
  object["spec"]["http"] = std::move(all);
  return object;
}

}  // namespace reconciler
