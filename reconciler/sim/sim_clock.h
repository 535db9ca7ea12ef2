#pragma once

#include "ports.h"

namespace reconciler {

/// Time that passes when its owner says so.
class SimClock : public Clock {
 public:
  explicit SimClock(TimePoint start) : start_(start) {}
  TimePoint now() override { return start_ + passed_; }
  Duration monotonic() override { return passed_; }

  Duration passed() const { return passed_; }
  TimePoint start() const { return start_; }
  /// Never goes back.
  void advance_to(Duration passed) {
    if (passed > passed_) passed_ = passed;
  }

 private:
  TimePoint start_;
  Duration passed_{0};
};

}  // namespace reconciler
