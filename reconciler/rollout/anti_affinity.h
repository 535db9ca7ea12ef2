// The rule that keeps the pods of a new version off the nodes of the stable ones, for as long as it is new.
#pragma once

#include <string>

#include "base/json.h"
#include "rollout/rollout.h"

namespace reconciler {

/// `pod_template` with `rule` against the pods of the revision `stable`, beside the rules it has.
Json with_anti_affinity(Json pod_template, const AntiAffinity& rule, const std::string& stable);

/// The revision that such a rule of ours in a pod template avoids; empty without one. People's own name no hashes.
std::string avoided_revision(const Json& pod_template);

/// The merge patch of `spec.affinity` that takes it out again: what is left is `affinity`, as Git has it, or null.
Json affinity_patch(const Json& affinity);

}  // namespace reconciler
