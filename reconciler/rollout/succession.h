// May one recorded status follow another? A history in which one may not has a gap, or was written by somebody else.
// Pure; kept true by the simulator, which asks it about every transition it sees.
#pragma once

#include <optional>
#include <string>

#include "rollout/status.h"

namespace reconciler {

/// Why `after` cannot be the very next transition after `before` (nothing: the first one); empty when it can.
std::string broken_succession(const std::optional<Status>& before, const Status& after);

}  // namespace reconciler
