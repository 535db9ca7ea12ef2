// What a status commit tells, read back from its message and the status file it brought.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ports.h"
#include "rollout/status.h"

namespace reconciler {

/// One transition as it stands in Git.
struct Recorded {
  CommitInfo commit;  ///< its time is the moment of the decision
  RolloutKey rollout;
  std::string cluster;
  std::string subject;  ///< without the rollout's name: `canary 20% (step 1/8)`
  std::string why;
  std::string phase;
  std::string step;  ///< `1/8`; empty without steps
  std::string weight;
  std::string revision;
  std::string image;
  std::string requested;         ///< the commit that asked for it
  std::optional<Status> status;  ///< the file as of this commit; filled in by the caller
};

/// Nothing when the message is not that of a status commit.
std::optional<Recorded> read_recorded(const CommitInfo& commit);

/// The commit that asked for something, as far as the clone has it.
struct Request {
  std::string author;
  std::string subject;
  std::string committer;             ///< empty when it is the author
  std::vector<std::string> authors;  ///< of what a merge brought; its own author then merged it
};

/// The first line of a message.
std::string subject_of(const std::string& message);

}  // namespace reconciler
