#pragma once

#include <string>

#include "base/time.h"

namespace reconciler {

/// What systemd wants to hear (sd_notify); all of it does nothing without systemd.
void tell_ready();
void tell_stopping();
void tell_status(const std::string& text);
void tell_alive();

/// How often `tell_alive` must be called; `Duration::max()` when nobody watches.
Duration alive_interval();

}  // namespace reconciler
