// The GitRepository port over a remote in memory, with the same two sides as the real clone: the branch as fetched
// ("theirs") and our status commits on top of it ("ours"), built again on the fetched tip just before a push.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "ports.h"
#include "sim/commits.h"

namespace reconciler {

/// What a disk keeps of the clone when the process is killed.
struct SimClone {
  std::string theirs;  ///< empty before the first poll
  std::string base;    ///< what ours is built on
  std::string ours;
};

class SimGit : public GitRepository {
 public:
  SimGit(SimRemote& remote, SimClone& clone, std::string status_directory = "status")
      : remote_(remote), clone_(clone), status_directory_(std::move(status_directory)) {}

  /// Called in a push between looking at the remote and moving its branch: the moment in which others may be faster.
  std::function<void()> in_the_middle_of_a_push;
  /// Called with each status commit as soon as it is durable.
  std::function<void(const SimCommit&)> on_record;
  /// Called with each status commit that is dropped for good.
  std::function<void(const SimCommit&)> on_dropped;
  /// Called with what `recorded` answers.
  std::function<void(const std::vector<std::pair<std::string, std::string>>&)> on_recorded_read;
  /// Called when status commits became part of the remote's branch.
  std::function<void()> on_pushed;

  Result<Head> poll() override;
  std::optional<std::string> head() override;
  Result<std::vector<TreeChange>> changes(const std::string& from, const std::string& to,
                                          const std::string& directory) override;
  Result<std::string> read(const std::string& blob, size_t bytes_max) override;
  Result<std::vector<CommitInfo>> commits_touching(const std::string& path, const std::string& from,
                                                   const std::string& to, size_t limit) override;
  Result<std::optional<std::string>> file(const std::string& commit, const std::string& path,
                                          size_t bytes_max) override;
  Result<Provenance> provenance(const std::string& commit, const std::string& path) override;
  Result<std::vector<std::pair<std::string, std::string>>> recorded(const std::string& directory) override;
  Result<void> record(const std::vector<StatusWrite>& writes) override;
  Result<PushReport> push() override;
  size_t unpushed() override;
  Result<std::vector<std::string>> drop_outdated() override;

 private:
  enum class OnForeignChange { Overwrite, Drop };
  Result<void> follow();
  std::set<std::string> foreign_since(const std::string& base) const;
  std::set<std::string> rebuild(OnForeignChange on_foreign_change);
  std::string make_again(const SimCommit& commit, const std::string& parent);
  std::string path_of(const SimCommit& commit) const;
  bool is_status(const std::string& path) const;

  SimRemote& remote_;
  SimClone& clone_;
  const std::string status_directory_;
  std::string complaint_;
  std::set<std::string> foreign_;  ///< status files that others changed and we have not written since
};

}  // namespace reconciler
