// canaryMetadata and stableMetadata: labels and annotations that follow the role, on the template of a ReplicaSet and
// on its running pods. What an object has been given stands on it in an annotation, so that it can be taken away again
// by whoever comes next.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "rollout/action.h"
#include "rollout/observed.h"
#include "rollout/target.h"

namespace reconciler {

/// The annotation's value; empty for no metadata at all.
std::string metadata_text(const PodMetadata& metadata);

/// The merge patch of an object's `metadata` that takes `before` away and gives it `after`, annotation included.
Json metadata_change(const std::string& before, const std::string& after);

/// What ReplicaSets and pods lack or have too much of, for the roles in `target`.
std::vector<Action> metadata_actions(const Observed& live, const Target& target);

}  // namespace reconciler
