#include "rollout/builders.h"
#include "rollout/deploy_trailers.h"

#include "catch.h"

using namespace reconciler;
using Walked = std::vector<std::string>;

namespace {

const std::vector<Step> kGentleSteps = {SetWeight{10}, Pause{60s}, SetWeight{40}, Pause{60s}};
const std::string kAsking = "Ann <ann@example.com>";

Rollout asking(Rollout r, DeployTrailers trailers) {
  trailers.by = kAsking;
  r.trailers = trailers;
  return r;
}

}  // namespace

TEST_CASE("what a deploy commit asks for", "[trailers]") {
  CHECK_FALSE(deploy_trailers("Deploy v2\n\nThe fix.\n"));
  CHECK_FALSE(deploy_trailers("Rollout-Skip-Steps: yes\n"));  // that is the subject
  CHECK(deploy_trailers("Deploy v2\n\nrollout-skip-steps: Yes\nSigned-off-by: A\n")->skip_steps);
  CHECK(deploy_trailers("Deploy v2\n\nRollout-Pause-At: 20\n")->pause_at == 20);
  CHECK(deploy_trailers("Deploy v2\n\nRollout-Pause-At: 20%\n")->pause_at == 20);
  CHECK(deploy_trailers("Deploy v2\n\nRollout-Pause-At: 120\n")->ignored == "Rollout-Pause-At must be 0 to 100");
  CHECK(deploy_trailers("Deploy v2\n\nRollout-Skip-Steps: please\n")->ignored == "Rollout-Skip-Steps must be yes");
  const auto both = deploy_trailers("Deploy v2\n\nRollout-Skip-Steps: yes\nRollout-Pause-At: 5\n");
  const DeployTrailers none = judged(*both, rollout("v2"), "");
  CHECK(none == DeployTrailers{.ignored = "Rollout-Skip-Steps and Rollout-Pause-At exclude each other"});
  CHECK(judged({.skip_steps = true, .by = kAsking}, rollout("v2"), "not you") ==
        DeployTrailers{.by = kAsking, .ignored = "not you"});
}

TEST_CASE("Rollout-Skip-Steps goes to the end without steps, and says so", "[trailers]") {
  Cluster1 c = running("v1");
  const Rollout v2 = asking(rollout("v2", kGentleSteps), {.skip_steps = true});
  c.pass(v2, at(100));
  CHECK(c.last.why == "image changed v1 -> v2; steps skipped, as Ann <ann@example.com> asks");
  CHECK(c.status->trailers == v2.trailers);
  // After a restart nobody asks the commit again.
  c.rest(rollout("v2", kGentleSteps), at(101));
  CHECK(c.take_history() ==
        Walked{"deploying v2 (step 4/4)", "canary 100% (step 4/4)", "promoting v2 (step 4/4)", "promoted v2"});
  CHECK_FALSE(c.status->trailers);
}

TEST_CASE("trailers that are not honoured change nothing but what is said", "[trailers]") {
  Cluster1 c = running("v1");
  c.rest(asking(rollout("v2", kGentleSteps), {.ignored = "not you"}), at(100));
  CHECK(c.take_history() == Walked{"deploying v2 (step 0/4)", "canary 10% (step 1/4)"});
  CHECK(c.status->trailers->ignored == "not you");
}

TEST_CASE("Rollout-Pause-At holds the canary at that share until somebody says so", "[trailers]") {
  for (const bool routed : {true, false}) {
    for (const int mark : {10, 20}) {
      Cluster1 c = running(routed ? rollout("v1") : unrouted("v1"));
      Rollout v2 = routed ? rollout("v2", kGentleSteps) : unrouted("v2", kGentleSteps);
      v2.replicas = 10;
      c.rest(asking(v2, {.pause_at = mark}), at(100));
      c.rest(v2, at(1'000));
      c.rest(v2, at(2'000));
      CHECK(c.status->weight == 10);
      CHECK(c.status->phase == Phase::Paused);
      CHECK(c.workload("hashv2").replicas == 1);
      c.take_history();
      v2.decision = RolloutDecision{Verb::Resume, "hashv2", std::nullopt, "fine", kAsking, "d1"};
      c.rest(v2, at(3'000));
      c.rest(v2, at(4'000));
      const Walked walked = c.take_history();
      CHECK(walked.front().starts_with("resumed at 10%"));
      CHECK(walked.back() == "promoted v2");
    }
  }
}

TEST_CASE("a return ends what the deploy commit asked for", "[trailers]") {
  Cluster1 c = running("v1");
  c.rest(asking(rollout("v2", kGentleSteps), {.pause_at = 10}), at(100));
  c.rest(rollout("v1", kGentleSteps), at(200));
  CHECK_FALSE(c.status->trailers);
  CHECK(c.status->phase == Phase::Healthy);
}
