#pragma once

#include <optional>
#include <string_view>

#include "rollout/rollout.h"

namespace reconciler {

/// What the message of a deploy commit asks for: `Rollout-Skip-Steps: yes`, `Rollout-Pause-At: 20`. Nothing without
/// such a trailer. One that makes no sense is ignored, and says so.
std::optional<DeployTrailers> deploy_trailers(std::string_view message);

/// The same as they count for this rollout when `refusal` says why whoever asks may not, or is empty.
DeployTrailers judged(DeployTrailers trailers, const Rollout& desired, const std::string& refusal);

}  // namespace reconciler
