// The step that runs an experiment (spec 1.3).
#pragma once

#include "manifest/field.h"
#include "rollout/rollout.h"

namespace reconciler {

Experiment read_experiment(const Field& experiment);

/// What only the whole Rollout tells: whether there is a router for the weights, and room for them beside the canary's;
/// and whether the names of Services are not too long.
void check_experiments(const Field& canary, const Rollout& rollout);

PodMetadata read_pod_metadata(const Field& metadata);

}  // namespace reconciler
