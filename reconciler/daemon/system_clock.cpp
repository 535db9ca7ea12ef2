#include "daemon/system_clock.h"

namespace reconciler {

TimePoint SystemClock::now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

Duration SystemClock::monotonic() {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace reconciler
