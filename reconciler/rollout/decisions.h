// What people decide about a rollout under way: promote, promote-full, abort, retry, pause, resume (spec 3.7).
#pragma once

#include <optional>
#include <string>

#include "rollout/advance.h"

namespace reconciler {

/// The transition that the decision file asks for; nothing when there is none, when it was carried out already, or when
/// it does not apply: then `stale` says why.
std::optional<Advance> obey(const Rollout& desired, const Status& status, const Observed& live, TimePoint now,
                            std::string& stale);

/// Did a person pause the canary, and nobody end that yet?
bool held_by_person(const Status& status);

}  // namespace reconciler
