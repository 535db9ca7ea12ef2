// Whether people may do what their commits ask for: the policy of the repository, asked about one commit. A commit is
// judged by the policy as its first parent has it, so that nobody lets themselves in by the commit that decides.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/options.h"
#include "daemon/workers.h"
#include "manifest/manifest.h"
#include "ports.h"
#include "rollout/policy.h"

namespace reconciler {

/// May whoever made this commit do so?
struct Verdict {
  std::string refusal;  ///< why not; empty when they may
  std::string signer;   ///< of the commit, where that was asked
  bool operator==(const Verdict&) const = default;
};

class Judge {
 public:
  enum class Signature { WhereRulesAsk, Wanted };

  struct Question {
    RolloutKey rollout;
    std::optional<Verb> verb;  ///< nothing: are its deploy trailers honoured?
    CommitInfo commit;
    Signature signature = Signature::WhereRulesAsk;
    std::string change;         ///< the newest commit of the change that is decided about
    std::string newest;         ///< the newest commit that touched the manifest
    std::string manifest_path;  ///< where it is at that commit
    std::string stable_hash;    ///< the change began after this revision
  };

  Judge(const DaemonOptions& options, GitRepository& git, Workers& workers)
      : options_(options), git_(git), workers_(workers) {}

  /// The policy file changed, or is read for the first time, at this commit. One that cannot be read leaves the last
  /// good one in force.
  void take_policy(const std::string& commit);
  /// What is wrong with the newest one.
  const std::vector<Problem>& problems() const { return problems_; }
  std::optional<Freeze> freeze(const RolloutKey& rollout, TimePoint now) const {
    return open_freeze(policy_.freezes, rollout, now);
  }

  /// The verdict, where it takes only a look into the clone. Else nothing: `later` gets it on the decision thread.
  Result<std::optional<Verdict>> ask(const Question& question, std::function<void(Result<Verdict>)> later);
  /// Nothing is being found out.
  bool idle() const { return asked_ == 0; }

 private:
  Result<Policy> policy_before(const std::string& parent) const;
  Result<std::string> moved_from(const CommitInfo& commit, const RolloutKey& rollout) const;
  Result<std::vector<CommitInfo>> commits_since_stable(const Question& question) const;
  Result<std::vector<CommitInfo>> change_of(const Question& question) const;

  const DaemonOptions& options_;
  GitRepository& git_;
  Workers& workers_;
  Policy policy_;
  std::vector<Problem> problems_;
  int asked_ = 0;
};

}  // namespace reconciler
