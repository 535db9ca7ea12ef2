#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/recorded.h"

namespace reconciler {

/// One status file as recorded in Git, and the commit that brought it where that was looked up.
struct StatusEntry {
  std::string cluster;
  RolloutKey rollout;
  Status status;
  std::optional<Recorded> last;
};

/// All rollouts, a line each; a column for the cluster when there are several.
std::string status_table(const std::vector<StatusEntry>& entries, TimePoint now);

/// One rollout with its revisions, what was rejected and decided, and why it is where it is.
std::string status_tree(const StatusEntry& entry, TimePoint now);

Json status_json(const std::vector<StatusEntry>& entries);

/// Who had which share of the traffic: `v1 80%, v2 20%`, as images.
std::string serving_text(const Status& status);

/// What served at a time, a line each.
std::string serving_table(const std::vector<StatusEntry>& entries);

Json serving_json(const std::vector<StatusEntry>& entries, TimePoint at);

}  // namespace reconciler
