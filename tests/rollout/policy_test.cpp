#include "rollout/policy.h"

#include "catch.h"

using namespace reconciler;

namespace {

const std::string kAnn = "Ann <ann@example.com>", kBo = "Bo <bo@example.com>", kMallory = "Mallory <m@evil.example>";

PolicyQuestion asked(const std::string& author, Verb verb = Verb::Promote, const std::string& signer = "") {
  return {.rollout = {"shop", "till"}, .verb = verb, .by = {author, signer}};
}

Policy only(PolicyRule rule) {
  rule.place = "decisions/policy.yaml:4";
  return {.rules = {std::move(rule)}};
}

}  // namespace

TEST_CASE("without rules anybody may decide, and no trailer counts", "[policy]") {
  PolicyQuestion question = asked(kMallory);
  CHECK(refusal({}, question).empty());
  question.verb.reset();
  CHECK(refusal({}, question) == "no rule of the policy honours deploy trailers");
}

TEST_CASE("with rules, only whom one of them lets", "[policy]") {
  Policy policy = only({.rollouts = "shop/*", .authors = {"ann@example.com"}});
  CHECK(refusal(policy, asked(kAnn)).empty());
  CHECK(refusal(policy, asked("Ann <ANN@Example.com>")).empty());
  CHECK(refusal(policy, asked(kMallory)) ==
        "Mallory <m@evil.example> is none of the authors of decisions/policy.yaml:4");
  CHECK(refusal(policy, asked("ann@example.com <m@evil.example>")) != "");
  CHECK(refusal(policy, asked("no address at all")) != "");
  PolicyQuestion elsewhere = asked(kAnn);
  elsewhere.rollout = {"shopping", "till"};
  CHECK(refusal(policy, elsewhere) == "no rule of the policy is about shopping/till");
  policy.rules.push_back({.rollouts = "*", .authors = {"*@evil.example"}, .actions = {Verb::Abort}});
  CHECK(refusal(policy, asked(kMallory, Verb::Abort)).empty());
  CHECK(refusal(policy, asked(kMallory, Verb::Promote)) != "");
}

TEST_CASE("a rule with signers asks for one of their signatures, whatever name the commit carries", "[policy]") {
  const Policy policy = only({.rollouts = "shop/*", .authors = {"*@example.com"}, .signers = {"ann@example.com"}});
  PolicyQuestion forged = asked(kAnn);
  forged.unsigned_because = "it is not signed";
  CHECK(refusal(policy, forged) == "decisions/policy.yaml:4 asks for a signature: it is not signed");
  CHECK(refusal(policy, asked(kAnn, Verb::Promote, "m@evil.example")) ==
        "signed by m@evil.example, who is none of the signers of decisions/policy.yaml:4");
  CHECK(refusal(policy, asked(kAnn, Verb::Promote, "ann@example.com")).empty());
  CHECK(refusal(policy, asked(kAnn, Verb::Promote, "annie,ann@example.com")).empty());
  CHECK(refusal(policy, asked(kAnn, Verb::Promote, "ann@example.com.evil")) != "");
}

TEST_CASE("four eyes: nobody decides about a change of their own", "[policy]") {
  const Policy policy = only({.rollouts = "shop/*", .four_eyes = true});
  PolicyQuestion question = asked(kAnn);
  question.change = {{kBo, ""}, {kAnn, ""}};
  CHECK(refusal(policy, question) ==
        "Ann <ann@example.com> made the change, and decisions/policy.yaml:4 asks for four eyes");
  question.change = {{kBo, ""}};
  CHECK(refusal(policy, question).empty());
  // Another name on the change, the same key on both.
  question.by.signer = "ann@example.com";
  question.change = {{kBo, "ann@example.com"}};
  CHECK(refusal(policy, question) != "");
  // Her key under the name of somebody else, about her own change.
  question.by = {kBo, "annie,Ann@example.com"};
  question.change = {{kAnn, ""}};
  CHECK(refusal(policy, question) != "");
}

TEST_CASE("trailers count where a rule says so, for its people", "[policy]") {
  const Policy policy = only({.rollouts = "shop/*", .authors = {"ann@example.com"}, .trailers = true});
  PolicyQuestion question = asked(kAnn);
  question.verb.reset();
  CHECK(refusal(policy, question).empty());
  question.by.author = kBo;
  CHECK(refusal(policy, question) != "");
  question.by.author = kAnn;
  CHECK(refusal(only({.rollouts = "shop/*"}), question) ==
        "deploy trailers are not honoured by decisions/policy.yaml:4");
}
