#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/recorded.h"

namespace reconciler {

/// What `serin history` shows: transitions of one rollout on one cluster, oldest first.
struct History {
  std::vector<Recorded> transitions;
  std::map<std::string, Request> requests;  ///< by commit id, as far as they are known
};

/// One paragraph a transition: when, phase, weight, how long it lasted, what; then why, and who asked or decided when
/// that is news. `now` ends the last one.
std::string history_text(const History& history, TimePoint now);

Json history_json(const History& history);

}  // namespace reconciler
