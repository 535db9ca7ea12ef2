// The ReplicaSet of a revision (spec 2.3).
#pragma once

#include <string>

#include "base/json.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"

namespace reconciler {

/// `<rollout>-<hash>`
std::string replica_set_name(const Rollout& rollout, const std::string& hash);

/// The ReplicaSet for Git's template: hash label in labels, selector and pod labels; no ownerReference (deviation 18).
Json replica_set(const Rollout& rollout, int replicas, int revision);

/// One more than the highest revision number that is there.
int next_revision(const Observed& live);

}  // namespace reconciler
