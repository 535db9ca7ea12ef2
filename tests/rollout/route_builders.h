// Rollouts with one router each, and the objects of those routers, for tests of routing.
#pragma once

#include "rollout/builders.h"
#include "rollout/routing.h"

namespace reconciler {

inline Rollout routed_by(Router router) {
  Rollout out = rollout("v2");
  out.routing.routers = {std::move(router)};
  return out;
}

/// The sides of `rollout`, and what they are to get.
inline Traffic traffic(const Rollout& rollout, int weight) {
  return {.stable = {rollout.stable_service, "hashv1"},
          .canary = {rollout.canary_service, "hashv2"},
          .weight = weight,
          .whole = rollout.whole()};
}

inline RouteObjects objects(const std::vector<std::string>& texts) {
  RouteObjects out;
  for (const std::string& text : texts) {
    Json object = Json::parse(text);
    const ObjectKey key = key_of(object);
    out[key] = std::move(object);
  }
  return out;
}

inline std::string error_of(const Result<RouteObjects>& result) { return result ? "" : result.error().message; }

}  // namespace reconciler
