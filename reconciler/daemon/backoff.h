#pragma once

#include <algorithm>

#include "base/time.h"

namespace reconciler {

/// Waits that grow with each failure and start over with a success.
class Backoff {
 public:
  Backoff(Duration first, double factor, Duration longest) : first_(first), factor_(factor), longest_(longest) {}

  /// The next wait, shortened by up to `spread` (0 to 1) depending on `tick`: any number that differs from process to
  /// process and from time to time, so that many daemons do not call at once.
  Duration next(int64_t tick, double spread) {
    wait_ = failures_ == 0 ? first_ : std::min(longest_, Duration(int64_t(double(wait_.count()) * factor_)));
    ++failures_;
    const uint64_t mixed = uint64_t(tick) * 0x9e3779b97f4a7c15u;
    const double share = double(mixed >> 40) / double(1u << 24);
    return Duration(int64_t(double(wait_.count()) * (1.0 - spread * share)));
  }

  void succeed() { failures_ = 0; }
  int failures() const { return failures_; }

 private:
  Duration first_;
  double factor_;
  Duration longest_;
  Duration wait_{0};
  int failures_ = 0;
};

}  // namespace reconciler
