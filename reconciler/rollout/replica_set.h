// The ReplicaSet of a revision (spec 2.3).
#pragma once

#include <string>

#include "base/json.h"
#include "rollout/action.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"
#include "rollout/target.h"

namespace reconciler {

/// `<rollout>-<hash>`
std::string replica_set_name(const Rollout& rollout, const std::string& hash);

/// The ReplicaSet for Git's template: hash label in labels, selector and pod labels; no ownerReference. Beside a stable
/// revision with anti-affinity against it; with the metadata of its role. Neither is part of the hash.
Json replica_set(const Rollout& rollout, int replicas, int revision, const Target& target);

/// Its creation, with the ownerReference where there is an owner, and without the template's labels on the ReplicaSet
/// itself where there is none.
CreateReplicaSet create_replica_set(const Rollout& rollout, const Observed& live, const Target& target, int replicas);

/// The ownerReference to the Rollout object; null unless that is in the cluster and ours: Kubernetes deletes what names
/// an owner that does not exist, and with a kind that is removed all that its objects owned (deviation 18).
Json owner_reference(const Rollout& rollout, const Observed& live);

/// One more than the highest revision number that is there.
int next_revision(const Observed& live);

}  // namespace reconciler
