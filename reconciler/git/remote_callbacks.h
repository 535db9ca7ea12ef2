// What libgit2 asks and tells us during one network operation: credentials, host keys, progress, results per ref.
// Internal to git/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/access.h"
#include "git/address.h"
#include "git/deadline.h"
#include "git/remote.h"

struct git_indexer_progress;
struct git_remote_callbacks;
struct git_strarray;

namespace reconciler {

class Transfer {
 public:
  Transfer(const Address& address, const RemoteOptions& options, Access& access)
      : address_(address), options_(options), access_(access) {}
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Reads the files of the credentials that this address needs.
  Result<void> read_credentials();

  /// The callbacks, with this object behind them.
  git_remote_callbacks callbacks();
  /// The headers of an HTTP request; valid as long as this object.
  git_strarray headers();

  /// What a fetch came to.
  void ended(const git_indexer_progress& progress);

  /// A push is only right while `ref` stands at `expected` on the other side.
  void expect(std::string ref, std::optional<std::string> expected);

  /// What a failed call means. `doing` ends where the URL follows.
  Error error(int code, Deadline& deadline, std::string_view doing);
  /// What a push came to: its return code means nothing without the answer for each ref.
  Result<void> push_result(int code, Deadline& deadline, const std::string& ref);

 private:
  friend struct TransferCallbacks;

  const Address& address_;
  const RemoteOptions& options_;
  Access& access_;
  Proof proof_;
  char* header_lines_[1] = {nullptr};
  int offers_ = 0;
  std::string stopped_;  ///< why one of our callbacks ended the operation
  std::string expected_ref_;
  std::optional<std::string> expected_;
  bool lost_race_ = false;
  bool answered_ = false;
  std::vector<std::string> refusals_;
};

}  // namespace reconciler
