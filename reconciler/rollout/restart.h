// restartAt: every pod created before that moment is evicted once, a few at a time (spec 3.12). Which pods are older is
// seen on them, so there is nothing to remember.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "rollout/action.h"
#include "rollout/observed.h"
#include "rollout/target.h"

namespace reconciler {

struct Restart {
  std::vector<PodState> evict;          ///< now, within what may be unavailable
  int left = 0;                         ///< pods older than restartAt, those among them
  std::optional<TimePoint> look_again;  ///< when it is due
};

/// Pods that restartAt, which lies behind, asks to replace and that are still there.
int pods_to_restart(const Rollout& desired, const Observed& live, TimePoint now);

Restart restart(const Rollout& desired, const Observed& live, const Target& target, TimePoint now);

}  // namespace reconciler
