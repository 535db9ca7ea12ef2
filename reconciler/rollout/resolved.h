// A Rollout as Git asks for it, under the name that the cluster already knows it by.
#pragma once

#include <optional>

#include "rollout/observed.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// With the hash that its template got after collisions of names, ours or those of a controller before us, as a
/// ReplicaSet or the status knows it; a new template gets one with our collisions so far (collisionCount of spec 2.1).
Rollout resolved(Rollout desired, const Observed& live, const std::optional<Status>& status);

/// Is the name of the ReplicaSet that `desired` needs taken by somebody else's?
bool name_is_taken(const Rollout& desired, const Observed& live);

}  // namespace reconciler
