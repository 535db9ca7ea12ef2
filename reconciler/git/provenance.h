// Who stands behind a commit: whose signature it carries, and who wrote what it brings.
#pragma once

#include <string>

#include "base/result.h"
#include "git/handle.h"
#include "git/signature_check.h"
#include "ports.h"

namespace reconciler {

/// GitRepository::provenance; `signers` may be empty, and `folder` is where a signature may lie while it is looked at.
Result<Provenance> provenance_of(git_repository& repository, const std::string& commit, const std::string& path,
                                 const SignerFiles& signers, const std::string& folder);

}  // namespace reconciler
