// What the rollout engine needs to know of Kubernetes objects, read out of their JSON. Pure: no HTTP, no clock.
// The watch caches keep these summaries instead of the objects; the simulator reads its world through them too.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"

namespace reconciler {

/// What is kept of a ReplicaSet: the workload as far as the object itself tells, and whose it is.
struct ReplicaSetSummary {
  std::string ns;
  Workload workload;        ///< `deadline_passed`, `pods_moved` and `owned` are left to `workload_at`
  std::string rollout;      ///< label serin.dev/rollout; empty when it has none
  std::string experiment;   ///< label serin.dev/experiment; empty when it is a revision of the rollout itself
  std::string owner;        ///< label serin.dev/owner
  std::string selector;     ///< spec.selector as compact JSON
  bool controlled = false;  ///< has a controller ownerReference that is no Rollout
  std::string controller;   ///< name of the Rollout object that controls it; empty without one
  bool operator==(const ReplicaSetSummary&) const = default;
};

/// What is kept of a pod.
struct PodSummary {
  std::string ns;
  std::string name;
  std::string replica_set_uid;  ///< its controller; empty for a bare pod
  TimePoint moved;              ///< the later of its creation and its last change of readiness
  std::string trouble;          ///< why it is not ready, as far as is known: `image cannot be pulled`
  std::string uid;              ///< left to who keeps the summary
  TimePoint created;
  std::string metadata;  ///< annotation rollout.argoproj.io/ephemeral-metadata
  bool active = true;    ///< neither finished nor on its way out
  bool ready = false;    ///< and it answers
  bool operator==(const PodSummary&) const = default;
};

ReplicaSetSummary summarize_replica_set(const Json& object);
PodSummary summarize_pod(const Json& object);
ServiceState service_state(const Json& object);

/// May this rollout take the ReplicaSet over? It has a hash label, nobody else's mark or controller (a Rollout object
/// of the same name is what another controller left), and its selector contains the rollout's.
bool may_adopt(const ReplicaSetSummary& replica_set, const Rollout& rollout);

/// Is it this rollout's, by our labels?
bool is_owned(const ReplicaSetSummary& replica_set, const RolloutKey& rollout, std::string_view owner);

/// The workload at `now`, with the facts of its pods. `owned` tells whether it is ours or may be adopted.
Workload workload_at(const ReplicaSetSummary& replica_set, const std::vector<PodSummary>& pods, bool owned,
                     TimePoint now);

/// The object without the API server's own bookkeeping.
Json without_managed_fields(Json object);

}  // namespace reconciler
