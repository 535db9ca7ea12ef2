// Signing commits with an SSH key, as `git commit -S` does with gpg.format=ssh.
#pragma once

#include <string>

#include "base/result.h"

namespace reconciler {

class CommitSigner {
 public:
  /// `key_file`: a private key that OpenSSH reads, without a passphrase. Read anew for each commit.
  explicit CommitSigner(std::string key_file) : key_file_(std::move(key_file)) {}

  /// The armoured signature of a commit's text. `Transient` when `ssh-keygen` does not end in time, `Invalid` when it
  /// cannot use the key.
  Result<std::string> sign(const std::string& commit) const;

 private:
  std::string key_file_;
};

}  // namespace reconciler
