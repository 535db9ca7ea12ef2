#pragma once

#include <optional>

#include "rollout/observed.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// `desired` under the hash by which it is known already: what was recorded or what runs may carry the hash that older
/// controllers made of the same template. A hash function that changed never starts an update (spec 2.1).
Rollout with_known_hash(Rollout desired, const Observed& live, const std::optional<Status>& status);

}  // namespace reconciler
