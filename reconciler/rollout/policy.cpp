#include "rollout/policy.h"

#include <algorithm>

#include "base/format.h"
#include "base/text.h"

namespace reconciler {
namespace {

/// `ann@example.com` of `Ann <Ann@example.com>`.
std::string address_of(const std::string& author) {
  const size_t open = author.rfind('<'), close = author.rfind('>');
  if (open == author.npos || close == author.npos || close < open) return "";
  return lower_case(author.substr(open + 1, close - open - 1));
}

/// The key of one line of an allowed-signers file may stand for several names, with commas between.
std::vector<std::string> names_in(const std::string& signer) {
  std::vector<std::string> out;
  for (std::string_view name : split(signer, ','))
    if (!name.empty()) out.emplace_back(name);
  return out;
}

bool is_among(const std::string& signer, const std::vector<std::string>& signers) {
  const auto names = names_in(signer);
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return std::find(signers.begin(), signers.end(), name) != signers.end();
  });
}

/// By whatever name: whoever signs under the name of somebody else is still who they are.
bool is_same(const Person& a, const Person& b) {
  auto names_of = [](const Person& person) {
    std::vector<std::string> names = names_in(lower_case(person.signer));
    if (std::string address = address_of(person.author); !address.empty()) names.push_back(std::move(address));
    return names;
  };
  const auto names = names_of(a), others = names_of(b);
  return std::find_first_of(names.begin(), names.end(), others.begin(), others.end()) != names.end();
}

/// How far a rule went along with somebody, and what stopped it.
struct RuleAnswer {
  int passed = 0;
  std::string why;  ///< empty: let through
};

RuleAnswer ask(const PolicyRule& rule, const PolicyQuestion& question) {
  const Person& by = question.by;
  if (!question.verb && !rule.trailers) return {1, format("deploy trailers are not honoured by {}", rule.place)};
  if (question.verb && !rule.actions.empty() &&
      std::count(rule.actions.begin(), rule.actions.end(), *question.verb) == 0)
    return {1, format("{} is none of the actions of {}", to_text(*question.verb), rule.place)};
  const std::string address = address_of(by.author);
  if (!rule.authors.empty() && std::none_of(rule.authors.begin(), rule.authors.end(), [&](const std::string& pattern) {
        return fits_glob(lower_case(pattern), address);
      }))
    return {2, format("{} is none of the authors of {}", by.author, rule.place)};
  if (!rule.signers.empty() && by.signer.empty())
    return {3, format("{} asks for a signature{}{}", rule.place, question.unsigned_because.empty() ? "" : ": ",
                      question.unsigned_because)};
  if (!rule.signers.empty() && !is_among(by.signer, rule.signers))
    return {3, format("signed by {}, who is none of the signers of {}", by.signer, rule.place)};
  const bool own = std::any_of(question.change.begin(), question.change.end(),
                               [&](const Person& author) { return is_same(author, by); });
  if (question.verb && rule.four_eyes && own)
    return {4, format("{} made the change, and {} asks for four eyes", by.author, rule.place)};
  return {5, ""};
}

}  // namespace

bool Policy::asks_for_signer(const RolloutKey& rollout) const {
  return std::any_of(rules.begin(), rules.end(), [&](const PolicyRule& rule) {
    return !rule.signers.empty() && fits_glob(rule.rollouts, rollout.text());
  });
}

bool Policy::asks_for_four_eyes(const RolloutKey& rollout) const {
  return std::any_of(rules.begin(), rules.end(), [&](const PolicyRule& rule) {
    return rule.four_eyes && fits_glob(rule.rollouts, rollout.text());
  });
}

std::string refusal(const Policy& policy, const PolicyQuestion& question) {
  if (policy.rules.empty()) return question.verb ? "" : "no rule of the policy honours deploy trailers";
  RuleAnswer closest{0, format("no rule of the policy is about {}", question.rollout.text())};
  for (const PolicyRule& rule : policy.rules) {
    if (!fits_glob(rule.rollouts, question.rollout.text())) continue;
    RuleAnswer answer = ask(rule, question);
    if (answer.why.empty()) return "";
    if (answer.passed > closest.passed) closest = std::move(answer);
  }
  return closest.why;
}

}  // namespace reconciler
