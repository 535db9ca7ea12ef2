#include "rollout/replica_set.h"

#include <algorithm>

#include "rollout/action.h"
#include "rollout/anti_affinity.h"
#include "rollout/ephemeral_metadata.h"

namespace reconciler {

std::string replica_set_name(const Rollout& rollout, const std::string& hash) { return rollout.key.name + "-" + hash; }

Json replica_set(const Rollout& rollout, int replicas, int revision, const Target& target) {
  // Both texts were written by `dump` from a manifest that passed validation.
  Json pod_template = Json::parse(rollout.pod_template);
  Json selector = Json::parse(rollout.selector);
  const std::string hash_label(kHashLabel);
  pod_template["metadata"]["labels"][hash_label] = rollout.hash;
  selector["matchLabels"][hash_label] = rollout.hash;
  Json labels = pod_template["metadata"]["labels"];
  labels[std::string(kRolloutLabel)] = rollout.key.name;
  if (rollout.anti_affinity && rollout.hash == target.canary)
    pod_template = with_anti_affinity(std::move(pod_template), *rollout.anti_affinity, target.stable);
  auto role = target.metadata.find(rollout.hash);
  if (role != target.metadata.end()) pod_template["metadata"].merge_patch(metadata_change("", role->second));
  Json spec = {{"replicas", replicas}, {"selector", std::move(selector)}, {"template", std::move(pod_template)}};
  if (rollout.min_ready_seconds > 0) spec["minReadySeconds"] = rollout.min_ready_seconds;
  Json annotations = {{std::string(kRevisionAnnotation), std::to_string(revision)},
                      {std::string(kDesiredReplicasAnnotation), std::to_string(rollout.replicas)}};
  if (role != target.metadata.end()) annotations[std::string(kEphemeralMetadataAnnotation)] = role->second;
  return {{"apiVersion", "apps/v1"},
          {"kind", "ReplicaSet"},
          {"metadata",
           {{"name", replica_set_name(rollout, rollout.hash)},
            {"namespace", rollout.key.ns},
            {"labels", std::move(labels)},
            {"annotations", std::move(annotations)}}},
          {"spec", std::move(spec)}};
}

CreateReplicaSet create_replica_set(const Rollout& rollout, const Observed& live, const Target& target, int replicas) {
  Json object = replica_set(rollout, replicas, next_revision(live), target);
  if (Json owner = owner_reference(rollout, live); !owner.is_null())
    object["metadata"]["ownerReferences"] = Json::array({owner});
  else  // A Deployment adopts, and scales down, what has no owner and carries the labels that it selects.
    object["metadata"]["labels"] = {{std::string(kHashLabel), rollout.hash},
                                    {std::string(kRolloutLabel), rollout.key.name}};
  return {replica_set_name(rollout, rollout.hash), std::move(object)};
}

Json owner_reference(const Rollout& rollout, const Observed& live) {
  if (rollout.standalone || !live.object || !live.object->ours) return nullptr;
  return {{"apiVersion", "argoproj.io/v1alpha1"},
          {"kind", "Rollout"},
          {"name", rollout.key.name},
          {"uid", live.object->uid},
          {"controller", true},
          {"blockOwnerDeletion", true}};
}

int next_revision(const Observed& live) {
  int highest = 0;
  for (const Workload& w : live.workloads) highest = std::max(highest, w.revision);
  return highest + 1;
}

}  // namespace reconciler
