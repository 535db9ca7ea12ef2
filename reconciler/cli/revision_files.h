#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/revision_plan.h"

namespace reconciler {

/// Reads files, a path and its text each, of one revision.
RevisionManifests read_revision(const std::vector<std::pair<std::string, std::string>>& files,
                                const std::string& default_namespace);

}  // namespace reconciler
