#include "base/time.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace reconciler {
namespace {

using namespace std::chrono;

/// Reads exactly `digits` digits at the front of `text` and removes them.
std::optional<int> take_number(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == any_of.npos) return false;
  text.remove_prefix(1);
  return true;
}

/// `.123456789` as milliseconds, cut; at least one digit must follow the point.
std::optional<Duration> take_fraction(std::string_view& text) {
  if (!take(text, ".")) return 0ms;
  int value = 0, scale = 1000;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    scale /= 10;
    value += (text.front() - '0') * scale;
    text.remove_prefix(1);
  }
  return Duration(value);
}

/// `Z`, `+02:00`; what must be taken off the local time.
std::optional<minutes> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return 0min;
  bool east = !text.empty() && text.front() == '+';
  if (!take(text, "+-")) return std::nullopt;
  auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return minutes((east ? 1 : -1) * (*hour * 60 + *minute));
}

struct Unit {
  std::string_view name;
  Duration length;
};
constexpr std::array<Unit, 5> kUnits{{{"ms", 1ms}, {"s", 1s}, {"m", 1min}, {"h", 1h}, {"d", 24h}}};
constexpr Duration kLongest = hours(24 * 366 * 100);

}  // namespace

std::string format_time(TimePoint time) {
  auto day = floor<days>(time);
  year_month_day date(day);
  hh_mm_ss clock(floor<seconds>(time - day));
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", int(date.year()), unsigned(date.month()),
                unsigned(date.day()), int(clock.hours().count()), int(clock.minutes().count()),
                int(clock.seconds().count()));
  return text;
}

std::optional<TimePoint> parse_time(std::string_view text) {
  auto y = take_number(text, 4);
  if (!y || !take(text, "-")) return std::nullopt;
  auto m = take_number(text, 2);
  if (!m || !take(text, "-")) return std::nullopt;
  auto d = take_number(text, 2);
  if (!d || !take(text, "Tt ")) return std::nullopt;
  auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  auto minute = take_number(text, 2);
  if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
  auto second = take_number(text, 2);
  if (!second || *second > 60) return std::nullopt;
  auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  auto offset = take_offset(text);
  year_month_day date{year(*y), month(unsigned(*m)), day(unsigned(*d))};
  if (!offset || !text.empty() || !date.ok()) return std::nullopt;
  return TimePoint(sys_days(date)) + hours(*hour) + minutes(*minute) + seconds(*second) + *fraction - *offset;
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  Duration sum = 0ms;
  bool bare_allowed = true;
  while (!text.empty()) {
    int64_t count = 0;
    auto end = std::from_chars(text.data(), text.data() + text.size(), count);
    if (end.ec != std::errc() || count < 0) return std::nullopt;
    text.remove_prefix(size_t(end.ptr - text.data()));
    size_t letters = std::min(text.find_first_of("0123456789"), text.size());
    std::string_view name = text.substr(0, letters);
    text.remove_prefix(letters);
    if (name.empty() && !(bare_allowed && text.empty())) return std::nullopt;
    if (name.empty()) name = "s";
    bare_allowed = false;
    bool known = false;
    for (const Unit& unit : kUnits) {
      if (unit.name != name) continue;
      if (count > kLongest / unit.length) return std::nullopt;
      sum += unit.length * count;
      known = true;
    }
    if (!known || sum > kLongest) return std::nullopt;
  }
  return sum;
}

std::string format_duration(Duration duration) {
  if (duration < 0ms) return "-" + format_duration(-duration);
  if (duration % 1s != 0ms) return std::to_string(duration.count()) + "ms";
  auto total = duration_cast<seconds>(duration).count();
  auto h = total / 3600, m = total % 3600 / 60, s = total % 60;
  std::string text;
  if (h) text += std::to_string(h) + "h";
  if (m) text += std::to_string(m) + "m";
  if (s || text.empty()) text += std::to_string(s) + "s";
  return text;
}

}  // namespace reconciler
