// What the cluster looks like, as far as one rollout needs to know: facts, with everything that takes a clock
// already answered, so that deciding needs none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/object_key.h"
#include "base/time.h"
#include "rollout/rollout.h"

namespace reconciler {

/// One pod that is neither finished nor on its way out.
struct PodState {
  std::string name;
  std::string uid;
  TimePoint created;
  std::string metadata;  ///< annotation rollout.argoproj.io/ephemeral-metadata
  bool operator==(const PodState&) const = default;
};

/// One ReplicaSet of the rollout.
struct Workload {
  std::string name;
  std::string uid;
  std::string rollout_uid;             ///< of the Rollout object that controls it; empty without one
  std::string hash;                    ///< label rollouts-pod-template-hash
  std::vector<ContainerImage> images;  ///< of its pod template
  int revision = 0;                    ///< annotation rollout.argoproj.io/revision
  int replicas = 0;                    ///< spec.replicas
  int current = 0;                     ///< status.replicas
  int ready = 0;                       ///< status.readyReplicas
  int available = 0;                   ///< status.availableReplicas
  TimePoint created;
  std::optional<TimePoint> scale_down_deadline;  ///< annotation scale-down-deadline
  bool deadline_passed = false;                  ///< that deadline lies behind us
  TimePoint pods_moved;        ///< last creation or readiness change of its pods, by their own timestamps
  std::string pod_trouble;     ///< why a pod is not ready: `image cannot be pulled`; empty when nothing is known
  std::string metadata;        ///< annotation rollout.argoproj.io/ephemeral-metadata: what its template has been given
  std::vector<PodState> pods;  ///< ordered by name
  std::string avoids;          ///< the revision that an anti-affinity of ours keeps new pods away from; empty for none
  bool rejected = false;       ///< annotation serin.dev/rejected names this revision
  bool owned = false;          ///< carries our owner label and serin.dev/rollout; false: fits and may be adopted
  std::string service;         ///< of an experiment: the Service that is to lead to it; empty for none
  bool operator==(const Workload&) const = default;
};

struct ServiceState {
  std::string hash;                             ///< spec.selector[rollouts-pod-template-hash]; empty when not injected
  std::map<std::string, std::string> selector;  ///< the other labels it selects
  std::string managed_by;                       ///< annotation managed-by-rollouts: the rollout it belongs to
  bool operator==(const ServiceState&) const = default;
};

/// The Rollout object in the cluster: a view that we publish, or what another controller left.
struct RolloutObject {
  std::string uid;
  int64_t generation = 0;
  bool ours = false;          ///< carries our owner label
  std::optional<int> scaled;  ///< spec.replicas, where it was set through the scale subresource
  std::string driver;         ///< the controller that keeps its status, and is not Serin; empty when there is none
  std::string status;         ///< as compact JSON; empty when there is none
  bool operator==(const RolloutObject&) const = default;
};

struct Observed {
  std::vector<Workload> workloads;    ///< ordered by name
  std::vector<Workload> experiments;  ///< ReplicaSets that its experiments made, ordered by name
  /// The Services of those that exist, and the ReplicaSet that each goes with; empty when that is gone.
  std::map<std::string, std::string> experiment_services;
  std::map<std::string, ServiceState> services;  ///< the stable and canary Services that exist, by name
  /// Services, and DestinationRules as far as they are known, that say they are managed by it and that it does not
  /// name.
  std::map<std::string, ServiceState> former_services;
  std::map<ObjectKey, Json> former_rules;
  std::map<ObjectKey, Json> routes;      ///< the objects of its routers that exist, without managedFields
  std::optional<RolloutObject> object;   ///< nothing when there is none, or its kind does not exist
  std::optional<int> workload_replicas;  ///< spec.replicas of what workloadRef names, when it has any
  /// Names of ReplicaSets that look like ours and belong to somebody else.
  std::vector<std::string> taken_names;
  bool operator==(const Observed&) const = default;

  const Workload* workload(std::string_view hash) const {
    for (const Workload& w : workloads)
      if (w.hash == hash) return &w;
    return nullptr;
  }

  /// Available pods of that revision.
  int available(std::string_view hash) const {
    const Workload* w = workload(hash);
    return w ? w->available : 0;
  }
};

}  // namespace reconciler
