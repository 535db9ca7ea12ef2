// Walking commits: which of them changed a path, what they say.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "git/handle.h"
#include "ports.h"

namespace reconciler {

/// First-parent commits, one after the other. Costs one commit a step and keeps none.
class CommitWalk {
 public:
  static CommitWalk from_tip(git_repository& repository, const std::string& tip);
  /// Oldest first; the ids of all are read before the first step.
  static Result<CommitWalk> from_root(git_repository& repository, const std::string& tip);

  /// Nothing when there are no more.
  Result<std::optional<CommitInfo>> next();

 private:
  explicit CommitWalk(git_repository& repository) : repository_(&repository) {}

  git_repository* repository_;
  std::vector<std::string> to_come_;  ///< the next one last
  bool goes_on_ = false;              ///< to the first parent of each
  size_t steps_ = 0;
};

/// Author, author date and message of a commit.
Result<CommitInfo> commit_info(git_repository& repository, const std::string& commit);

/// First-parent commits of (`from`, `to`] that changed `path` (a file or a directory; empty: all commits, even those
/// that change nothing), newest first, at most `limit`; `from` empty: from the root. Costs one commit and one root tree
/// a step, whatever the size.
Result<std::vector<CommitInfo>> commits_touching_path(git_repository& repository, const std::string& path,
                                                      const std::string& from, const std::string& to, size_t limit);

/// The ids of `tip` and its first parents, newest first.
Result<std::vector<std::string>> first_parents(git_repository& repository, const std::string& tip);

/// Whether `commit` changed what lies at `path` against its first parent; a root commit against nothing.
Result<bool> changes_path(git_repository& repository, const std::string& commit, const std::string& path);

/// A branch as a list of first parents. It is read when it is first asked for.
class MainLine {
 public:
  MainLine(git_repository& repository, std::string tip) : repository_(&repository), tip_(std::move(tip)) {}
  Result<bool> contains(const std::string& commit);

 private:
  git_repository* repository_;
  std::string tip_;
  std::unordered_set<std::string> ids_;  ///< empty until it was read
};

/// Who stands behind a commit beside its author.
struct CommitPeople {
  std::string committer;             ///< `Name <email>`
  std::vector<std::string> authors;  ///< of the commits that a merge brought, each once, newest first; else empty
  TimePoint first;                   ///< when the oldest of those was written; the author date of a plain commit
};

/// Of what a merge brought, the newest 1,000 commits along their first parents are looked at, until one is on
/// `main_line`.
Result<CommitPeople> people_of(git_repository& repository, const std::string& commit, MainLine& main_line);

/// Whether `ancestor` is `commit` or one of its ancestors.
Result<bool> contains_commit(git_repository& repository, const std::string& commit, const std::string& ancestor);

/// The commits of `tip` that none of `excluded` contains, first-parent, oldest first. Empty ids are left out.
Result<std::vector<std::string>> commits_beyond(git_repository& repository, const std::string& tip,
                                                const std::vector<std::string>& excluded);

}  // namespace reconciler
