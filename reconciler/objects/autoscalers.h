#pragma once

#include <map>
#include <optional>
#include <set>

#include "base/json.h"
#include "base/object_key.h"

namespace reconciler {

/// Is it of a kind that may name a workload to scale: a HorizontalPodAutoscaler, or KEDA's ScaledObject?
bool may_scale(const ObjectKey& key);

/// The workload that an autoscaler scales, by what its manifest or the live object says; nothing for other kinds.
std::optional<ObjectKey> scale_target(const Json& object);

/// Is it a HorizontalPodAutoscaler?
bool is_autoscaler(const ObjectKey& key);

/// Which workloads are scaled by others, as manifests and the cluster name them.
class Autoscalers {
 public:
  enum class Source { Git, Cluster };

  /// What an autoscaler scales now; nothing when it is gone. Returns the workloads whose answer changed.
  std::set<ObjectKey> set(Source source, const ObjectKey& autoscaler, const std::optional<ObjectKey>& target);

  bool scales(const ObjectKey& workload) const { return by_target_.contains(workload); }

 private:
  using Name = std::pair<Source, ObjectKey>;
  std::map<Name, ObjectKey> targets_;
  std::map<ObjectKey, std::set<Name>> by_target_;
};

}  // namespace reconciler
