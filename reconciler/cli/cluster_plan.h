// What a plan would do to the objects of a cluster, by asking its API server: live objects beside a dry run of what
// would be applied. Nothing is written.
#pragma once

#include <map>
#include <string>

#include "cli/revision_plan.h"
#include "cluster/rehearsed_cluster.h"
#include "daemon/desired_state.h"

namespace reconciler {

/// What counts beside the files that changed.
struct PlanSurroundings {
  const RevisionManifests& before;  ///< the changed files, as they are
  const RevisionManifests& after;   ///< and as they would be
  const DesiredState& desired;      ///< everything that the new revision names
  const std::map<RolloutKey, Status>& recorded;
  std::string owner;
  TimePoint now;
};

/// Puts into the plan what the cluster says: fields are those of the live objects, and what the API server refuses is a
/// problem of its file. Objects that Serin carries out itself stay as they are. Returns the live objects of what would
/// be deleted; an error when the cluster cannot be asked.
Result<std::map<ObjectKey, Json>> ask_cluster(RehearsedCluster& cluster, const PlanSurroundings& around,
                                              RevisionPlan& plan);

}  // namespace reconciler
