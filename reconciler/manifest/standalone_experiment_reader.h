// An Experiment that is a manifest of its own (spec 1.8).
#pragma once

#include "manifest/field.h"
#include "rollout/rollout.h"

namespace reconciler {

/// Reads it as a Rollout whose strategy it is, and reports everything that is wrong with it.
Rollout read_standalone_experiment(const Field& manifest, RolloutKey key);

}  // namespace reconciler
