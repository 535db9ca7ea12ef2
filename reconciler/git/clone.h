// The bare clone in the state directory: made, found again, cleaned of what a killed process left, and its refs.
#pragma once

#include <string>

#include "base/result.h"
#include "git/handle.h"

namespace reconciler {

/// `<state_directory>/repository.git` of `url`, made (mode 0700) when it does not exist. A clone of another URL is set
/// aside beside it, since it may hold status commits that were never pushed, and a new one begun.
Result<std::string> prepare_clone(const std::string& state_directory, const std::string& url);

/// One handle on the clone; each thread needs its own.
Result<Owned<git_repository>> open_clone(const std::string& path);

/// The commit a ref of ours (`refs/serin/<name>`) points to; empty when there is none, `Invalid` when it is damaged.
Result<std::string> read_own_ref(git_repository& repository, const std::string& name);

/// Points a ref of ours to `commit`, durably; removes it when `commit` is empty.
Result<void> write_own_ref(const std::string& clone, const std::string& name, const std::string& commit);

}  // namespace reconciler
