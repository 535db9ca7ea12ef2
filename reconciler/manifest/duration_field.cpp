#include "manifest/duration_field.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace reconciler {
namespace {

/// `1h30m`, `1.5m`, `90`, `500ms`: what the Rollout API takes for a length of time.
std::optional<Duration> parse_length(std::string_view text) {
  struct Unit {
    std::string_view name;
    double milliseconds;
  };
  constexpr Unit kUnits[] = {{"ns", 1e-6}, {"us", 1e-3},  {"\xC2\xB5s", 1e-3}, {"ms", 1},
                             {"s", 1e3},   {"m", 60'000}, {"h", 3'600'000},    {"", 1e3}};
  constexpr double kLongest = 100.0 * 366 * 24 * 3'600'000;
  bool whole = !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  double sum = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    double count = 0;
    auto end = std::from_chars(text.data(), text.data() + digits, count, std::chars_format::fixed);
    if (end.ec != std::errc() || end.ptr != text.data() + digits) return std::nullopt;
    text.remove_prefix(digits);
    size_t letters = std::min(text.find_first_of("0123456789."), text.size());
    std::string_view name = text.substr(0, letters);
    text.remove_prefix(letters);
    if (name.empty() && !whole && count != 0) return std::nullopt;
    auto unit = std::find_if(std::begin(kUnits), std::end(kUnits), [&](const Unit& u) { return u.name == name; });
    if (unit == std::end(kUnits)) return std::nullopt;
    sum += count * unit->milliseconds;
    if (sum > kLongest) return std::nullopt;
  }
  return Duration(int64_t(std::llround(sum)));
}

}  // namespace

std::optional<Duration> read_duration(const Field& field) {
  if (!field.present()) return std::nullopt;
  const Json& value = field.json();
  std::optional<Duration> length;
  if (value.is_number_integer() && value >= 0)
    length = parse_length(dump(value));
  else if (value.is_string())
    length = parse_length(value.get_ref<const std::string&>());
  if (!length) field.problem("must be seconds, or a duration such as 90s, 5m or 1h30m, not negative");
  return length;
}

}  // namespace reconciler
