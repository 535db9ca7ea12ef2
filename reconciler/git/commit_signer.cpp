#include "git/commit_signer.h"

#include "base/child_process.h"
#include "base/credential_file.h"
#include "base/format.h"

namespace reconciler {

Result<std::string> CommitSigner::sign(const std::string& commit) const {
  auto key = read_secret_file(key_file_, "signing key file");
  if (!key) return key.error();
  wipe(*key);
  auto done = run_child(
      {.program = "ssh-keygen", .arguments = {"-q", "-Y", "sign", "-n", "git", "-f", key_file_}, .input = commit});
  if (!done) return done.error();
  const std::string& signature = done->output;
  if (done->exit_code != 0 || !signature.starts_with("-----BEGIN SSH SIGNATURE-----"))
    return invalid(format("signing key file {}: cannot sign: {}", key_file_,
                          done->complaint.substr(0, done->complaint.find('\n'))));
  // Git stores it without the last newline.
  return signature.substr(0, signature.find_last_not_of('\n') + 1);
}

}  // namespace reconciler
