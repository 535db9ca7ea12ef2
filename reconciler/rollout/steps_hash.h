#pragma once

#include "rollout/typed_encoding.h"

namespace reconciler {

/// Argo's currentStepHash of `spec.strategy.canary.steps` as written in Git; null stands for absent. `Invalid` when a
/// step does not have the types of the Rollout API.
Result<std::string> steps_hash(const Json& steps);

/// The typed encoding behind it: names each member that does not fit, and each one that is unknown.
TypedEncoding encode_steps(const Json& steps);

}  // namespace reconciler
