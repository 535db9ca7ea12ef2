#pragma once

#include <algorithm>

#include "base/time.h"

namespace reconciler {

/// A rate limit without a clock of its own: one call each `interval` in the long run, `burst` of them at once after a
/// rest. An interval of zero is no limit.
class Pace {
 public:
  Pace(std::chrono::nanoseconds interval, int burst) : interval_(interval), burst_(burst) {}

  /// Takes the next place in the queue: how long the caller has to wait for it from `now` on.
  std::chrono::nanoseconds reserve(std::chrono::nanoseconds now) {
    const auto begin = std::max(next_, now);
    next_ = begin + interval_;
    return std::max<std::chrono::nanoseconds>(begin - now - interval_ * (burst_ - 1), std::chrono::nanoseconds(0));
  }

 private:
  const std::chrono::nanoseconds interval_;
  const int burst_;
  std::chrono::nanoseconds next_{0};  ///< when a call would fit without any burst
};

}  // namespace reconciler
