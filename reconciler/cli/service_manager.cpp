#include "cli/service_manager.h"

#include <systemd/sd-daemon.h>

namespace reconciler {

void tell_ready() { sd_notify(0, "READY=1"); }
void tell_stopping() { sd_notify(0, "STOPPING=1"); }
void tell_status(const std::string& text) { sd_notify(0, ("STATUS=" + text).c_str()); }
void tell_alive() { sd_notify(0, "WATCHDOG=1"); }

Duration alive_interval() {
  uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) <= 0) return Duration::max();
  // Half of what is allowed, as systemd advises.
  return std::chrono::duration_cast<Duration>(std::chrono::microseconds(microseconds / 2));
}

}  // namespace reconciler
