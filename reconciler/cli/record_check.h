// Is a recorded history what Serin would have written? Each commit that touched status files is looked at by itself and
// beside the one before it about the same rollout. Pure: the caller reads Git.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/recorded.h"

namespace reconciler {

/// One thing that is not as it should be.
struct Finding {
  std::string commit;
  std::string about;  ///< a rollout, or a path
  std::string what;
  bool operator==(const Finding&) const = default;
};

/// A status file after a commit; no content when it was removed.
struct StatusFileChange {
  std::string path;
  std::optional<std::string> content;
};

/// One commit that changed something below the status directory, or says so.
struct StatusCommit {
  CommitInfo info;
  std::vector<StatusFileChange> files;
  std::vector<std::string> other_paths;  ///< what else it changed
};

class RecordCheck {
 public:
  /// `author`: who the daemon commits as, `Name <email>`.
  RecordCheck(std::string status_directory, std::string author)
      : directory_(std::move(status_directory)), author_(std::move(author)) {}

  /// The next commit, oldest first.
  void look_at(const StatusCommit& commit);

  const std::vector<Finding>& findings() const { return findings_; }
  size_t commits() const { return commits_; }
  size_t rollouts() const { return known_.size(); }

 private:
  struct Known {
    std::optional<Status> status;
    TimePoint time;
  };
  void find(const StatusCommit& commit, const std::string& about, std::string what);
  void look_at_record(const StatusCommit& commit, const Recorded& record);
  void look_at_file(const StatusCommit& commit, const Recorded& record, const StatusFileChange& file);

  const std::string directory_;
  const std::string author_;
  std::vector<Finding> findings_;
  std::map<std::string, Known> known_;  ///< by path
  size_t commits_ = 0;
};

}  // namespace reconciler
