// A repository read without a daemon: what `serin plan`, `status`, `history` and `at` need. Nothing is written to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "git/handle.h"
#include "git/history.h"
#include "git/remote.h"
#include "git/signature_check.h"
#include "ports.h"

namespace reconciler {

struct HistoryFile {
  std::string path;
  std::string blob;
  std::string content;
};

class GitHistory {
 public:
  /// The repository that `folder` lies in, as `git` would find it.
  static Result<GitHistory> around(const std::string& folder);

  /// The repository at a path or file:// URL as it lies there; one elsewhere is fetched, with its branches and tags,
  /// into a temporary folder that goes with this object.
  static Result<GitHistory> of(const std::string& url, PlainHttp plain_http, const RemoteOptions& options);

  GitHistory(GitHistory&&) noexcept;
  GitHistory& operator=(GitHistory&&) noexcept;
  ~GitHistory();

  /// The full commit id that `name` stands for: `HEAD`, a branch, tag or full ref name, an id of 4 or more digits, each
  /// with `~N` after it for its N-th first parent. No other revision syntax.
  Result<std::string> resolve(const std::string& name) const;

  Result<CommitInfo> commit(const std::string& id) const;

  /// The regular files under `directory` with their content, by path; none when there is no such directory. `Invalid`
  /// when one is larger than `file_bytes_max`.
  Result<std::vector<HistoryFile>> files(const std::string& commit, const std::string& directory,
                                         size_t file_bytes_max) const;

  /// Their paths alone.
  Result<std::vector<std::string>> paths(const std::string& commit, const std::string& directory) const;

  /// The content of one file; nothing when it does not exist.
  Result<std::optional<std::string>> file(const std::string& commit, const std::string& path, size_t bytes_max) const;

  /// First-parent commits of (`from`, `to`] that changed `path` (file or directory), newest first; `from` empty: all.
  Result<std::vector<CommitInfo>> log(const std::string& path, const std::string& from, const std::string& to,
                                      size_t limit) const;

  /// First-parent commits of `tip`, from it or from the root; valid as long as this object.
  CommitWalk walk(const std::string& tip) const;
  Result<CommitWalk> walk_from_root(const std::string& tip) const;

  /// Whether `commit` changed `path` against its first parent.
  Result<bool> changed(const std::string& commit, const std::string& path) const;

  /// The branch that ends at `tip`; valid as long as this object.
  MainLine main_line(const std::string& tip) const;

  /// Who stands behind a commit beside its author.
  Result<CommitPeople> people(const std::string& commit, MainLine& main_line) const;

  /// As GitRepository::changes and ::read.
  Result<std::vector<TreeChange>> changes(const std::string& from, const std::string& to,
                                          const std::string& directory) const;
  Result<std::string> read(const std::string& blob, size_t bytes_max) const;

  /// As `check_signature` of `git/signature_check.h`.
  Result<std::string> check_signature(const std::string& commit, const SignerFiles& signers) const;

  /// As GitRepository::provenance.
  Result<Provenance> provenance(const std::string& commit, const std::string& path, const SignerFiles& signers) const;

  /// For the rest of this room.
  git_repository& repository() const { return *repository_; }

 private:
  class TemporaryClone;
  GitHistory(std::unique_ptr<TemporaryClone> clone, Owned<git_repository> repository);

  std::unique_ptr<TemporaryClone> clone_;  ///< null for a repository of somebody else's
  Owned<git_repository> repository_;
};

}  // namespace reconciler
