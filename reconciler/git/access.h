// What we prove who we are with, and how we know whom we talk to. Reading and pushing have one each.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "git/address.h"
#include "git/github_app.h"

namespace reconciler {

enum class TokenScheme { Basic, Bearer };

/// Files, each read anew at each use, so they may be renewed. Their modes are checked: see `read_secret_file`.
struct GitCredentials {
  std::string token_file;  ///< https: the password or token
  TokenScheme token_scheme = TokenScheme::Basic;
  std::string user = "x";  ///< beside the token; forges ignore it
  GitHubAppSettings app;   ///< https: instead of a token; none while its id is empty
  std::string ca_file;     ///< https: trusted instead of the system's authorities
  std::string client_certificate_file;
  std::string client_key_file;
  std::string ssh_key_file;         ///< ed25519 or ECDSA; RSA does not work with Debian 12's libssh2
  std::string ssh_passphrase_file;  ///< empty: the key has none
  std::string known_hosts_file;     ///< without it no SSH host is trusted
  bool operator==(const GitCredentials&) const = default;
};

/// What one operation needs; wiped when it goes.
struct Proof {
  Proof() = default;
  Proof(Proof&&) noexcept = default;
  Proof& operator=(Proof&&) noexcept = default;
  ~Proof();
  std::string authorization;  ///< the header line of HTTP; empty: none
  std::string passphrase;     ///< of the SSH key
  std::string known_hosts;    ///< the text of the file
};

/// Belongs to one thread.
class Access {
 public:
  explicit Access(GitCredentials files);

  /// Reads the files that this address needs, and asks GitHub for a token when an app is to be used.
  Result<Proof> proof(const Address& address);

  /// The server refused what the proof gave: a token that can be renewed will be.
  void refused() { app_.forget(); }

  const GitCredentials& files() const { return files_; }

 private:
  Result<Proof> ssh_proof(const Address& address) const;
  Result<void> check_tls_files() const;
  Result<std::string> authorization();

  GitCredentials files_;
  GitHubApp app_;
};

}  // namespace reconciler
