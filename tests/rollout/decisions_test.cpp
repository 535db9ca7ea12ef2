#include "rollout/builders.h"

#include "catch.h"

using namespace reconciler;
using History = std::vector<std::string>;

namespace {

Rollout decided(Verb verb, std::optional<int> step, const std::string& commit,
                std::vector<Step> steps = {SetWeight{20}, Pause{}, SetWeight{60}, Pause{60s}}) {
  Rollout r = rollout("v2", std::move(steps));
  r.decision = RolloutDecision{verb, "hashv2", step, "looks good", "Ann <ann@example.com>", commit};
  return r;
}

Cluster1 paused_canary() {
  Cluster1 c = running("v1");
  c.rest(rollout("v2", {SetWeight{20}, Pause{}, SetWeight{60}, Pause{60s}}), at(100));
  c.take_history();
  return c;
}

}  // namespace

TEST_CASE("an indefinite pause ends by a promote decision, once", "[decisions]") {
  Cluster1 c = paused_canary();
  c.rest(decided(Verb::Promote, 1, "d1"), at(5000));
  CHECK(c.take_history() == History{"canary 20% (step 2/4)", "canary 60% (step 3/4)"});
  CHECK(c.status->decision->by == "Ann <ann@example.com>");
}

TEST_CASE("a decision about another step or revision is stale, and answered once", "[decisions]") {
  Cluster1 c = paused_canary();
  c.rest(decided(Verb::Promote, 3, "d1"), at(200));
  CHECK_THAT(c.status->ignored->why, ContainsSubstring("it is about step 3, the canary is at step 1"));
  CHECK(c.status->ignored->by == "Ann <ann@example.com>");
  Rollout other = decided(Verb::Abort, std::nullopt, "d2");
  other.decision->revision = "hashv9";
  c.rest(other, at(201));
  CHECK_THAT(c.status->ignored->why, ContainsSubstring("the canary is revision hashv2"));
  CHECK(c.take_history() == History{"ignored promote of d1", "ignored abort of d2"});
  CHECK(c.canary_weight() == 20);
  c.rest(decided(Verb::Promote, 1, "d3"), at(202));
  CHECK(!c.status->ignored);
}

TEST_CASE("a decision that came too early is not carried out later", "[decisions]") {
  Cluster1 c = paused_canary();
  c.rest(decided(Verb::Promote, 3, "d1"), at(200));
  c.rest(decided(Verb::Promote, 1, "d2"), at(201));
  CHECK(c.status->step->index == 3);
  c.take_history();
  // The file comes back with the bytes of the first one: a commit of its own, judged anew.
  Rollout replayed = decided(Verb::Promote, 1, "d3");
  c.rest(replayed, at(202));
  CHECK(c.take_history() == History{"ignored promote of d3"});
  CHECK(c.canary_weight() == 60);
}

TEST_CASE("whoever may not decide is answered, and nothing else happens", "[decisions]") {
  Cluster1 c = paused_canary();
  Rollout forged = decided(Verb::PromoteFull, std::nullopt, "d1");
  forged.decision->refusal = "decisions/policy.yaml:4 asks for a signature: it is not signed";
  c.rest(forged, at(200));
  CHECK(c.take_history() == History{"ignored promote-full of d1"});
  CHECK(c.status->ignored == Ignored{"d1", Verb::PromoteFull, "Ann <ann@example.com>", forged.decision->refusal});
  CHECK(c.canary_weight() == 20);
  // The answer is in the status, so that a restart does not give it again.
  c.rest(forged, at(300));
  CHECK(c.take_history().empty());
}

TEST_CASE("promote-full goes to the end without steps", "[decisions]") {
  Cluster1 c = paused_canary();
  c.rest(decided(Verb::PromoteFull, std::nullopt, "d1"), at(200));
  CHECK(c.take_history() ==
        History{"canary 20% (step 4/4)", "canary 100% (step 4/4)", "promoting v2 (step 4/4)", "promoted v2"});
}

TEST_CASE("abort returns the traffic and remembers the revision until a retry", "[decisions]") {
  Cluster1 c = paused_canary();
  c.rest(decided(Verb::Abort, std::nullopt, "d1"), at(200));
  CHECK(c.take_history() == History{"returning to v1: aborted by Ann <ann@example.com>: looks good",
                                    "rolled back to v1: aborted by Ann <ann@example.com>: looks good"});
  CHECK(c.status->phase == Phase::Degraded);
  CHECK(c.canary_weight() == 0);
  CHECK(c.routes()["metadata"]["annotations"]["serin.dev/rejected"] == "hashv2");
  c.rest(decided(Verb::Retry, std::nullopt, "d2"), at(300));
  CHECK(c.take_history() == History{"deploying v2 (step 0/4)", "canary 20% (step 1/4)"});
  CHECK_FALSE(c.routes()["metadata"].contains("annotations"));
}

TEST_CASE("a person pauses a timed pause and resumes it", "[decisions]") {
  std::vector<Step> steps = {SetWeight{20}, Pause{60s}};
  Cluster1 c = running("v1");
  c.rest(rollout("v2", steps), at(100));
  c.take_history();
  c.rest(decided(Verb::Pause, 1, "d1", steps), at(110));
  CHECK(c.take_history() == History{"paused at 20% (step 1/2)"});
  c.rest(decided(Verb::Pause, 1, "d1", steps), at(5000));
  CHECK(c.take_history().empty());
  c.rest(decided(Verb::Resume, 1, "d2", steps), at(5001));
  CHECK(c.take_history().front() == "resumed at 20% (step 1/2)");
}

TEST_CASE("resume ends a pause step", "[decisions]") {
  Cluster1 c = paused_canary();
  c.rest(decided(Verb::Resume, 1, "d1"), at(200));
  CHECK(c.take_history().front() == "canary 20% (step 2/4)");
}

TEST_CASE("a decision without a canary is stale", "[decisions]") {
  Cluster1 c = running("v2");
  Rollout v2 = decided(Verb::Abort, std::nullopt, "d1");
  c.rest(v2, at(200));
  CHECK_THAT(c.status->ignored->why, ContainsSubstring("no canary is under way"));
  CHECK(c.status->phase == Phase::Healthy);
}

TEST_CASE("a pause that was decided in an earlier run does not hold a later one", "[decisions]") {
  const std::vector<Step> steps = {Pause{10s}, SetWeight{20}, Pause{}};
  Cluster1 c = running("v1");
  c.rest(decided(Verb::Pause, std::nullopt, "d1", steps), at(100));
  c.rest(decided(Verb::Pause, std::nullopt, "d1", steps), at(200));
  CHECK(c.status->step->index == 0);
  c.rest(rollout("v1", steps), at(300));
  c.take_history();
  c.rest(decided(Verb::Pause, std::nullopt, "d1", steps), at(400));
  c.rest(decided(Verb::Pause, std::nullopt, "d1", steps), at(411));
  CHECK(c.take_history() == History{"deploying v2 (step 0/3)", "canary 0% (step 1/3)", "canary 20% (step 2/3)"});
}
