#include "rollout/freeze.h"

#include "base/format.h"
#include "base/text.h"

namespace reconciler {
namespace {

/// No clock is put back by more.
constexpr Duration kClocksPutBackMax = 24h;

/// The last time up to `now` that this day brings; nothing when there is none. What comes every hour also comes in the
/// hour that clocks show again; what has an hour of its own comes once.
std::optional<TimePoint> last_start(const FreezeWindow& window, std::chrono::sys_days day, TimePoint now) {
  std::optional<TimePoint> out;
  const bool hourly = window.start.hours.all();
  for (int hour = 23; hour >= 0; --hour) {
    for (int minute = 59; minute >= 0 && window.start.hours[size_t(hour)]; --minute) {
      if (!window.start.minutes[size_t(minute)]) continue;
      const TimeZone::Shown shown = window.zone.shown({day, hour, minute});
      const TimePoint begin = hourly && shown.last <= now ? shown.last : shown.first;
      if (begin <= now && (!out || begin > *out)) out = begin;
      if (out && shown.last < *out - kClocksPutBackMax) return out;
    }
  }
  return out;
}

/// When the window that is open at `now` was opened, last; nothing when none is. With one length for all, the latest to
/// begin is the last to end.
std::optional<TimePoint> opened_at(const FreezeWindow& window, TimePoint now) {
  const TimePoint earliest = now - window.length;
  const std::chrono::sys_days last(window.zone.civil(now).day), first(window.zone.civil(earliest).day);
  for (std::chrono::sys_days day = last; day >= first; day -= std::chrono::days(1)) {
    if (!window.start.comes_on(day)) continue;
    if (auto begin = last_start(window, day, now)) return *begin > earliest ? begin : std::nullopt;
  }
  return std::nullopt;
}

bool weighs_more(const Freeze& a, const Freeze& b) { return a.hard != b.hard ? a.hard : a.until > b.until; }

}  // namespace

std::optional<Freeze> open_freeze(const std::vector<FreezeWindow>& windows, const RolloutKey& rollout, TimePoint now) {
  std::optional<Freeze> out;
  for (const FreezeWindow& window : windows) {
    if (!fits_glob(window.rollouts, rollout.text())) continue;
    auto since = opened_at(window, now);
    if (!since) continue;
    Freeze found{.since = *since, .until = *since + window.length, .reason = window.reason, .hard = window.hard};
    if (!out || weighs_more(found, *out)) out = std::move(found);
  }
  return out;
}

std::string frozen_text(const Freeze& freeze) {
  std::string until = format_time(freeze.until);
  // No window begins within a minute.
  if (until.ends_with(":00Z")) until.replace(until.size() - 4, 4, "Z");
  return format("frozen until {}{}", until, freeze.reason.empty() ? "" : ": " + freeze.reason);
}

}  // namespace reconciler
