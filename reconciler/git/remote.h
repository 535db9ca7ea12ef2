// The repository on the other side: list its refs, fetch a tip, push a commit. Every call ends within its deadline.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "git/access.h"
#include "git/address.h"
#include "git/handle.h"

namespace reconciler {

struct RemoteOptions {
  GitCredentials credentials;
  std::optional<GitCredentials> push_credentials;  ///< for pushing; none: the same
  Duration deadline = 60s;                         ///< of one whole operation
  Duration connect_timeout = 10s;
  size_t received_bytes_max = 512u << 20;
  unsigned objects_max = 1'000'000;
  /// Told how many bytes a fetch has received, also one that failed; from the thread that fetches.
  std::function<void(size_t)> on_received = nullptr;
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

  /// One connection for reading: its refs, and what it sends. It must be gone before the next one begins.
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
  Access reading_;
  std::optional<Access> pushing_;  ///< none: as for reading
};

}  // namespace reconciler
