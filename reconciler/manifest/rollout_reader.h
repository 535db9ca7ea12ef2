#pragma once

#include "manifest/field.h"
#include "rollout/rollout.h"

namespace reconciler {

/// Types a Rollout manifest. What is invalid, unknown or not carried out yet goes to the field's findings, all of it;
/// the result is meant for use only when there are no problems.
Rollout read_rollout(const Field& manifest, RolloutKey key);

}  // namespace reconciler
