// What a freeze holds up, and what it never does.
#include "rollout/builders.h"

#include "catch.h"

using namespace reconciler;
using Walk = std::vector<std::string>;

namespace {

const std::vector<Step> kSteps = {SetWeight{20}, Pause{60s}, SetWeight{60}, Pause{60s}};

/// Frozen from 50 s to 10,000 s.
Rollout frozen(Rollout r, bool hard = false) {
  r.freeze = Freeze{at(50), at(10'000), "Black Friday", hard};
  return r;
}

Rollout with_decision(Rollout r, Verb verb, const std::string& commit, const std::string& signer = "") {
  r.decision = RolloutDecision{verb, r.hash, std::nullopt, "urgent", "Ann <ann@example.com>", commit, signer};
  return r;
}

const Walk kNothing;

}  // namespace

TEST_CASE("no canary begins in a freeze, and that is no transition", "[freeze]") {
  Cluster1 c = running("v1");
  c.rest(frozen(rollout("v2", kSteps)), at(100));
  CHECK(c.take_history() == kNothing);
  CHECK(c.last.why == "frozen until 2019-12-20T02:46:40Z: Black Friday");
  CHECK(c.last.look_again == at(10'000));
  CHECK(c.last.frozen);
  CHECK(c.status->phase == Phase::Healthy);
  c.rest(rollout("v2", kSteps), at(10'000));
  CHECK(c.take_history() == Walk{"deploying v2 (step 0/4)", "canary 20% (step 1/4)"});
}

TEST_CASE("a running step comes to its end, the next one does not begin", "[freeze]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2", kSteps), at(40), false);
  CHECK(c.take_history() == Walk{"deploying v2 (step 0/4)"});
  c.rest(frozen(rollout("v2", kSteps)), at(100));
  CHECK(c.take_history() == Walk{"canary 20% (step 1/4)"});
  c.rest(frozen(rollout("v2", kSteps)), at(5'000));
  CHECK(c.take_history() == kNothing);
  CHECK(c.last.look_again == at(10'000));
  CHECK(c.canary_weight() == 20);
  c.rest(rollout("v2", kSteps), at(10'000));
  CHECK(c.take_history() == Walk{"canary 20% (step 2/4)", "canary 60% (step 3/4)"});
}

TEST_CASE("a running setWeight before another one gets its share, and no more", "[freeze]") {
  const std::vector<Step> steps = {SetWeight{20}, SetWeight{60}, Pause{}};
  Cluster1 c = running("v1");
  c.rest(rollout("v2", steps), at(40), false);
  c.rest(frozen(rollout("v2", steps)), at(100));
  CHECK(c.take_history() == Walk{"deploying v2 (step 0/3)", "canary 20% (step 0/3)"});
  CHECK(c.workload("hashv2").replicas == 1);
  c.rest(rollout("v2", steps), at(10'000));
  CHECK(c.take_history() == Walk{"canary 20% (step 1/3)", "canary 60% (step 2/3)"});
}

TEST_CASE("a hard freeze stops what runs, too", "[freeze]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2", kSteps), at(40), false);
  c.take_history();
  c.rest(frozen(rollout("v2", kSteps), true), at(100));
  CHECK(c.take_history() == kNothing);
  CHECK(c.canary_weight() == 0);
}

TEST_CASE("past the last step a soft freeze lets the promotion end, a hard one does not", "[freeze]") {
  for (const bool hard : {false, true}) {
    Cluster1 c = running("v1");
    c.rest(rollout("v2", {SetWeight{20}}), at(30), false);
    c.pods_start(at(31));
    for (int pass = 0; pass < 3; ++pass) c.pass(rollout("v2", {SetWeight{20}}), at(32));
    CHECK(c.take_history().back() == "canary 20% (step 1/1)");
    c.rest(frozen(rollout("v2", {SetWeight{20}}), hard), at(100));
    CHECK(c.take_history() ==
          (hard ? kNothing : Walk{"canary 100% (step 1/1)", "promoting v2 (step 1/1)", "promoted v2"}));
  }
}

TEST_CASE("the way back is never frozen", "[freeze]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2", kSteps), at(40));
  c.take_history();
  SECTION("Git asks for stable again") {
    c.rest(frozen(rollout("v1", kSteps), true), at(100));
    CHECK(c.take_history().back() == "rolled back to v1: Git asks for v1 again");
  }
  SECTION("an abort, which nobody need sign") {
    c.rest(with_decision(frozen(rollout("v2", kSteps), true), Verb::Abort, "d1"), at(100));
    CHECK(c.take_history().back() == "rolled back to v1: aborted by Ann <ann@example.com>: urgent");
  }
  SECTION("a revert after the promotion") {
    c.rest(with_decision(rollout("v2", kSteps), Verb::PromoteFull, "d1"), at(45));
    CHECK(c.take_history().back() == "promoted v2");
    c.rest(frozen(rollout("v1", kSteps), true), at(100));
    CHECK(c.take_history().back() == "promoted v1");
  }
  SECTION("the canary's pods are lost") {
    c.workload("hashv2").available = 0;
    c.pass(frozen(rollout("v2", kSteps), true), at(100));
    CHECK(c.take_history() == Walk{"canary 0% (step 1/4)"});
    c.rest(frozen(rollout("v2", kSteps), true), at(101));
    CHECK(c.canary_weight() == 0);
  }
}

TEST_CASE("a first deploy is not frozen: there is nothing to protect", "[freeze]") {
  Cluster1 c;
  c.rest(frozen(rollout("v1"), true), at(100));
  CHECK(c.take_history().back() == "promoted v1");
}

TEST_CASE("what runs is taken over in a freeze, and what Git asks for waits", "[freeze]") {
  Cluster1 c = running("v1");
  c.status.reset();
  c.rest(frozen(rollout("v2", kSteps)), at(100));
  CHECK(c.take_history() == Walk{"adopting v1 (step 4/4)", "promoted v1"});
  CHECK(c.status->stable->hash == "hashv1");
}

TEST_CASE("a freeze gives way to a signed decision, for what that starts", "[freeze]") {
  for (const bool hard : {false, true}) {
    Cluster1 c = running("v1");
    c.rest(rollout("v2", kSteps), at(40));
    c.take_history();
    c.rest(with_decision(frozen(rollout("v2", kSteps), hard), Verb::Promote, "d1"), at(100));
    CHECK(c.take_history() == Walk{"ignored promote of d1"});
    CHECK(c.status->ignored->why == "frozen until 2019-12-20T02:46:40Z: Black Friday; only a signed decision passes");
    c.rest(with_decision(frozen(rollout("v2", kSteps), hard), Verb::Promote, "d2", "ann@example.com"), at(200));
    CHECK(c.take_history() == Walk{"canary 20% (step 2/4)", "canary 60% (step 3/4)"});
    c.rest(with_decision(frozen(rollout("v2", kSteps), hard), Verb::Promote, "d2", "ann@example.com"), at(900));
    CHECK(c.take_history() == kNothing);
  }
}

TEST_CASE("a signed decision begins what waits for the end of a freeze", "[freeze]") {
  Cluster1 c = running("v1");
  c.rest(with_decision(frozen(rollout("v2", kSteps)), Verb::Promote, "d1"), at(100));
  CHECK(c.take_history() == Walk{"ignored promote of d1"});
  c.rest(with_decision(frozen(rollout("v2", kSteps), true), Verb::Promote, "d2", "ann@example.com"), at(200));
  CHECK(c.take_history() == Walk{"deploying v2 (step 0/4)", "canary 20% (step 1/4)"});
  CHECK(c.status->decision->commit == "d2");
}

TEST_CASE("promote-full, signed, lets the whole run pass", "[freeze]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2", kSteps), at(40));
  c.take_history();
  c.rest(with_decision(frozen(rollout("v2", kSteps), true), Verb::PromoteFull, "d1", "ann@example.com"), at(100));
  CHECK(c.take_history().back() == "promoted v2");
}

TEST_CASE("another version that comes in a freeze waits, and the canary stays as it is", "[freeze]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2", kSteps), at(40));
  c.take_history();
  c.rest(frozen(rollout("v3", kSteps)), at(100));
  CHECK(c.take_history() == kNothing);
  CHECK(c.canary_weight() == 20);
  c.rest(rollout("v3", kSteps), at(10'000));
  CHECK(c.take_history().front() == "deploying v3 (step 0/4)");
}
