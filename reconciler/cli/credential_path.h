#pragma once

#include <string>

#include "base/result.h"

namespace reconciler {

/// The path that an option with a file means: as it is, or `credential:NAME` for the file NAME that the service manager
/// put into `$CREDENTIALS_DIRECTORY` (systemd's LoadCredential=). `Invalid` when there is no such directory.
Result<std::string> credential_path(const std::string& option, const std::string& value);

}  // namespace reconciler
