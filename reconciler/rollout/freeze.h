// Times in which nothing new goes forward, and which of them is now.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rollout/cron.h"
#include "rollout/rollout.h"

namespace reconciler {

/// The longest that one window lasts.
inline constexpr Duration kFreezeMax = std::chrono::hours(24 * 31);

/// From each time that `start` names, on the wall clocks of `zone`, for `length` of real time. A time that clocks skip
/// begins at the jump; one that they show twice, the first time (in every hour: both times).
struct FreezeWindow {
  std::string rollouts;  ///< `shop/*`
  Cron start;
  TimeZone zone;
  Duration length{0};
  std::string reason;
  bool hard = false;
  bool operator==(const FreezeWindow&) const = default;
};

/// The window over this rollout that is open now: a hard one before others, else the one that ends last.
std::optional<Freeze> open_freeze(const std::vector<FreezeWindow>& windows, const RolloutKey& rollout, TimePoint now);

/// `frozen until 2026-12-01T08:00Z: Black Friday`
std::string frozen_text(const Freeze& freeze);

}  // namespace reconciler
