#include "base/time_zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>

namespace reconciler {
namespace {

constexpr size_t kNameMax = 64;

/// The library would also take a path, or what the environment says.
bool is_zone_name(std::string_view name) {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' ||
           c == '-' || c == '/';
  };
  return !name.empty() && name.size() <= kNameMax && name.front() != '/' && name != "localtime" &&
         std::all_of(name.begin(), name.end(), fits);
}

TimePoint time_point(absl::Time time) { return TimePoint(Duration(absl::ToUnixMillis(time))); }

}  // namespace

struct TimeZone::Rules {
  absl::TimeZone zone;
};

std::optional<TimeZone> TimeZone::named(std::string_view name) {
  auto rules = std::make_shared<Rules>();
  if (!is_zone_name(name) || !absl::LoadTimeZone(absl::string_view(name.data(), name.size()), &rules->zone))
    return std::nullopt;
  return TimeZone(std::string(name), std::move(rules));
}

CivilMinute TimeZone::civil(TimePoint time) const {
  const absl::CivilSecond at = rules_->zone.At(absl::FromUnixMillis(time.time_since_epoch().count())).cs;
  return {.day = std::chrono::year(int(at.year())) / at.month() / at.day(), .hour = at.hour(), .minute = at.minute()};
}

TimeZone::Shown TimeZone::shown(const CivilMinute& minute) const {
  const absl::CivilSecond at(int(minute.day.year()), int(unsigned(minute.day.month())), int(unsigned(minute.day.day())),
                             minute.hour, minute.minute, 0);
  const absl::TimeZone::TimeInfo info = rules_->zone.At(at);
  // Of a skipped one `pre` would be later than the jump.
  if (info.kind == absl::TimeZone::TimeInfo::SKIPPED) return {time_point(info.trans), time_point(info.trans)};
  return {time_point(info.pre), time_point(info.post)};
}

}  // namespace reconciler
