#include "manifest/policy_file.h"

#include "manifest/check_file.h"

#include "catch.h"

using namespace reconciler;

namespace {

const std::string kPolicyPath = "decisions/policy.yaml";
const std::string kPolicyHead = "apiVersion: serin.dev/v1alpha1\nkind: Policy\nspec:\n";

std::vector<std::string> wrong_in(const std::string& spec) {
  std::vector<std::string> out;
  for (const Problem& problem : check_file(kPolicyPath, kPolicyHead + spec, FileRole::Policy, "default").problems)
    out.push_back(problem.text());
  return out;
}

}  // namespace

TEST_CASE("a policy is read", "[policy_file]") {
  const std::string spec = R"(  rules:
    - rollouts: shop/*
      authors: [ann@example.com, "*@sre.example.com"]
      signers: [ann@example.com]
      actions: [promote, abort]
      fourEyes: true
    - {rollouts: "*", trailers: true}
  freezes:
    - {rollouts: "*", start: 0 18 * * fri, duration: 62h, zone: Europe/Berlin, reason: weekend, hard: true}
)";
  CHECK(wrong_in(spec).empty());
  const PolicyFile file = read_policy(kPolicyPath, kPolicyHead + spec);
  REQUIRE(file.policy.rules.size() == 2);
  CHECK(file.policy.rules[0] == PolicyRule{.rollouts = "shop/*",
                                           .authors = {"ann@example.com", "*@sre.example.com"},
                                           .signers = {"ann@example.com"},
                                           .actions = {Verb::Promote, Verb::Abort},
                                           .four_eyes = true,
                                           .place = "decisions/policy.yaml:5"});
  CHECK(file.policy.rules[1].trailers);
  REQUIRE(file.policy.freezes.size() == 1);
  CHECK(file.policy.freezes[0].length == 62h);
  CHECK(file.policy.freezes[0].zone.name() == "Europe/Berlin");
  CHECK(file.policy.freezes[0].hard);
}

TEST_CASE("what is wrong with a policy is named with its place", "[policy_file]") {
  CHECK(wrong_in("  rules:\n    - {rollouts: shop/*, autors: [a@b.c]}\n") ==
        std::vector<std::string>{
            R"(decisions/policy.yaml:5:26: unknown field "spec.rules[0].autors" (did you mean "authors"?))"});
  auto first = [](const std::string& spec) {
    auto all = wrong_in(spec);
    return all.empty() ? std::string() : all.front();
  };
  CHECK_THAT(first("  rules: []\n"), ContainsSubstring("must not be empty"));
  CHECK_THAT(first("  rules: [{authors: [a@b.c]}]\n"), ContainsSubstring("rollouts is required"));
  CHECK_THAT(first("  rules: [{rollouts: shop}]\n"), ContainsSubstring("must be namespace/name"));
  CHECK_THAT(first("  rules: [{rollouts: shop/*, authors: []}]\n"), ContainsSubstring("must not be empty"));
  CHECK_THAT(first("  rules: [{rollouts: shop/*, authors: [ann]}]\n"), ContainsSubstring("no e-mail address"));
  CHECK_THAT(first("  rules: [{rollouts: shop/*, actions: [deploy]}]\n"), ContainsSubstring("deploy"));
  CHECK_THAT(first("  rules: [{rollouts: shop/*, fourEyes: true, trailers: true}]\n"),
             ContainsSubstring("does not go with fourEyes"));
  const std::string window =
      "  freezes: [{rollouts: shop/*, start: 0 18 * * fri, duration: 62h, zone: Europe/Berlin}]\n";
  CHECK(first(window).empty());
  auto with = [&](const std::string& from, const std::string& to) {
    std::string text = window;
    return first(text.replace(text.find(from), from.size(), to));
  };
  CHECK_THAT(with("0 18", "0 24"), ContainsSubstring("has the hour 24, which cannot be"));
  CHECK_THAT(with("62h", "745h"), ContainsSubstring("must be a duration from 1m to 744h"));
  CHECK_THAT(with("62h", "30s"), ContainsSubstring("must be a duration"));
  CHECK_THAT(with("Europe/Berlin", "Europe/Atlantis"), ContainsSubstring("is no time zone that this system knows"));
  CHECK_THAT(with(", zone: Europe/Berlin", ""), ContainsSubstring("zone is required"));
  CHECK_FALSE(read_policy(kPolicyPath, "kind: Policy\n").problems.empty());
  CHECK_FALSE(read_policy(kPolicyPath, "").problems.empty());
  CHECK_FALSE(read_policy(kPolicyPath, "a: [").problems.empty());
}
