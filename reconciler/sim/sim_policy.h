// The policy of the people in a simulation, as they mean it: drawn, written as a file, and judged in a simple way of
// its own, so that what the program makes of the file can be compared with it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "rollout/rollout.h"
#include "sim/commits.h"
#include "sim/random.h"

namespace reconciler {

struct SimPolicy {
  /// From this minute of each hour, in UTC.
  struct Window {
    int minute = 0;
    int length = 0;  ///< minutes, less than an hour
    bool hard = false;
  };
  struct Open {
    TimePoint since;
    bool hard = false;
  };

  bool readable = true;
  std::set<std::string> authors;  ///< e-mail addresses; empty: there are no rules
  bool signed_only = false;
  bool four_eyes = false;
  bool trailers = false;
  bool anybody_aborts = false;
  std::vector<Window> windows;

  static SimPolicy draw(Random& random);
  std::string text() const;

  /// May this commit decide about a change that `change` asked for? `change` may be null.
  bool may_decide(const SimRemote& remote, const SimCommit& commit, Verb verb, const SimCommit* change) const;
  bool may_use_trailers(const SimRemote& remote, const SimCommit& commit) const;
  /// The window that is open then; a hard one before others.
  std::optional<Open> open_at(TimePoint time) const;

 private:
  bool knows(const SimRemote& remote, const SimCommit& commit) const;
};

}  // namespace reconciler
