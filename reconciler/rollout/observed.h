// What the cluster looks like, as far as one rollout needs to know: facts, with everything that takes a clock
// already answered, so that deciding needs none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "rollout/rollout.h"

namespace reconciler {

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
  TimePoint pods_moved;     ///< last creation or readiness change of its pods, by their own timestamps
  std::string pod_trouble;  ///< why a pod is not ready: `image cannot be pulled`; empty when nothing is known
  bool owned = false;       ///< carries our owner label and serin.dev/rollout; false: fits and may be adopted
  bool operator==(const Workload&) const = default;
};

struct ServiceState {
  std::string hash;  ///< spec.selector[rollouts-pod-template-hash]; empty when not injected
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
  std::vector<Workload> workloads;               ///< ordered by name
  std::map<std::string, ServiceState> services;  ///< the stable and canary Services that exist, by name
  std::optional<Json> virtual_service;           ///< the live object, without managedFields
  std::optional<RolloutObject> object;           ///< nothing when there is none, or its kind does not exist
  bool operator==(const Observed&) const = default;

  const Workload* workload(std::string_view hash) const {
    for (const Workload& w : workloads)
      if (w.hash == hash) return &w;
    return nullptr;
  }
};

}  // namespace reconciler
