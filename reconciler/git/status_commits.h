// Making commits without a work tree, and making them again on another base: the same blobs, messages and author
// dates, only their own paths. Never a textual merge.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "git/handle.h"

namespace reconciler {

class CommitSigner;

struct Identity {
  std::string name;
  std::string email;
};

/// `Name <email>` taken apart.
Result<Identity> parse_identity(const std::string& author);

/// One path set to a blob, or removed when there is none.
struct PathUpdate {
  std::string path;
  std::optional<std::string> blob;
  bool operator==(const PathUpdate&) const = default;
};

/// Stores a blob and returns its id.
Result<std::string> store_blob(git_repository& repository, const std::string& content);

/// Stores what is to be in these files; one without content is removed.
Result<std::vector<PathUpdate>> store_files(git_repository& repository,
                                            const std::map<std::string, std::optional<std::string>>& files);

/// One commit on `parent` (empty: a root commit) by `identity` at `time`, signed by `signer`, if any; returns `parent`
/// when the updates change nothing. `Invalid` when a file lies where a directory is needed.
Result<std::string> commit_updates(git_repository& repository, const std::string& parent,
                                   const std::vector<PathUpdate>& updates, const Identity& identity, TimePoint time,
                                   const std::string& message, const CommitSigner* signer = nullptr);

/// What a commit changed against its first parent, below `directory`.
Result<std::vector<PathUpdate>> updates_of(git_repository& repository, const std::string& commit,
                                           const std::string& directory);

/// Makes `commit`'s updates again on `parent`, with its author, author date and message; signed by `signer`, if any.
Result<std::string> commit_again(git_repository& repository, const std::string& commit, const std::string& parent,
                                 const std::vector<PathUpdate>& updates, const Identity& committer,
                                 const CommitSigner* signer);

/// Whether a commit carries a signature, good or not.
Result<bool> is_signed(git_repository& repository, const std::string& commit);

}  // namespace reconciler
