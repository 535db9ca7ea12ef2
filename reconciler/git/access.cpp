#include "git/access.h"

#include <chrono>

#include "base/base64.h"
#include "base/credential_file.h"
#include "base/format.h"

namespace reconciler {

Proof::~Proof() {
  wipe(authorization);
  wipe(passphrase);
}

Access::Access(GitCredentials files) : files_(std::move(files)), app_(files_.app) {}

Result<Proof> Access::proof(const Address& address) {
  if (address.transport == Transport::Ssh) return ssh_proof(address);
  Proof proof;
  if (address.transport == Transport::File) return proof;
  if (address.transport == Transport::Https)
    if (auto checked = check_tls_files(); !checked) return checked.error();
  auto header = authorization();
  if (!header) return header.error();
  if (!header->empty() && address.transport == Transport::Http && !is_loopback(address.host))
    return invalid(format("{}: credentials are not sent over plain http; use https://", address.url));
  proof.authorization = std::move(*header);
  return proof;
}

Result<Proof> Access::ssh_proof(const Address& address) const {
  if (files_.known_hosts_file.empty()) return invalid(format("{}: ssh needs a known_hosts file", address.url));
  if (files_.ssh_key_file.empty()) return invalid(format("{}: ssh needs a key file", address.url));
  Proof proof;
  auto hosts = read_trust_file(files_.known_hosts_file, "known_hosts file");
  if (!hosts) return hosts.error();
  proof.known_hosts = std::move(*hosts);
  // The library reads the key itself; this is for its mode.
  auto key = read_secret_file(files_.ssh_key_file, "ssh key file");
  if (!key) return key.error();
  wipe(*key);
  if (files_.ssh_passphrase_file.empty()) return proof;
  auto passphrase = read_secret_line(files_.ssh_passphrase_file, "passphrase file");
  if (!passphrase) return passphrase.error();
  proof.passphrase = std::move(*passphrase);
  return proof;
}

/// OpenSSL reads them itself; this is for their modes, and for errors that name the file.
Result<void> Access::check_tls_files() const {
  struct TrustFile {
    const std::string& path;
    std::string_view what;
  };
  for (const auto& [path, what] :
       {TrustFile{files_.ca_file, "CA file"}, TrustFile{files_.client_certificate_file, "client certificate file"}})
    if (!path.empty())
      if (auto read = read_trust_file(path, what); !read) return read.error();
  if (files_.client_key_file.empty()) return {};
  auto key = read_secret_file(files_.client_key_file, "client key file");
  if (!key) return key.error();
  wipe(*key);
  return {};
}

Result<std::string> Access::authorization() {
  if (!files_.app.app.empty()) {
    auto token = app_.token(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
    if (!token) return token;
    return "Authorization: Basic " + to_base64("x-access-token:" + *token);
  }
  if (files_.token_file.empty()) return std::string();
  auto token = read_secret_line(files_.token_file, "token file");
  if (!token) return token;
  std::string header = files_.token_scheme == TokenScheme::Bearer
                           ? "Authorization: Bearer " + *token
                           : "Authorization: Basic " + to_base64(files_.user + ":" + *token);
  wipe(*token);
  return header;
}

}  // namespace reconciler
