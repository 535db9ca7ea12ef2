// Git's objects in memory: commits are found by id, know their parent, and share the contents of their files.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"

namespace reconciler {

/// Paths to blob ids.
using SimTree = std::map<std::string, std::string>;

struct SimCommit {
  std::string id;
  std::string parent;  ///< empty for the first
  int depth = 0;
  std::shared_ptr<const SimTree> tree;
  std::string author;
  TimePoint time;
  std::string message;
  int serial = 0;  ///< of a status commit: the same after it was made again on another parent; 0 for people's
};

/// A file that becomes this content, or goes.
struct FileChange {
  std::string path;
  std::optional<std::string> content;
};

class Commits {
 public:
  std::string store_blob(const std::string& content);
  const std::string& blob(const std::string& id) const { return blobs_.at(id); }
  bool has_blob(const std::string& id) const { return blobs_.contains(id); }

  /// The commit that makes `changes` on `parent`; its id follows from what it says, as in Git.
  std::string make(const std::string& parent, const std::vector<FileChange>& changes, const std::string& author,
                   TimePoint time, const std::string& message, int serial);
  /// Null when there is none.
  const SimCommit* find(const std::string& id) const;

  /// Is `ancestor` the same commit or one before it? The empty commit comes before all.
  bool contains(const std::string& id, const std::string& ancestor) const;
  /// The newest commit that both hold; empty when none.
  std::string merge_base(std::string a, std::string b) const;
  /// Commits of `id` that `without` does not hold, oldest first.
  std::vector<const SimCommit*> after(const std::string& without, const std::string& id) const;
  /// The blob at a path; nothing when the commit has no such file.
  std::optional<std::string> blob_at(const std::string& id, const std::string& path) const;

 private:
  std::unordered_map<std::string, SimCommit> commits_;
  std::unordered_map<std::string, std::string> blobs_;
};

/// The branch that everybody in a simulation works on.
inline constexpr const char* kBranch = "main";

/// The remote repository that everybody pushes to.
struct SimRemote {
  Commits commits;
  std::map<std::string, std::string> branches;
  std::map<std::string, std::string> signers;  ///< of the commits that are signed
  int serials = 0;                             ///< status commits made so far, pushed or not

  /// One commit of a person on `branch`, which is made when missing. Returns its id.
  std::string commit(const std::string& branch, const std::vector<FileChange>& changes, TimePoint time,
                     const std::string& message, const std::string& author = "Ada <ada@example.com>");
  /// The content at the tip; nothing when there is no such file.
  std::optional<std::string> read(const std::string& branch, const std::string& path) const;
};

}  // namespace reconciler
