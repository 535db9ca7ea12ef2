// What would happen if a manifest were merged: the engine itself, run against an ideal cluster in which every pod is
// ready at once and every write succeeds. So a forecast can promise nothing that the engine would not do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// One transition of the forecast.
struct ForecastStep {
  Duration after;       ///< since the merge; pods take time of their own on top of it
  std::string subject;  ///< as the status commit will say: `canary 20% (step 1/8)`
  std::string why;
  int weight = 0;
  int whole = kWholeWeight;
  bool waits_for_person = false;  ///< an indefinite pause follows; the rest supposes a `promote` at once
  bool operator==(const ForecastStep&) const = default;
};

struct Forecast {
  std::vector<ForecastStep> steps;  ///< empty: merging this changes nothing about the rollout
  std::string held;                 ///< why it would not come to its end; empty when it would
  bool operator==(const Forecast&) const = default;
};

/// `status`: what is recorded now; nothing for a rollout that is not known yet, which is taken for a first deploy.
Forecast forecast(const Rollout& desired, const std::optional<Status>& status, TimePoint now);

}  // namespace reconciler
