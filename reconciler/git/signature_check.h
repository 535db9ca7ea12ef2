// Whether a commit was signed by somebody who may: SSH signatures against an allowed-signers file (`ssh-keygen`),
// OpenPGP signatures against a keyring (`gpgv`).
#pragma once

#include <string>

#include "base/result.h"
#include "git/handle.h"

namespace reconciler {

/// Who may sign. Either file may be missing; then nobody may in that way.
struct SignerFiles {
  std::string allowed_signers_file;  ///< as of ssh-keygen(1)
  std::string keyring_file;          ///< as of gpgv(1): `gpg --export`
  bool empty() const { return allowed_signers_file.empty() && keyring_file.empty(); }
};

/// Whose good signature, today, the commit carries: the principals that the allowed signers name for that key, as they
/// stand there, or the fingerprint of the OpenPGP key. `Invalid` when it carries none or another;
/// `Transient` when that could not be found out. `folder`: where a signature may lie while it is looked at.
Result<std::string> check_signature(git_repository& repository, const std::string& commit, const SignerFiles& signers,
                                    const std::string& folder);

}  // namespace reconciler
