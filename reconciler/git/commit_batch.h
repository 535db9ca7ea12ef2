// Many status commits made at once. Every object stays in memory until the whole batch is written as one pack: as files
// of their own, a hundred commits would be six hundred, and each would be looked for in every pack before it is
// written.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "git/handle.h"
#include "git/pack_text.h"
#include "git/status_commits.h"

namespace reconciler {

class CommitBatch {
 public:
  /// Goes on from `tip`, a commit of `repository`; empty: from nothing.
  static Result<CommitBatch> on(git_repository& repository, const std::string& tip, Identity identity);

  /// One commit that sets `path`, or removes it where there is no content; no commit when that changes nothing.
  /// `Invalid` when a file lies where a directory is needed, or the other way round.
  Result<void> add(const std::string& path, const std::optional<std::string>& content, TimePoint time,
                   std::string_view message);

  /// Writes what was added to the clone, not yet durably.
  Result<void> write(const std::string& clone);

  const std::string& tip() const { return tip_; }
  size_t commits() const { return commits_; }
  size_t bytes() const { return bytes_; }  ///< kept in memory

 private:
  CommitBatch(git_repository& repository, Identity identity)
      : repository_(repository), identity_(std::move(identity)) {}

  /// `before` (empty: no tree) with the change at `path`; empty when nothing is left in it.
  Result<std::string> changed_tree(const std::string& before, std::string_view path,
                                   const std::optional<std::string>& blob);
  Result<std::string> content_of(const std::string& tree);
  Result<std::string> store(ObjectType type, std::string content, const std::string& like);
  Result<void> write_pack(const std::string& clone);
  Result<void> write_files();

  git_repository& repository_;
  Identity identity_;
  std::vector<NewObject> objects_;
  std::unordered_map<std::string, size_t> places_;  ///< of objects, by id
  size_t bytes_ = 0;
  std::string tip_, tree_;
  int64_t tip_seconds_ = 0;
  size_t commits_ = 0;
};

}  // namespace reconciler
