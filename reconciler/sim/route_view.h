// What the objects of routers really do with traffic, read from the objects alone: no engine.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "rollout/rollout.h"
#include "sim/store.h"

namespace reconciler {

/// A kind of objects that may share the traffic of a simulated app.
struct RouteKind {
  const char* api_version;
  const char* kind;
};

/// All of them.
const std::vector<RouteKind>& route_kinds_known();
bool is_route_kind(const std::string& kind);

/// The app whose traffic this object shares.
RolloutKey app_of_route(const Json& object);

/// The names that objects of an app's routers may have.
std::vector<std::string> route_names(const RolloutKey& app);

/// How one route of an object shares traffic between the first Service (or subset) of an app and its second.
struct RouteShare {
  int first = 0;
  int second = 0;
  int others = 0;
  std::map<std::string, int> further = {};  ///< the others by name
};

/// Each route in `object` that leads to both; an Ingress that leads to the first alone has all its traffic there.
std::vector<RouteShare> shares_in(const Json& object, const RolloutKey& app);

/// The hashes of the subsets `stable` and `canary` of a DestinationRule.
std::pair<std::string, std::string> subset_hashes(const Json& object);

/// Is it an ApisixRoute that a step made? It comes and goes by itself.
bool is_header_route(const Json& object);

/// Where the first header or mirror route in it leads: a Service, or the name of a subset; empty without one.
std::string extra_route_target(const Json& object);

}  // namespace reconciler
