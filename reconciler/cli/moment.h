#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace reconciler {

/// A moment as a person types it: RFC 3339, without seconds (`2026-11-22T10:00Z`), or a date (its first second, UTC).
std::optional<TimePoint> parse_moment(std::string_view text);

}  // namespace reconciler
