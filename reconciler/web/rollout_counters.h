#pragma once

#include <map>

#include "rollout/events.h"
#include "web/measured_git.h"
#include "web/measurements.h"

namespace reconciler {

/// Counts what happens to rollouts: promotions, aborts, and how long a commit and a way back took. On the loop's
/// thread.
class RolloutCounters {
 public:
  RolloutCounters(Measurements& measurements, const MeasuredGit& git, Clock& clock)
      : measurements_(measurements), git_(git), clock_(clock) {}

  void happened(const RolloutKey& key, const Status& status, const std::vector<RolloutEvent>& events);

 private:
  void time_from_commit(Measure measure, const Status& status);

  Measurements& measurements_;
  const MeasuredGit& git_;
  Clock& clock_;
  std::map<RolloutKey, Duration> returning_since_;
};

}  // namespace reconciler
