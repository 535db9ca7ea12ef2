// A rollout without a status file: which revision is the stable one?
#pragma once

#include "rollout/advance.h"

namespace reconciler {

/// The revision that the stable Service selects, if it has available pods; else the only one with pods (several: held);
/// without any, Git's template is deployed without steps (design.md 6, "First start").
Advance first_start(const Rollout& desired, const Observed& live, std::optional<int> collisions, TimePoint now);

}  // namespace reconciler
