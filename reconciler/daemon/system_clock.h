#pragma once

#include "ports.h"

namespace reconciler {

/// The machine's clock; the only place that reads it.
class SystemClock : public Clock {
 public:
  TimePoint now() override;
  Duration monotonic() override;
};

}  // namespace reconciler
