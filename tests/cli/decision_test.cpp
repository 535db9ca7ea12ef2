#include "cli/decision.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// shop/checkout with v2 at step 1/8.
StatusEntry paused_canary() {
  Status status{.phase = Phase::Paused,
                .stable = Revision{.hash = "5d8f7c9b4", .image = "r.example.com/checkout:v1"},
                .canary = Revision{.hash = "6d4c9f7b8d", .image = "r.example.com/checkout:v2"},
                .step = StepPosition{.index = 1, .count = 8},
                .weight = 20};
  return {.cluster = "default", .rollout = {.ns = "shop", .name = "checkout"}, .status = status, .last = {}};
}

StatusEntry at_rest() {
  StatusEntry entry = paused_canary();
  entry.status.phase = Phase::Healthy;
  entry.status.canary.reset();
  return entry;
}

}  // namespace

TEST_CASE("an approval is bound to the revision and the step that was seen", "[decision]") {
  auto decision = decision_about(paused_canary(), Verb::Promote, "looks good");
  REQUIRE(decision);
  CHECK(decision->revision == "6d4c9f7b8d");
  CHECK(decision->step == 1);
  CHECK(decision->reason == "looks good");
  CHECK(decision_subject(paused_canary(), *decision) == "shop/checkout: promote v2 at step 1/8");
  CHECK(decision_message(paused_canary(), *decision) == "shop/checkout: promote v2 at step 1/8\n\nlooks good\n");
}

TEST_CASE("an abort or a pause holds whatever the step is by then", "[decision]") {
  for (Verb verb : {Verb::Abort, Verb::Pause, Verb::PromoteFull}) {
    auto decision = decision_about(paused_canary(), verb, "");
    REQUIRE(decision);
    CHECK_FALSE(decision->step);
  }
}

TEST_CASE("without a canary there is nothing to decide", "[decision]") {
  for (Verb verb : {Verb::Promote, Verb::PromoteFull, Verb::Abort, Verb::Pause, Verb::Resume, Verb::Retry}) {
    auto decision = decision_about(at_rest(), verb, "");
    REQUIRE_FALSE(decision);
    CHECK(decision.error().message ==
          "shop/checkout: nothing to " + std::string(to_text(verb)) + ": no canary is under way, it is Healthy at v1");
  }
}

TEST_CASE("an experiment can be ended, well or badly, and only while it runs", "[decision][standalone]") {
  const Status status{.phase = Phase::Paused, .run = ExperimentRun{"6d4c9f7b8d", TimePoint(), "", false}};
  StatusEntry entry{.cluster = "default", .rollout = {.ns = "shop", .name = "ab"}, .status = status, .last = {}};
  for (Verb verb : {Verb::Promote, Verb::PromoteFull, Verb::Abort}) {
    auto decision = decision_about(entry, verb, "");
    REQUIRE(decision);
    CHECK(decision->revision == "6d4c9f7b8d");
    CHECK(decision_subject(entry, *decision) == "shop/ab: " + std::string(to_text(verb)) + " 6d4c9f7b8d");
  }
  for (Verb verb : {Verb::Pause, Verb::Resume, Verb::Retry})
    CHECK(decision_about(entry, verb, "").error().message ==
          "shop/ab: an experiment cannot " + std::string(to_text(verb)) + ": approve ends it, abort ends it as failed");
  entry.status.run->ended = "its 5m are over";
  CHECK(decision_about(entry, Verb::Abort, "").error().message ==
        "shop/ab: nothing to abort: the experiment succeeded: its 5m are over");
}

TEST_CASE("a retry is about the newest revision that failed", "[decision]") {
  StatusEntry entry = at_rest();
  entry.status.phase = Phase::Degraded;
  entry.status.rejected = {{.hash = "aaa", .image = "r.example.com/checkout:v4", .lapsed = true},
                           {.hash = "bbb", .image = "r.example.com/checkout:v3"}};
  auto decision = decision_about(entry, Verb::Retry, "");
  REQUIRE(decision);
  CHECK(decision->revision == "bbb");
  CHECK(decision_subject(entry, *decision) == "shop/checkout: retry v3");
}

TEST_CASE("what is not paused is not resumed", "[decision]") {
  StatusEntry entry = paused_canary();
  entry.status.phase = Phase::Progressing;
  CHECK_FALSE(decision_about(entry, Verb::Resume, ""));
  CHECK_FALSE(decision_about(entry, Verb::Retry, ""));
}
