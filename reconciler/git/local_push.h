// Pushing to a repository in a folder. libgit2's own local transport sets the ref without looking at what it was; this
// compares and sets under the ref's lock, so that two writers never lose each other's commits.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "git/handle.h"

namespace reconciler {

/// Copies what the folder lacks and moves `ref` from `expected` (nothing: it must not exist) to `commit`. `Conflict`
/// when it is elsewhere. Like every push to a path by a library, it runs no hooks.
Result<void> push_to_folder(git_repository& repository, const std::string& folder, const std::string& commit,
                            const std::string& ref, const std::optional<std::string>& expected);

}  // namespace reconciler
