// The lengths of time that a Rollout names.
#pragma once

#include <optional>

#include "base/time.h"
#include "manifest/field.h"

namespace reconciler {

/// Seconds, or `90s`, `5m`, `1h30m`; nothing when the field is absent. A problem when it is neither, or negative.
std::optional<Duration> read_duration(const Field& field);

}  // namespace reconciler
