// What the commands that read Git alone have in common: their options, the branches they read, the statuses recorded
// there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/status_text.h"
#include "git/git_history.h"

namespace reconciler {

/// `--repo`, `--branch`, `--status-branch`, `--cluster-name`, `--status-directory`, `--output text|json`,
/// and how to reach a repository elsewhere.
std::vector<Option> git_view_options();

struct GitView {
  GitHistory git;
  std::string branch;      ///< the tip of the watched branch
  std::string status_tip;  ///< the commit whose status files count
  std::string status_directory;
  std::string cluster;  ///< only this one; empty: all
};

Result<GitView> open_git_view(const Options& options);

/// The statuses as of `commit`, ordered by cluster and name.
Result<std::vector<StatusEntry>> statuses_at(const GitView& view, const std::string& commit);

/// The status file at `path` as of `commit`; nothing when it is not there.
Result<std::optional<Status>> status_at(const GitView& view, const std::string& commit, const std::string& path);

/// The entries that `[namespace/]name` stands for. `Invalid` when there is none, or when a name without its namespace
/// could be several rollouts.
Result<std::vector<StatusEntry>> named(std::vector<StatusEntry> entries, const std::string& name);

/// A status file by its path: `status/<cluster>/<namespace>/<name>.yaml`; nothing for other paths.
struct StatusPlace {
  std::string cluster;
  RolloutKey rollout;
};
std::optional<StatusPlace> status_place(const std::string& directory, const std::string& path);

/// Which rollouts have a status file as of `commit`, ordered by path; no file is read.
Result<std::vector<StatusPlace>> places_at(const GitView& view, const std::string& commit);

/// As above, of places.
Result<std::vector<StatusPlace>> named(std::vector<StatusPlace> places, const std::string& name);

/// The path of a recorded rollout.
std::string status_path(const GitView& view, const StatusEntry& entry);
std::string status_path(const GitView& view, const StatusPlace& place);

/// What a status commit tells, of the clusters that are looked at. A message is only words: nothing, when the commit
/// left the file of the rollout alone that it claims to be about.
Result<std::optional<Recorded>> transition_in(const GitView& view, const CommitInfo& commit);

}  // namespace reconciler
