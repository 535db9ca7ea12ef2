#include "daemon/system_clock.h"

#include <ctime>

namespace reconciler {

TimePoint SystemClock::now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

/// Not steady_clock, which stands still while the machine sleeps: a lease does not.
Duration SystemClock::monotonic() {
  timespec time{};
  CHECK(::clock_gettime(CLOCK_BOOTTIME, &time) == 0);
  return std::chrono::seconds(time.tv_sec) +
         std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace reconciler
