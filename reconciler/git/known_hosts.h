// Which SSH host keys are trusted: a pinned file in OpenSSH's known_hosts format, nothing learned on first use.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace reconciler {

/// Succeeds when `known_hosts` (the content of the file) lists exactly this key for `host:port`: plain, pattern and
/// hashed names, `[host]:port`. `Invalid` for an unknown host, a changed key, a revoked key.
Result<void> check_host_key(std::string_view known_hosts, std::string_view host, std::string_view port,
                            std::string_view raw_key);

}  // namespace reconciler
