// The four refs of the clone and what may be done to them. One lock guards them; it is held for local work only.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/handle.h"
#include "git/status_commits.h"

namespace reconciler {

class CommitSigner;

struct Branches {
  std::string theirs;
  std::string target;
  std::string base;
  std::string ours;
  bool operator==(const Branches&) const = default;
};

/// Reads them from the clone.
Result<Branches> read_branches(git_repository& repository);

/// Makes the change from `before` to `after` durable, in an order that a kill between any two refs cannot hurt.
Result<void> write_branches(const std::string& clone, const Branches& before, const Branches& after);

/// Our commits that target does not hold, oldest first.
Result<std::vector<std::string>> unpushed_commits(git_repository& repository, const Branches& branches);

enum class OnForeignChange { Overwrite, Drop };

struct Rebuilt {
  Branches branches;                 ///< ours on top of target, base at target
  std::vector<std::string> foreign;  ///< paths of our directory that others changed since the common commit
  std::vector<std::string> dropped;  ///< those of them whose commits of ours were dropped
};

/// Builds our unpushed commits again on target, one by one. Writes objects, no refs.
Result<Rebuilt> rebuild(git_repository& repository, const Branches& branches, const std::string& directory,
                        const Identity& committer, OnForeignChange on_foreign_change);

/// The same for a push: signed by `signer` (null: nobody), of which those that are in place and signed stay as they
/// are.
Result<Rebuilt> rebuild_for_push(git_repository& repository, const Branches& branches, const std::string& directory,
                                 const Identity& committer, const CommitSigner* signer);

/// Takes over into `rebuilt`, which was made from `before`, what was recorded since. Nothing when more than that
/// changed.
Result<std::optional<Rebuilt>> extend(git_repository& repository, const Rebuilt& rebuilt, const Branches& before,
                                      const Branches& now, const std::string& directory, const Identity& committer,
                                      const CommitSigner* signer);

/// After target's history was rewritten: one commit on the new target that brings back our files as of base
/// (`message`), then our unpushed commits. Writes objects, no refs.
Result<Rebuilt> rebuild_after_rewrite(git_repository& repository, const Branches& branches,
                                      const std::string& directory, const Identity& committer);

}  // namespace reconciler
