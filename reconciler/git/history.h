// Walking commits: which of them changed a path, what they say.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "git/handle.h"
#include "ports.h"

namespace reconciler {

/// Author, author date and message of a commit.
Result<CommitInfo> commit_info(git_repository& repository, const std::string& commit);

/// First-parent commits of (`from`, `to`] that changed `path` (a file or a directory; empty: all commits, even those
/// that change nothing), newest first, at most `limit`; `from` empty: from the root. Costs one commit and one root tree
/// a step, whatever the size.
Result<std::vector<CommitInfo>> commits_touching_path(git_repository& repository, const std::string& path,
                                                      const std::string& from, const std::string& to, size_t limit);

/// Whether `ancestor` is `commit` or one of its ancestors.
Result<bool> contains_commit(git_repository& repository, const std::string& commit, const std::string& ancestor);

/// The commits of `tip` that none of `excluded` contains, first-parent, oldest first. Empty ids are left out.
Result<std::vector<std::string>> commits_beyond(git_repository& repository, const std::string& tip,
                                                const std::vector<std::string>& excluded);

}  // namespace reconciler
