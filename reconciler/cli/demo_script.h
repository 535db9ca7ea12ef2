#pragma once

#include <optional>
#include <string>

#include "git/bare_branch.h"
#include "ports.h"
#include "rollout/plan.h"

namespace reconciler {

/// The people of the demo: what they commit, and when. Each stage begins when the rollout has come so far.
class DemoScript {
 public:
  explicit DemoScript(BareBranch branch) : branch_(std::move(branch)) {}

  /// What a person just did.
  struct Deed {
    std::string heading;
    std::string command;
  };

  /// The first commit: all the examples.
  Result<Deed> begin(TimePoint now);
  /// Was told of every transition; does the next thing when it is time for it.
  Result<std::optional<Deed>> after(const RolloutKey& key, const Decision& decision, TimePoint now);
  bool finished() const { return stage_ == Stage::Finished; }

 private:
  enum class Stage { FirstDeploy, Canary, BadCanary, Revert, Finished };
  Result<Deed> deploy(const std::string& from, const std::string& to, const std::string& heading, TimePoint now);

  BareBranch branch_;
  Stage stage_ = Stage::FirstDeploy;
  int healthy_ = 0;
  std::string manifest_;  ///< of the rollout that changes, as it stands in the branch
  std::string before_;    ///< the same before the last commit
};

}  // namespace reconciler
