#pragma once

#include <string>

#include "base/result.h"

namespace reconciler {

/// By what the daemon of this state directory is known to others: the machine's name, then what no other has. Made at
/// the first start and kept there, so that a restarted daemon is the same one. The directory must be locked.
Result<std::string> daemon_identity(const std::string& state_directory);

}  // namespace reconciler
