#pragma once

#include <set>
#include <string>

#include "ports.h"
#include "rollout/rollout.h"

namespace reconciler {

/// The kinds of objects that the routers of this rollout read or write, to be held in the cache whoever made them.
std::set<FollowedKind> route_kinds(const Rollout& rollout);

/// May an object of this kind be one that a router made?
bool is_made_by_routers(const ObjectKey& key);

/// The version in which routers read and write objects of this kind; empty where the API server's preferred one will
/// do.
std::string version_of_route(const ObjectKey& key);

}  // namespace reconciler
