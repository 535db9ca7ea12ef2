// Each action as one write to the Kubernetes API: which object, which verb, which body. Pure, so that the simulator
// carries actions out over objects in memory with exactly what goes over the wire to a real cluster.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"
#include "rollout/action.h"

namespace reconciler {

enum class WriteVerb { Create, MergePatch, JsonPatch, Delete };

/// One write. `body` is the object, the patch, or the delete options.
struct KubernetesWrite {
  WriteVerb verb = WriteVerb::Create;
  std::string api_version;
  std::string kind;
  std::string ns;
  std::string name;
  Json body;
  bool operator==(const KubernetesWrite&) const = default;
};

/// Names the object that an action is about: `Service`, its namespace and name.
struct WriteTarget {
  std::string api_version;
  std::string kind;
  std::string ns;
  std::string name;
  bool operator==(const WriteTarget&) const = default;
};

WriteTarget target_of(const RolloutKey& rollout, const Action& action);

/// The write for `action`. `live` is the object it is about as we know it, null where it is created or not known; for
/// what an experiment makes, what that is made from (`source_of`).
/// Patches of traffic test what they replace; `Conflict` when `live` already shows that the plan is out of date.
Result<KubernetesWrite> write_for(const RolloutKey& rollout, const Action& action, std::string_view owner,
                                  const Json& live);

/// The Eviction that asks for a pod to go, by the policy API.
Json eviction_of(const RolloutKey& rollout, const PodState& pod);

/// The deletion of exactly this live object, and in the background of what belongs to it.
KubernetesWrite deletion_of(const Json& live);

/// `object` after the write's patch, as an API server would do it; `Conflict` when a test in it fails.
Result<Json> patched(const Json& object, const KubernetesWrite& write);

/// The RFC 6902 difference of two documents that tests each value before it replaces or removes it.
Json tested_difference(const Json& before, const Json& after);

/// `object` with the owner label.
Json with_owner(Json object, std::string_view owner);

}  // namespace reconciler
