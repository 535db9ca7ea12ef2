// Files that hold what proves who we are, or whom we trust. They are read anew at each use, so that they may be renewed
// while the program runs, and a file that the wrong people could read or replace is refused.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace reconciler {

/// The whole text of a file with a secret. `Invalid` when it is missing, too large, open to others (a group may read
/// it, as with mounted Secrets, but not write it), or belongs to another user than us and root. `what` begins the
/// error: `token file /run/x: others may read it; run chmod 600 on it`.
Result<std::string> read_secret_file(const std::string& path, std::string_view what);

/// A secret of one line, without the newline that people end files with; `Invalid` when it is empty or longer.
Result<std::string> read_secret_line(const std::string& path, std::string_view what);

/// The whole text of a file that says whom to trust (certificates, known hosts, allowed signers): anybody may read it,
/// but nobody else may write it.
Result<std::string> read_trust_file(const std::string& path, std::string_view what);

/// Overwrites a secret in memory and empties it.
void wipe(std::string& secret);

}  // namespace reconciler
