// The options that say how to prove who we are to a Git server: once for reading, and, where pushing needs other
// rights, once more for that.
#pragma once

#include <vector>

#include "base/result.h"
#include "cli/options.h"
#include "git/remote.h"
#include "git/trust.h"

namespace reconciler {

/// `--git-...` and `--push-...`, `--github-...`.
std::vector<Option> git_access_options();

/// Those; who may sign, and what we sign with.
std::vector<Option> git_credential_options();

/// What they say. `Invalid` when they contradict each other. The files are not looked at yet.
Result<RemoteOptions> remote_options(const Options& given);

/// Which commits may be deployed. `Invalid` when it is not said who may sign.
Result<TrustOptions> trust_options(const Options& given);

}  // namespace reconciler
