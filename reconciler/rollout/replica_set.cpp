#include "rollout/replica_set.h"

#include <algorithm>

#include "rollout/action.h"

namespace reconciler {

std::string replica_set_name(const Rollout& rollout, const std::string& hash) { return rollout.key.name + "-" + hash; }

Json replica_set(const Rollout& rollout, int replicas, int revision) {
  // Both texts were written by `dump` from a manifest that passed validation.
  Json pod_template = Json::parse(rollout.pod_template);
  Json selector = Json::parse(rollout.selector);
  const std::string hash_label(kHashLabel);
  pod_template["metadata"]["labels"][hash_label] = rollout.hash;
  selector["matchLabels"][hash_label] = rollout.hash;
  Json labels = pod_template["metadata"]["labels"];
  labels[std::string(kRolloutLabel)] = rollout.key.name;
  Json spec = {{"replicas", replicas}, {"selector", std::move(selector)}, {"template", std::move(pod_template)}};
  if (rollout.min_ready_seconds > 0) spec["minReadySeconds"] = rollout.min_ready_seconds;
  return {{"apiVersion", "apps/v1"},
          {"kind", "ReplicaSet"},
          {"metadata",
           {{"name", replica_set_name(rollout, rollout.hash)},
            {"namespace", rollout.key.ns},
            {"labels", std::move(labels)},
            {"annotations",
             {{std::string(kRevisionAnnotation), std::to_string(revision)},
              {std::string(kDesiredReplicasAnnotation), std::to_string(rollout.replicas)}}}}},
          {"spec", std::move(spec)}};
}

Json owner_reference(const Rollout& rollout, const Observed& live) {
  if (!live.object || !live.object->ours) return nullptr;
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
