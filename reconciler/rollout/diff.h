// What is missing between the live cluster and the target, in a safe order.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "rollout/action.h"
#include "rollout/observed.h"
#include "rollout/target.h"

namespace reconciler {

struct Difference {
  /// Ordered. Pods come up before traffic arrives, and traffic leaves before pods go, so that a crash between any
  /// two actions leaves every request with someone to answer it.
  std::vector<Action> actions;
  /// What no action can hasten, as a person would say it: `waiting for 1 of 2 canary pods: image cannot be pulled`.
  std::string waiting;
  /// Stable pods that are missing while a canary is under way. A step does not wait for them: a new version may be the
  /// very thing that mends an ailing stable one.
  std::string stable_is_short;
  std::string experiment_is_short;      ///< missing pods of an experiment, which `waiting` tells of too
  std::string restarting;               ///< pods that restartAt asks to replace; empty when there are none
  std::optional<TimePoint> look_again;  ///< when time alone brings more to do
  /// Nothing to do and nothing to wait for; pods that linger until their deadline do not count.
  bool agrees() const { return step_agrees() && stable_is_short.empty(); }
  /// The same as far as a step of the canary is concerned.
  bool step_agrees() const { return actions.empty() && waiting.empty(); }
};

/// Deadlines in SetScaleDownDeadline actions are set to `now` + linger. An object the rollout needs and that is
/// missing, or routes that do not fit, is `Invalid`: then nothing may be done.
Result<Difference> diff(const Rollout& desired, const Observed& live, const Target& target, TimePoint now);

}  // namespace reconciler
