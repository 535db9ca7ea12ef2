#include "rollout/routing_istio.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "rollout/istio_managed_routes.h"

namespace reconciler {
namespace {

/// One VirtualService of the rollout, as it is read or rewritten.
struct Place {
  const IstioRouting& istio;
  const IstioVirtualService& service;
  const Rollout& rollout;

  std::string text() const { return format("VirtualService {}/{}", service.ns, service.name); }
};

/// A route in spec: `http`, `tls` or `tcp`, and where in that list.
struct RouteIndex {
  std::string protocol;
  size_t index = 0;
};

ObjectKey key_of_service(const IstioVirtualService& service) {
  return {"networking.istio.io", "VirtualService", service.ns, service.name};
}

std::string route_text(const Json& route, const RouteIndex& at) {
  const std::string name = text_at(route, {"name"});
  return name.empty() ? format("{} route {}", at.protocol, at.index) : format("route \"{}\"", name);
}

const Json* routes_of(const Json& object, std::string_view protocol) {
  const Json* routes = find(object, {"spec", protocol});
  return routes && routes->is_array() && !routes->empty() ? routes : nullptr;
}

/// The named HTTP routes; else the only one; else the only one without a name. Routes that we made do not count.
Result<std::vector<RouteIndex>> http_routes(const Json& http, const Place& place) {
  std::vector<RouteIndex> found;
  for (const std::string& name : place.service.routes) {
    auto route = std::find_if(http.begin(), http.end(), [&](const Json& r) { return text_at(r, {"name"}) == name; });
    if (route == http.end()) return invalid(format("{} has no HTTP route named \"{}\"", place.text(), name));
    found.push_back({"http", size_t(route - http.begin())});
  }
  if (!found.empty()) return found;
  std::vector<size_t> theirs;
  for (size_t i = 0; i < http.size(); ++i)
    if (!is_managed_route(place.rollout, http[i])) theirs.push_back(i);
  if (theirs.empty()) return invalid(place.text() + " has no HTTP route beside the managed ones");
  auto unnamed = [&](size_t i) { return text_at(http[i], {"name"}).empty(); };
  if (theirs.size() == 1) return std::vector<RouteIndex>{{"http", theirs.front()}};
  const auto first = std::find_if(theirs.begin(), theirs.end(), unnamed);
  const auto several = std::count_if(theirs.begin(), theirs.end(), unnamed) > 1;
  if (first == theirs.end() || several)
    return invalid(format("{} has several {} HTTP routes; list yours in trafficRouting.istio.virtualService.routes",
                          place.text(), several ? "unnamed" : "named"));
  return std::vector<RouteIndex>{{"http", *first}};
}

std::set<int64_t> ports_of(const Json& route) {
  std::set<int64_t> out;
  if (const Json* matches = find(route, {"match"}); matches && matches->is_array())
    for (const Json& match : *matches) out.insert(integer_at(match, {"port"}).value_or(0));
  return out;
}

std::set<std::string> sni_hosts_of(const Json& route) {
  std::set<std::string> out;
  if (const Json* matches = find(route, {"match"}); matches && matches->is_array())
    for (const Json& match : *matches)
      if (const Json* hosts = find(match, {"sniHosts"}); hosts && hosts->is_array())
        for (const Json& host : *hosts)
          if (host.is_string()) out.insert(host.get<std::string>());
  return out;
}

bool has_port(const Json& route, int port) {
  const auto ports = ports_of(route);
  return ports.size() <= 1 && (ports.empty() ? 0 : *ports.begin()) == port;
}

/// The routes of `protocol` that fit the listed ones; the first when none is listed.
template <class Wanted, class Fits>
Result<std::vector<RouteIndex>> listed_routes(const Json& routes, const char* protocol, const Place& place,
                                              const std::vector<Wanted>& listed, Fits fits) {
  if (listed.empty()) return std::vector<RouteIndex>{{protocol, 0}};
  std::vector<RouteIndex> found;
  for (const Wanted& wanted : listed) {
    const size_t before = found.size();
    for (size_t i = 0; i < routes.size(); ++i)
      if (fits(routes[i], wanted)) found.push_back({protocol, i});
    if (found.size() == before) return invalid(format("{} has no {} route as listed", place.text(), protocol));
  }
  return found;
}

Result<std::vector<RouteIndex>> own_routes(const Json& object, const Place& place) {
  std::vector<RouteIndex> out;
  auto take = [&](const Result<std::vector<RouteIndex>>& found) -> Result<void> {
    if (!found) return found.error();
    out.insert(out.end(), found->begin(), found->end());
    return {};
  };
  const IstioVirtualService& service = place.service;
  if (const Json* http = routes_of(object, "http")) {
    if (auto taken = take(http_routes(*http, place)); !taken) return taken.error();
  } else if (!service.routes.empty()) {
    return invalid(place.text() + " has no HTTP routes");
  }
  const Json* tls = routes_of(object, "tls");
  const Json* tcp = routes_of(object, "tcp");
  if (!tls && !service.tls_routes.empty()) return invalid(place.text() + " has no tls routes");
  if (!tcp && !service.tcp_ports.empty()) return invalid(place.text() + " has no tcp routes");
  if (tls) {
    auto found = listed_routes(*tls, "tls", place, service.tls_routes, [](const Json& route, const TlsRoute& wanted) {
      const std::set<std::string> hosts(wanted.sni_hosts.begin(), wanted.sni_hosts.end());
      return has_port(route, wanted.port) && sni_hosts_of(route) == hosts;
    });
    if (auto taken = take(found); !taken) return taken.error();
  }
  if (tcp) {
    if (auto taken = take(listed_routes(*tcp, "tcp", place, service.tcp_ports, has_port)); !taken) return taken.error();
  }
  if (out.empty()) return invalid(place.text() + " has no routes");
  return out;
}

/// The positions of the two sides in one route, and what the others weigh.
struct Destinations {
  size_t stable = 0;
  size_t canary = 0;
  int64_t others = 0;
  std::map<std::string, int64_t> experiments;
};

/// Which side a destination is, by the name that this mode goes by.
std::string side_name(const Json& destination, const Place& place) {
  return place.istio.destination_rule ? text_at(destination, {"destination", "subset"})
                                      : first_label(text_at(destination, {"destination", "host"}));
}

/// `names`: destinations that are there for an experiment.
Result<Destinations> destinations(const Json& route, const RouteIndex& at, const Place& place, const Traffic& sides,
                                  const std::set<std::string>& names) {
  const auto& rule = place.istio.destination_rule;
  const std::string& stable_name = rule ? rule->stable_subset : sides.stable.service;
  const std::string& canary_name = rule ? rule->canary_subset : sides.canary.service;
  const Json* list = find(route, {"route"});
  std::optional<size_t> stable, canary;
  int64_t others = 0;
  std::map<std::string, int64_t> experiments;
  for (size_t i = 0; list && list->is_array() && i < list->size(); ++i) {
    const std::string name = side_name((*list)[i], place);
    if (name == stable_name && !stable) {
      stable = i;
    } else if (name == canary_name && !canary) {
      canary = i;
    } else {
      const int64_t weight = reckoned_weight(integer_at((*list)[i], {"weight"}));
      others += weight;
      if (names.contains(name)) experiments[name] += weight;
    }
  }
  for (const auto& [name, found] : {std::pair(stable_name, stable), std::pair(canary_name, canary)})
    if (!found)
      return invalid(format("{}: {} has no {} {}", place.text(), route_text(route, at),
                            rule ? "destination with subset" : "destination", name));
  return Destinations{*stable, *canary, others, std::move(experiments)};
}

int64_t destination_weight(const Json& route, size_t destination) {
  return reckoned_weight(integer_at(route["route"][destination], {"weight"}));
}

void set_destination_weight(Json& route, size_t destination, int64_t weight) {
  // An absent weight already means 0: writing it out would be a change without a difference.
  if (destination_weight(route, destination) != weight) route["route"][destination]["weight"] = weight;
}

/// The destination of an experiment: its Service, or in subset mode its subset of the same host.
Json experiment_destination(const ExperimentShare& share, const Json& stable, const Place& place) {
  Json to = {{"host", share.service}};
  if (place.istio.destination_rule)
    to = {{"host", text_at(stable, {"destination", "host"})}, {"subset", share.service}};
  return {{"destination", std::move(to)}, {"weight", share.weight}};
}

/// Exactly the wanted destinations of experiments, behind all others.
void write_experiments(Json& route, size_t stable, const std::set<std::string>& names, const Place& place,
                       const Traffic& traffic) {
  const Json at_stable = route["route"][stable];
  Json kept = Json::array(), ours = Json::array(), wanted = Json::array();
  for (const Json& destination : route["route"])
    (names.contains(side_name(destination, place)) ? ours : kept).push_back(destination);
  for (const ExperimentShare& share : traffic.experiments)
    wanted.push_back(experiment_destination(share, at_stable, place));
  if (ours == wanted) return;
  for (Json& destination : wanted) kept.push_back(std::move(destination));
  route["route"] = std::move(kept);
}

Result<void> write_route(Json& route, const RouteIndex& at, const Place& place, const Traffic& traffic,
                         const std::set<std::string>& names) {
  auto found = destinations(route, at, place, traffic, names);
  if (!found) return found.error();
  int64_t others = found->others;
  for (const auto& [name, weight] : found->experiments) others -= weight;
  if (place.rollout.routing.max_weight) others = 0;
  if (traffic.stable_weight() < others)
    return invalid(format("{}: other destinations of {} weigh {}, which leaves no room for {} % canary", place.text(),
                          route_text(route, at), others, traffic.whole - traffic.stable_weight()));
  set_destination_weight(route, found->stable, traffic.stable_weight() - others);
  set_destination_weight(route, found->canary, traffic.weight);
  write_experiments(route, found->stable, names, place, traffic);
  return {};
}

/// The HTTP route that the managed ones take their destinations from.
const RouteIndex* primary(const std::vector<RouteIndex>& routes) {
  auto http = std::find_if(routes.begin(), routes.end(), [](const RouteIndex& at) { return at.protocol == "http"; });
  return http == routes.end() ? nullptr : &*http;
}

Result<void> write_service(Json& object, const Place& place, const RouteObjects& objects, const Traffic& traffic) {
  auto routes = own_routes(object, place);
  if (!routes) return routes.error();
  std::set<std::string> names = experiment_names(object), wanted;
  for (const ExperimentShare& share : traffic.experiments) wanted.insert(share.service);
  names.insert(wanted.begin(), wanted.end());
  for (const RouteIndex& at : *routes) {
    auto written = write_route(object["spec"][at.protocol][at.index], at, place, traffic, names);
    if (!written) return written.error();
  }
  object = with_experiment_names(object, wanted);
  const RouteIndex* source = primary(*routes);
  if (!source && traffic.managed.empty()) return {};
  if (!source) return invalid(place.text() + " has no HTTP route that a header or mirror route could stand before");
  auto side = canary_destination(place.istio, place.rollout, objects, traffic);
  if (!side) return side.error();
  object["spec"]["http"] =
      with_managed_routes(place.rollout, object["spec"]["http"], source->index, *side, traffic.managed);
  return {};
}

/// Mirror routes carry weights of their own, copied from the route they stand before.
std::vector<RouteIndex> mirror_routes(const Json& object, const Place& place) {
  std::vector<RouteIndex> out;
  if (const Json* http = routes_of(object, "http"))
    for (size_t i = 0; i < http->size(); ++i)
      if (is_managed_route(place.rollout, (*http)[i]) && (*http)[i].contains("mirror")) out.push_back({"http", i});
  return out;
}

}  // namespace

std::string first_label(const std::string& host) { return host.substr(0, host.find('.')); }

std::vector<RouteObject> objects_of(const IstioRouting& istio, const Rollout& rollout) {
  std::vector<RouteObject> out;
  for (const IstioVirtualService& service : istio.virtual_services)
    out.push_back({key_of_service(service), RouteUse::Weights});
  if (istio.destination_rule)
    out.push_back({{"networking.istio.io", "DestinationRule", rollout.key.ns, istio.destination_rule->name},
                   RouteUse::Revisions});
  return out;
}

Result<RouteObjects> write_weights(const IstioRouting& istio, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic) {
  for (const IstioVirtualService& service : istio.virtual_services) {
    auto object = objects.find(key_of_service(service));
    if (object == objects.end()) continue;
    auto written = write_service(object->second, {istio, service, rollout}, objects, traffic);
    if (!written) return written.error();
  }
  return objects;
}

Result<std::vector<Split>> read_splits(const IstioRouting& istio, const Rollout& rollout, const RouteObjects& objects,
                                       const Traffic& sides) {
  std::vector<Split> out;
  for (const IstioVirtualService& service : istio.virtual_services) {
    auto object = objects.find(key_of_service(service));
    if (object == objects.end()) continue;
    const Place place{istio, service, rollout};
    auto routes = own_routes(object->second, place);
    if (!routes) return routes.error();
    const size_t own = routes->size();
    const std::set<std::string> names = experiment_names(object->second);
    for (const RouteIndex& at : mirror_routes(object->second, place)) routes->push_back(at);
    for (const RouteIndex& at : *routes) {
      const Json& route = object->second["spec"][at.protocol][at.index];
      auto found = destinations(route, at, place, sides, names);
      // Somebody else's route under the name of a managed one is about to go.
      if (!found && size_t(&at - routes->data()) >= own) continue;
      if (!found) return found.error();
      out.push_back({destination_weight(route, found->stable), destination_weight(route, found->canary), found->others,
                     std::move(found->experiments)});
    }
  }
  return out;
}

bool has_managed_route(const IstioRouting& istio, const Rollout& rollout, const RouteObjects& objects) {
  for (const IstioVirtualService& service : istio.virtual_services)
    if (auto object = objects.find(key_of_service(service)); object != objects.end())
      if (const Json* http = routes_of(object->second, "http"))
        if (std::any_of(http->begin(), http->end(), [&](const Json& r) { return is_managed_route(rollout, r); }))
          return true;
  return false;
}

}  // namespace reconciler
