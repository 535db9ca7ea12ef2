// The watched repository as a bare clone in the state directory.
//
//   theirs   the watched branch as fetched: what is in force           refs/serin/theirs
//   target   the branch our status commits go to; theirs, unless       refs/serin/target
//            there is a status branch
//   base     the commit of target that ours are built on               refs/serin/base
//   ours     base + our commits that the remote may not have yet       refs/serin/ours
//   deployed what is in force instead of theirs, when commits must     refs/serin/deployed
//            be signed: the last one that was
//
// Commits are recorded on ours without looking at the network, and built again on target just before a push. Ours
// points to what will be sent before it is sent, so that a push whose answer was lost is known again by its ids.
// They are signed just before a push, too: so neither a key nor `ssh-keygen` can ever keep a transition waiting.
#pragma once

#include <memory>
#include <string>

#include "git/remote.h"
#include "git/trust.h"
#include "git/watched_ref.h"
#include "ports.h"

namespace reconciler {

enum class OnRewrite { Hold, Follow };

struct GitOptions {
  std::string url;
  RefName watched;
  std::string state_directory;
  std::string status_branch;                ///< empty: status goes to the watched branch; needed for tags and commits
  std::string status_directory = "status";  ///< where this process alone writes: `status/<cluster>`
  std::string author = "Serin <serin@localhost>";
  OnRewrite on_rewrite = OnRewrite::Hold;
  TrustOptions trust;
  std::string signing_key_file;  ///< SSH key that signs what is pushed; empty: nothing is signed
  PlainHttp plain_http = PlainHttp::LoopbackOnly;
  RemoteOptions remote;
};

/// Full names of the refs whose pushes concern us (with / at the end: all below); empty when an option is wrong.
std::vector<std::string> refs_of_interest(const GitOptions& options);

class Libgit2Repository : public GitRepository {
  class Clone;

 public:
  explicit Libgit2Repository(std::unique_ptr<Clone> clone);  ///< for `open`

  /// Opens the clone in the state directory, or makes an empty one; asks no remote. `Invalid` for a URL, branch name or
  /// author that cannot be right, and for a damaged clone.
  static Result<std::unique_ptr<Libgit2Repository>> open(const GitOptions& options);
  ~Libgit2Repository() override;

  Result<Head> poll() override;
  std::optional<std::string> head() override;
  Result<std::vector<TreeChange>> changes(const std::string& from, const std::string& to,
                                          const std::string& directory) override;
  Result<std::string> read(const std::string& blob, size_t bytes_max) override;
  Result<std::vector<CommitInfo>> commits_touching(const std::string& path, const std::string& from,
                                                   const std::string& to, size_t limit) override;
  Result<std::optional<std::string>> file(const std::string& commit, const std::string& path,
                                          size_t bytes_max) override;
  Result<Provenance> provenance(const std::string& commit, const std::string& path) override;
  Result<std::vector<std::pair<std::string, std::string>>> recorded(const std::string& directory) override;
  Result<void> record(const std::vector<StatusWrite>& writes) override;
  Result<PushReport> push() override;
  size_t unpushed() override;
  Result<std::vector<std::string>> drop_outdated() override;

 private:
  std::unique_ptr<Clone> clone_;
};

}  // namespace reconciler
