// What is to be done in the cluster for one rollout. Every action says "make it so" and is safe to repeat.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/labels.h"
#include "base/object_key.h"
#include "base/time.h"
#include "rollout/experiment.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"

namespace reconciler {

inline constexpr std::string_view kHashLabel = "rollouts-pod-template-hash";
inline constexpr std::string_view kManagedByAnnotation = "argo-rollouts.argoproj.io/managed-by-rollouts";
inline constexpr std::string_view kDesiredReplicasAnnotation = "rollout.argoproj.io/desired-replicas";
inline constexpr std::string_view kRevisionAnnotation = "rollout.argoproj.io/revision";
inline constexpr std::string_view kScaleDownDeadlineAnnotation = "scale-down-deadline";
inline constexpr std::string_view kRolloutLabel = "serin.dev/rollout";
/// On the ReplicaSets and Services of an experiment: the name of the template.
inline constexpr std::string_view kExperimentLabel = "serin.dev/experiment";
/// On an object that routes traffic: the destinations that are there for an experiment, with commas between.
inline constexpr std::string_view kExperimentsAnnotation = "serin.dev/experiments";
/// On a route of the Gateway API: the names of the rules that steps made, with commas between.
inline constexpr std::string_view kManagedRulesAnnotation = "serin.dev/managed-rules";
/// On the ReplicaSet of an experiment: the Service that is to lead to it.
inline constexpr std::string_view kExperimentServiceAnnotation = "serin.dev/experiment-service";
inline constexpr std::string_view kRejectedAnnotation = "serin.dev/rejected";
/// On a Rollout object, by a person: the controller that kept it is stopped, Serin may take over.
inline constexpr std::string_view kTakeOverAnnotation = "serin.dev/take-over";
inline constexpr std::string_view kEphemeralMetadataAnnotation = "rollout.argoproj.io/ephemeral-metadata";

/// Create `<rollout>-<hash>`. `object` is the whole ReplicaSet but for the owner label, which the cluster adds.
struct CreateReplicaSet {
  std::string name;
  Json object;
  bool operator==(const CreateReplicaSet&) const = default;
};

/// Create the ReplicaSet of an experiment: `from`, one of the rollout's, under a name and a hash of its own.
struct CreateExperimentPods {
  ExperimentPods pods;
  std::string from;
  Json owner = nullptr;  ///< the ownerReference to the Rollout object; null: it has no owner
  bool operator==(const CreateExperimentPods&) const = default;
};

/// Create the Service that leads to a ReplicaSet of an experiment, and that goes with it.
struct CreateExperimentService {
  std::string name;
  std::string replica_set;
  bool operator==(const CreateExperimentService&) const = default;
};

/// Set spec.replicas, and the desired-replicas annotation; a scale-down deadline is removed.
struct ScaleReplicaSet {
  std::string name;
  int replicas = 0;
  int desired = 0;  ///< spec.replicas of the rollout, for the annotation
  bool operator==(const ScaleReplicaSet&) const = default;
};

/// Label a ReplicaSet that fits as ours and name its controller; no pod restarts.
struct AdoptReplicaSet {
  std::string name;
  Json owner = nullptr;  ///< the ownerReference to the Rollout object; null: it has no owner
  bool operator==(const AdoptReplicaSet&) const = default;
};

/// Keep the pods until `deadline`, then they go; no deadline removes the annotation.
struct SetScaleDownDeadline {
  std::string name;
  std::optional<TimePoint> deadline;
  bool operator==(const SetScaleDownDeadline&) const = default;
};

/// Note on a ReplicaSet that its revision was rejected; an empty `hash` takes the note away.
struct MarkReplicaSet {
  std::string name;
  std::string hash;
  bool operator==(const MarkReplicaSet&) const = default;
};

/// Give the template of a ReplicaSet other ephemeral metadata (a text of `ephemeral_metadata.h`); no pod restarts.
struct SetTemplateMetadata {
  std::string name;
  std::string before;
  std::string after;
  bool operator==(const SetTemplateMetadata&) const = default;
};

/// The same for a pod that runs already.
struct SetPodMetadata {
  std::string name;
  std::string before;
  std::string after;
  bool operator==(const SetPodMetadata&) const = default;
};

/// Take the anti-affinity of a new version out of a template: it is stable by now. `affinity` is what Git has, or null.
/// Pods that run are where they are.
struct RestoreAffinity {
  std::string name;
  Json affinity = nullptr;
  bool operator==(const RestoreAffinity&) const = default;
};

/// Ask for the eviction of pods. Those that a PodDisruptionBudget protects stay, and are asked for again later.
struct EvictPods {
  std::vector<PodState> pods;
  bool operator==(const EvictPods&) const = default;
};

/// Take pods away from the workload that workloadRef names: the rollout's own have taken their place.
struct ScaleWorkload {
  std::string api_version;
  std::string kind;
  std::string name;
  int replicas = 0;
  bool operator==(const ScaleWorkload&) const = default;
};

/// Delete a ReplicaSet without pods that the revision history no longer keeps.
struct DeleteReplicaSet {
  std::string name;
  std::string uid;
  bool operator==(const DeleteReplicaSet&) const = default;
};

/// Inject the hash into the Service's selector (the managed-by annotation beside it).
struct SelectRevision {
  std::string service;
  std::string from;  ///< the hash it selects now, tested by the patch; empty for none
  std::string hash;
  bool operator==(const SelectRevision&) const = default;
};

/// Take the hash and the managed-by annotation off a Service whose rollout is gone.
struct ReleaseService {
  std::string service;
  std::string from;  ///< the hash it selects now, tested by the patch; empty for none
  bool operator==(const ReleaseService&) const = default;
};

/// Turn an object that routes traffic from `before` into `after`; carried as a patch that tests what it replaces. Null
/// before: create it. Null after: delete it.
struct RewriteRoutes {
  ObjectKey object;
  Json before;
  Json after;
  bool operator==(const RewriteRoutes&) const = default;
};

using Action =
    std::variant<CreateReplicaSet, CreateExperimentPods, CreateExperimentService, ScaleReplicaSet, AdoptReplicaSet,
                 SetScaleDownDeadline, MarkReplicaSet, SetTemplateMetadata, RestoreAffinity, SetPodMetadata, EvictPods,
                 ScaleWorkload, DeleteReplicaSet, SelectRevision, ReleaseService, RewriteRoutes>;

/// One line for the log: `scale checkout-6d4c9f7b8d to 3`.
std::string describe(const Action& action);

}  // namespace reconciler
