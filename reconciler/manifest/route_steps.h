#pragma once

#include <optional>

#include "manifest/field.h"
#include "rollout/traffic_routing.h"

namespace reconciler {

/// A setHeaderRoute or setMirrorRoute; nothing for other steps.
std::optional<ManagedRoute> read_route_step(const Field& step);

}  // namespace reconciler
