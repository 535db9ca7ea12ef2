// A branch that others push to as well, and one commit of a person on it: for `serin approve` and its like. No work
// tree is touched, and nobody's commits are lost: when somebody was faster, the commit is made again on theirs.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "git/address.h"
#include "git/commit_signer.h"
#include "git/git_history.h"

namespace reconciler {

/// What is to be committed: files written (or removed, without content) by path.
struct NewCommit {
  std::map<std::string, std::optional<std::string>> files;
  std::string message;
  std::string author;  ///< `Name <email>`
  TimePoint time;
};

class SharedBranch {
 public:
  /// The branch of the repository at `url`; `history` is a clone of it, and keeps the objects that are made.
  static Result<SharedBranch> of(const GitHistory& history, const std::string& url, const std::string& branch,
                                 PlainHttp plain_http, const RemoteOptions& options);

  /// Where commits made in the repository around us go: to its remote `origin`, else to itself.
  static Result<std::string> url_of(const GitHistory& history);

  /// Commits on the branch as it is now and pushes: the id of the commit, or of the tip when the files are so already.
  /// `signer` may be null. `Conflict` when others were faster again and again.
  Result<std::string> commit(const NewCommit& commit, const CommitSigner* signer);

 private:
  SharedBranch(const GitHistory& history, Remote remote, std::string branch);

  const GitHistory& history_;
  Remote remote_;
  std::string ref_;
  std::string branch_;
};

/// Who commits here, as Git is configured: user.name and user.email. `Invalid` when it does not know.
Result<std::string> configured_identity(const GitHistory& history);

}  // namespace reconciler
