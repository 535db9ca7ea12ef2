#include "rollout/istio.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/action.h"

namespace reconciler {
namespace {

/// `checkout` of `checkout.shop.svc.cluster.local`.
std::string first_label(const std::string& host) { return host.substr(0, host.find('.')); }

std::string place(const Rollout& rollout) {
  return format("VirtualService {}/{}", rollout.istio.ns, rollout.istio.virtual_service);
}

/// The indices in spec.http of the routes that belong to the rollout: the named ones; else the only one; else the
/// first without a name.
Result<std::vector<size_t>> own_routes(const Json& object, const Rollout& rollout) {
  const Json* http = find(object, {"spec", "http"});
  if (!http || !http->is_array() || http->empty()) return invalid(place(rollout) + " has no HTTP routes");
  std::vector<size_t> found;
  for (const std::string& name : rollout.istio.routes) {
    auto route = std::find_if(http->begin(), http->end(), [&](const Json& r) { return text_at(r, {"name"}) == name; });
    if (route == http->end()) return invalid(format("{} has no HTTP route named \"{}\"", place(rollout), name));
    found.push_back(size_t(route - http->begin()));
  }
  if (!found.empty()) return found;
  if (http->size() == 1) return std::vector<size_t>{0};
  for (size_t i = 0; i < http->size(); ++i)
    if (text_at((*http)[i], {"name"}).empty()) return std::vector<size_t>{i};
  return invalid(format("{} has several named HTTP routes; list yours in trafficRouting.istio.virtualService.routes",
                        place(rollout)));
}

/// The positions of the two destinations in one route, and what the others weigh.
struct Destinations {
  size_t stable = 0;
  size_t canary = 0;
  int64_t others = 0;
};

Result<Destinations> destinations(const Json& route, const Rollout& rollout) {
  const Json* list = find(route, {"route"});
  std::optional<size_t> stable, canary;
  int64_t others = 0;
  for (size_t i = 0; list && list->is_array() && i < list->size(); ++i) {
    std::string host = first_label(text_at((*list)[i], {"destination", "host"}));
    if (host == rollout.stable_service && !stable) {
      stable = i;
    } else if (host == rollout.canary_service && !canary) {
      canary = i;
    } else {
      others += integer_at((*list)[i], {"weight"}).value_or(0);
    }
  }
  for (const auto& [role, at] : {std::pair(rollout.stable_service, stable), std::pair(rollout.canary_service, canary)})
    if (!at)
      return invalid(format("{}: route \"{}\" has no destination {}", place(rollout), text_at(route, {"name"}), role));
  return Destinations{*stable, *canary, others};
}

int64_t weight_of(const Json& route, size_t destination) {
  return integer_at(route["route"][destination], {"weight"}).value_or(0);
}

void set_weight(Json& route, size_t destination, int64_t weight) {
  // An absent weight already means 0: writing it out would be a change without a difference.
  if (weight_of(route, destination) != weight) route["route"][destination]["weight"] = weight;
}

}  // namespace

Result<Json> with_canary_weight(const Json& object, const Rollout& rollout, int weight) {
  auto routes = own_routes(object, rollout);
  if (!routes) return routes.error();
  Json out = object;
  for (size_t index : *routes) {
    Json& route = out["spec"]["http"][index];
    auto at = destinations(route, rollout);
    if (!at) return at.error();
    if (at->others + weight > 100)
      return invalid(format("{}: other destinations of route \"{}\" weigh {}, which leaves no room for {} % canary",
                            place(rollout), text_at(route, {"name"}), at->others, weight));
    set_weight(route, at->stable, 100 - weight - at->others);
    set_weight(route, at->canary, weight);
  }
  return out;
}

Result<int> canary_weight(const Json& object, const Rollout& rollout) {
  auto routes = own_routes(object, rollout);
  if (!routes) return routes.error();
  int64_t highest = 0;
  for (size_t index : *routes) {
    const Json& route = object["spec"]["http"][index];
    auto at = destinations(route, rollout);
    if (!at) return at.error();
    highest = std::max(highest, weight_of(route, at->canary));
  }
  return int(std::min<int64_t>(highest, 100));
}

bool weights_sum_to_100(const Json& object, const Rollout& rollout) {
  auto routes = own_routes(object, rollout);
  if (!routes) return false;
  for (size_t index : *routes) {
    const Json& route = object["spec"]["http"][index];
    int64_t sum = 0;
    for (size_t i = 0; i < route["route"].size(); ++i) sum += weight_of(route, i);
    if (sum != 100) return false;
  }
  return true;
}

Json with_rejected_mark(const Json& object, const std::string& hash) {
  Json out = object;
  Json& metadata = out["metadata"];
  if (!hash.empty()) {
    metadata["annotations"][std::string(kRejectedAnnotation)] = hash;
  } else if (metadata.contains("annotations") && metadata["annotations"].is_object()) {
    metadata["annotations"].erase(std::string(kRejectedAnnotation));
    if (metadata["annotations"].empty() && !rejected_mark(object).empty()) metadata.erase("annotations");
  }
  return out;
}

std::string rejected_mark(const Json& object) {
  return text_at(object, {"metadata", "annotations", kRejectedAnnotation});
}

}  // namespace reconciler
