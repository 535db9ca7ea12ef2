// The decision engine. `plan = advance + diff(live, target)`: which status and why, then what is missing for it.
// Pure: same input, same output; no clock, no log, no I/O.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rollout/action.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// What to do about one rollout, and why.
struct Decision {
  Status status;  ///< the status from now on; a transition when it differs from the one before
  std::string
      subject;  ///< of the status commit, without the rollout's name: `canary 20% (step 1/8)`; empty when no transition
  std::string why;              ///< one sentence a person on call can use; log, page, commit and CLI show this one
  std::vector<Action> actions;  ///< in order; a failed one ends the list for this pass
  std::optional<TimePoint> look_again;  ///< when time alone may change the answer
  std::string held;      ///< why nothing is decided (several stable candidates, a missing Service); empty when it is
  bool frozen = false;   ///< nothing but the end of a freeze, or a person, moves it
  bool settled = false;  ///< live agrees with the target; nothing but time or a change can move it
  bool urgent = false;   ///< an end state, or the canary lost its traffic: push at once
};

/// `status` is nothing when the rollout has no status file yet.
Decision plan(const Rollout& desired, const Observed& live, const std::optional<Status>& status, TimePoint now);

/// What keeps a rollout as it is while its manifest is refused: `last_good` is the newest one that was valid. Drift is
/// mended, and a canary without pods loses its traffic; no step is taken and nothing begins.
Decision keep(const Rollout& last_good, const Observed& live, const Status& status, TimePoint now);

/// Which invariants (design.md 8) the plan would break; empty when it may be carried out.
std::vector<std::string> violations(const Rollout& desired, const Observed& live, const Decision& decision);

/// The message of the status commit: subject, body and trailers. `requested` lists the commits since the last
/// good one, a line each, and may be empty.
std::string commit_message(const Rollout& desired, const Decision& decision, std::string_view cluster,
                           const std::vector<std::string>& requested);

/// The message for a rollout that Git asks for but that cannot be carried out; see `Status::refused`.
std::string refusal_message(const RolloutKey& key, const Status& status, std::string_view cluster);

/// The message for a rollout whose manifest is gone: its status file goes with this commit. `commit` took it away.
std::string removal_message(const RolloutKey& key, const std::string& commit, std::string_view cluster,
                            const std::vector<std::string>& requested);

}  // namespace reconciler
