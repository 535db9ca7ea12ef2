#include "git/signature_check.h"

#include <fcntl.h>
#include <git2.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "base/child_process.h"
#include "base/credential_file.h"
#include "base/format.h"
#include "base/log.h"
#include "git/library.h"

namespace reconciler {
namespace {

constexpr int kPrincipalsTried = 8;
constexpr size_t kSignatureBytesMax = 64 << 10;

struct Buffer {
  git_buf value = GIT_BUF_INIT;
  ~Buffer() { git_buf_dispose(&value); }
  std::string text() const { return std::string(value.ptr ? value.ptr : "", value.size); }
};

struct SignedCommit {
  std::string signature;
  std::string text;  ///< exactly the bytes that were signed
};

/// Both programs take a signature from a file only.
class SignatureFile {
 public:
  /// The name is one that a restart removes.
  SignatureFile(const std::string& folder, const std::string& signature) : path_(folder + "/tmp_signature_XXXXXX") {
    int file = ::mkostemp(path_.data(), O_CLOEXEC);
    if (file < 0) return;
    written_ = ::write(file, signature.data(), signature.size()) == static_cast<ssize_t>(signature.size());
    ::close(file);
  }
  ~SignatureFile() { ::unlink(path_.c_str()); }
  SignatureFile(const SignatureFile&) = delete;
  SignatureFile& operator=(const SignatureFile&) = delete;
  bool is_written() const { return written_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool written_ = false;
};

/// The signed text must say what the commit is for us: the same tree, the same first parent.
bool speaks_of(const std::string& text, const git_commit& commit) {
  std::string expected = "tree " + id_text(*git_commit_tree_id(&commit)) + "\n";
  for (unsigned i = 0; i < git_commit_parentcount(&commit); ++i)
    expected += "parent " + id_text(*git_commit_parent_id(&commit, i)) + "\n";
  return text.starts_with(expected + "author ");
}

Result<SignedCommit> signed_commit(git_repository& repository, const std::string& id) {
  auto oid = id_from(id);
  Owned<git_commit> commit;
  if (git_commit_lookup(fill(commit), &repository, &oid) < 0) return library_error(format("commit {}", id));
  Buffer signature, text;
  int code = git_commit_extract_signature(&signature.value, &text.value, &repository, &oid, nullptr);
  if (code == GIT_ENOTFOUND) return invalid("it is not signed");
  if (code < 0) return library_error(format("commit {}", id));
  SignedCommit out{signature.text(), text.text()};
  if (out.signature.size() > kSignatureBytesMax) return invalid("its signature is too large");
  if (!speaks_of(out.text, *commit)) return invalid("its signature is about something else");
  return out;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

Result<std::string> check_ssh(const SignedCommit& commit, const std::string& allowed,
                              const std::string& signature_file) {
  if (allowed.empty()) return invalid("it carries an SSH signature, and no allowed-signers file is given");
  if (auto read = read_trust_file(allowed, "allowed-signers file"); !read) return read.error();
  auto found =
      run_child({.program = "ssh-keygen", .arguments = {"-Y", "find-principals", "-f", allowed, "-s", signature_file}});
  if (!found) return found.error();
  int tried = 0;
  for (const std::string& principal : lines_of(found->output)) {
    if (found->exit_code != 0 || ++tried > kPrincipalsTried) break;
    auto verified =
        run_child({.program = "ssh-keygen",
                   .arguments = {"-Y", "verify", "-f", allowed, "-I", principal, "-n", "git", "-s", signature_file},
                   .input = commit.text});
    if (!verified) return verified.error();
    if (verified->exit_code == 0) return principal;
  }
  return invalid(tried == 0 ? "it is signed by none of the allowed signers" : "its signature is not good");
}

/// gpgv says by status lines what its exit code does not: whether the key is expired or revoked.
Result<std::string> check_pgp(const SignedCommit& commit, const std::string& keyring, const std::string& signature_file,
                              const std::string& folder) {
  if (keyring.empty()) return invalid("it carries an OpenPGP signature, and no keyring is given");
  if (auto read = read_trust_file(keyring, "keyring file"); !read) return read.error();
  auto verified = run_child(
      {.program = "gpgv",
       .arguments = {"--quiet", "--homedir", folder, "--status-fd", "1", "--keyring", keyring, signature_file, "-"},
       .input = commit.text});
  if (!verified) return verified.error();
  constexpr std::string_view kValid = "[GNUPG:] VALIDSIG ";
  bool good = false;
  std::string fingerprint;
  for (const std::string& line : lines_of(verified->output)) {
    good = good || line.starts_with("[GNUPG:] GOODSIG ");
    if (line.starts_with(kValid))
      fingerprint = line.substr(kValid.size(), line.find(' ', kValid.size()) - kValid.size());
    if (line.starts_with("[GNUPG:] NO_PUBKEY ")) return invalid("it is signed by none of the keys in the keyring");
  }
  if (verified->exit_code == 0 && good && !fingerprint.empty()) return fingerprint;
  return invalid("its signature is not good, or its key is expired or revoked");
}

}  // namespace

Result<std::string> check_signature(git_repository& repository, const std::string& commit, const SignerFiles& signers,
                                    const std::string& folder) {
  auto signed_by = signed_commit(repository, commit);
  if (!signed_by) return signed_by.error();
  SignatureFile file(folder, signed_by->signature + "\n");
  if (!file.is_written()) return transient(format("cannot write to {}: {}", folder, std::strerror(errno)));
  if (signed_by->signature.starts_with("-----BEGIN SSH SIGNATURE-----"))
    return check_ssh(*signed_by, signers.allowed_signers_file, file.path());
  if (signed_by->signature.starts_with("-----BEGIN PGP "))
    return check_pgp(*signed_by, signers.keyring_file, file.path(), folder);
  return invalid("its signature is of an unknown kind");
}

}  // namespace reconciler
