// What a person's decision is about, as far as the recorded status tells. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/status_text.h"
#include "rollout/rollout.h"

namespace reconciler {

/// The decision about the revision that `entry` shows on its way in (for `retry`: the one that was rejected or is
/// stuck). `promote` and `resume` are bound to the step as well, since a later step is another question. `Invalid`
/// when there is nothing to decide.
Result<RolloutDecision> decision_about(const StatusEntry& entry, Verb verb, const std::string& reason);

/// `shop/checkout: promote v2 at step 1/8`
std::string decision_subject(const StatusEntry& entry, const RolloutDecision& decision);

/// The message of the commit that brings it.
std::string decision_message(const StatusEntry& entry, const RolloutDecision& decision);

}  // namespace reconciler
