// Who may decide about which rollouts: `decisions/policy.yaml`, typed. `refusal` is the one place that says so, for
// decisions and for trailers, in the daemon and in the commands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rollout/freeze.h"
#include "rollout/rollout.h"

namespace reconciler {

/// Lets people decide. What is left empty restricts nothing.
struct PolicyRule {
  std::string rollouts;              ///< `shop/*`
  std::vector<std::string> authors;  ///< e-mail addresses; `*` stands for anything
  std::vector<std::string> signers;  ///< principals of the allowed signers
  std::vector<Verb> actions;
  bool four_eyes = false;  ///< whoever made the change may not decide about it
  bool trailers = false;   ///< deploy trailers of these people are honoured
  std::string place;       ///< `decisions/policy.yaml:4`
  bool operator==(const PolicyRule&) const = default;
};

/// Without rules anybody may decide, and no trailer is honoured. With rules, only whom one of them lets.
struct Policy {
  std::vector<PolicyRule> rules;
  std::vector<FreezeWindow> freezes;
  bool operator==(const Policy&) const = default;

  bool asks_for_signer(const RolloutKey& rollout) const;
  bool asks_for_four_eyes(const RolloutKey& rollout) const;
};

/// Who did something in Git, as far as Git tells.
struct Person {
  std::string author;  ///< `Name <email>`
  std::string signer;  ///< principal of the good signature; empty without one
  bool operator==(const Person&) const = default;
};

struct PolicyQuestion {
  RolloutKey rollout;
  std::optional<Verb> verb;  ///< nothing: are the trailers of a deploy honoured?
  Person by;
  std::string unsigned_because;  ///< why `by` has no signer; may be empty
  std::vector<Person> change;    ///< who made the change that is decided about
};

/// Why this person may not; empty when one of the rules lets them.
std::string refusal(const Policy& policy, const PolicyQuestion& question);

}  // namespace reconciler
