#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace reconciler {

using Duration = std::chrono::milliseconds;
/// Wall-clock time, UTC. Waits inside the process use a monotonic clock instead.
using TimePoint = std::chrono::sys_time<Duration>;

using namespace std::chrono_literals;

/// RFC 3339 in UTC without fractions, as Kubernetes and the status files write it: `2026-11-20T09:14:03Z`.
std::string format_time(TimePoint time);

/// RFC 3339 with `Z` or an offset, fractions allowed; nothing when it is not one.
std::optional<TimePoint> parse_time(std::string_view text);

/// `500ms`, `60s`, `5m`, `1h`, and sums of those (`1h30m`); a bare number is seconds. Nothing when it is not one,
/// or when it does not fit.
std::optional<Duration> parse_duration(std::string_view text);

/// The shortest text that `parse_duration` reads back: `500ms`, `90s`, `5m`, `1h30m`; `0s`.
std::string format_duration(Duration duration);

/// The time cut to whole seconds, as it is recorded.
inline TimePoint whole_seconds(TimePoint time) { return std::chrono::floor<std::chrono::seconds>(time); }

}  // namespace reconciler
