// What Serin must know of a Rollout object in the cluster: whether it is its own view, what an autoscaler asks for, and
// whether another controller keeps it. Pure.
#pragma once

#include <string_view>

#include "base/json.h"
#include "rollout/observed.h"

namespace reconciler {

/// `object` with its managedFields; `owner`: our owner label, `manager`: our field manager.
///
/// Who drives a Rollout is told by who wrote `status.observedGeneration` last: each controller of Rollouts keeps that
/// field, nobody else has a reason to, and the API server records the writer, whatever the controller is called, where
/// it runs and how its lock is named. It cannot tell a controller that is at rest from one that was stopped, so
/// stopping is for a person to say: by deleting the object, or by an annotation that is newer than that write.
RolloutObject summarize_rollout(const Json& object, std::string_view owner, std::string_view manager);

}  // namespace reconciler
