// The repository on the other side: list its refs, fetch a tip, push a commit. Every call ends within its deadline.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "git/address.h"
#include "git/handle.h"

namespace reconciler {

/// Files that hold what proves who we are and whom we talk to. Read anew at each use, so they may be renewed.
struct GitCredentials {
  std::string token_file;        ///< https: the password, or with an empty user name a bearer token
  std::string token_user = "x";  ///< forges ignore the name beside a token
  std::string ca_file;           ///< https: trusted instead of the system's authorities
  std::string client_certificate_file;
  std::string client_key_file;
  std::string ssh_key_file;         ///< ed25519 or ECDSA; RSA does not work with Debian 12's libssh2
  std::string ssh_passphrase_file;  ///< empty: the key has none
  std::string known_hosts_file;     ///< without it no SSH host is trusted
};

struct RemoteOptions {
  GitCredentials credentials;
  Duration deadline = 60s;  ///< of one whole operation
  Duration connect_timeout = 10s;
  size_t received_bytes_max = 512u << 20;
  unsigned objects_max = 1'000'000;
};

/// Full ref name to commit id.
using RefListing = std::map<std::string, std::string>;

/// Belongs to one thread.
class Remote {
 public:
  Remote(Address address, RemoteOptions options);
  ~Remote();
  Remote(Remote&&) noexcept;
  Remote& operator=(Remote&&) noexcept;

  /// One connection: its refs, and what it sends. It must be gone before the next one begins.
  class Session {
   public:
    ~Session();
    Session(Session&&) noexcept;
    const RefListing& refs() const { return refs_; }
    /// Fetches what these refs point to, all history, into the repository. Writes no ref.
    Result<void> fetch(const std::vector<std::string>& refs);

   private:
    friend class Remote;
    Session();
    struct Connection;
    std::unique_ptr<Connection> connection_;
    RefListing refs_;
  };

  /// Connects and lists the refs. `repository` receives what is fetched.
  Result<Session> open(git_repository& repository);

  /// Moves `ref` from `expected` (empty: it must not exist) to `commit`, never by force. `Conflict`: it is elsewhere
  /// by now. `Invalid`: the server refused, in its words.
  Result<void> push(git_repository& repository, const std::string& commit, const std::string& ref,
                    const std::optional<std::string>& expected);

  const Address& address() const { return address_; }

 private:
  Address address_;
  RemoteOptions options_;
};

}  // namespace reconciler
