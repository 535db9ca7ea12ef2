#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cluster/convert.h"
#include "rollout/rollout.h"

namespace reconciler {

/// Finds the ReplicaSets without a mark of ours that may fit a rollout, by the labels they select: what it costs is the
/// rarest label of the rollout's selector, not the namespace.
class UnmarkedIndex {
 public:
  void add(const ReplicaSetSummary& replica_set);
  void remove(const ReplicaSetSummary& replica_set);

  /// Names of those that share the rollout's rarest label, in its namespace; `may_adopt` has the last word.
  std::set<std::string> candidates(const Rollout& rollout) const;

 private:
  std::map<std::pair<std::string, std::string>, std::set<std::string>> names_;  ///< by namespace and `key=value`
};

}  // namespace reconciler
