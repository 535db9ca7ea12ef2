#pragma once

#include <map>
#include <set>
#include <string>

#include "cli/revision_plan.h"

namespace reconciler {

/// What a daemon would hold of the deleted objects, and why. `all` is everything that the revision before names,
/// `changed` its files that differ, `messages` those of the commits in between; `live` the objects as a cluster has
/// them, where one was asked.
std::map<ObjectKey, std::string> expected_holds(const RevisionPlan& plan, const std::set<ObjectKey>& all,
                                                const RevisionManifests& changed,
                                                const std::vector<std::string>& messages,
                                                const std::map<ObjectKey, Json>& live, const std::string& owner);

}  // namespace reconciler
