// Reading trees and blobs: compared by id, every name checked, everything bounded. A repository is input: whoever may
// push can make trees that no checkout would accept.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "git/handle.h"
#include "ports.h"

namespace reconciler {

constexpr size_t tree_entries_max = 100'000;  ///< of one comparison
constexpr size_t tree_depth_max = 64;

/// The tree of a commit.
Result<Owned<git_tree>> tree_of(git_repository& repository, const std::string& commit);

/// `directory` as it is used here: no `./`, no slash at either end; empty for the root.
std::string plain_directory(std::string_view directory);

/// The subtree at `directory` (empty: the tree itself); null when nothing is there, `Invalid` when it is no directory.
Result<Owned<git_tree>> subtree(git_repository& repository, const git_tree& tree, const std::string& directory);

/// The subtree of a commit; null when nothing is there.
Result<Owned<git_tree>> directory_of(git_repository& repository, const std::string& commit,
                                     const std::string& directory);

/// The paths that differ, sorted, each below `prefix`. Either tree may be null: nothing.
Result<std::vector<TreeChange>> compare_trees(git_repository& repository, const git_tree* before, const git_tree* after,
                                              const std::string& prefix);

/// GitRepository::changes.
Result<std::vector<TreeChange>> compare_commits(git_repository& repository, const std::string& from,
                                                const std::string& to, const std::string& directory);

/// What lies under `directory` of a commit, each as something added; nothing when there is no such directory.
Result<std::vector<TreeChange>> list_directory(git_repository& repository, const std::string& commit,
                                               const std::string& directory);

/// The entry at `path`; nothing when there is none.
Result<std::optional<TreeEntry>> entry_at(const git_tree& tree, const std::string& path);

/// The content of a blob; `Invalid` above `bytes_max`, found out without loading it.
Result<std::string> read_blob(git_repository& repository, const std::string& blob, size_t bytes_max);

}  // namespace reconciler
