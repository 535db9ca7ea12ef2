// Names that people give to commits.
#pragma once

#include <string>

#include "base/result.h"
#include "git/handle.h"

namespace reconciler {

/// The full id of the commit that `name` stands for: `HEAD`, a branch, tag or full ref name, 4 or more digits of an id,
/// each with `~N`. Text from people never reaches libgit2's revision parser, which knows far more.
Result<std::string> resolve_revision(git_repository& repository, const std::string& name);

}  // namespace reconciler
