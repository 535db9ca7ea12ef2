#include "cli/moment.h"

#include <string>

namespace reconciler {

std::optional<TimePoint> parse_moment(std::string_view text) {
  if (std::optional<TimePoint> exact = parse_time(text)) return exact;
  if (text.size() == std::string_view("2026-11-22").size()) return parse_time(std::string(text) + "T00:00:00Z");
  constexpr size_t kMinutesEnd = std::string_view("2026-11-22T10:00").size();
  if (text.size() <= kMinutesEnd) return std::nullopt;
  return parse_time(std::string(text.substr(0, kMinutesEnd)) + ":00" + std::string(text.substr(kMinutesEnd)));
}

}  // namespace reconciler
