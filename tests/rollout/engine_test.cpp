#include "rollout/builders.h"

#include "catch.h"

using namespace reconciler;
using History = std::vector<std::string>;

TEST_CASE("a first deploy goes up without steps", "[advance]") {
  Cluster1 c;
  c.rest(rollout("v1"), at(0));
  CHECK(c.take_history() == History{"deploying v1 (step 4/4)", "promoted v1"});
  CHECK(c.live.services["till-stable"].hash == "hashv1");
  CHECK(c.live.services["till-canary"].hash == "hashv1");
  CHECK(c.canary_weight() == 0);
  CHECK(c.status->phase == Phase::Healthy);
}

TEST_CASE("a settled rollout plans nothing", "[plan]") {
  Cluster1 c = running("v1");
  CHECK_FALSE(c.pass(rollout("v1"), at(1000)));
  CHECK(c.last.settled);
}

TEST_CASE("a new image walks through its steps as the design's history reads", "[advance]") {
  Cluster1 c = running("v1");
  Rollout v2 = rollout("v2");
  c.rest(v2, at(100));
  CHECK(c.take_history() == History{"deploying v2 (step 0/4)", "canary 20% (step 1/4)"});
  CHECK(c.status->phase == Phase::Paused);
  CHECK(c.canary_weight() == 20);
  CHECK(c.workload("hashv2").replicas == 1);
  CHECK(c.last.look_again == at(160));
  c.rest(v2, at(159));
  CHECK(c.take_history().empty());
  c.rest(v2, at(160));
  CHECK(c.take_history() == History{"canary 20% (step 2/4)", "canary 60% (step 3/4)"});
  CHECK(c.workload("hashv2").replicas == 3);
  CHECK(c.workload("hashv1").replicas == 5);
  c.rest(v2, at(220));
  CHECK(c.take_history() ==
        History{"canary 60% (step 4/4)", "canary 100% (step 4/4)", "promoting v2 (step 4/4)", "promoted v2"});
  CHECK(c.canary_weight() == 0);
  CHECK(c.live.services["till-stable"].hash == "hashv2");
  CHECK(c.status->previous.front().hash == "hashv1");
  CHECK(c.workload("hashv1").replicas == 5);
  c.rest(v2, at(249));
  CHECK(c.workload("hashv1").replicas == 5);
  c.rest(v2, at(251));
  CHECK(c.workload("hashv1").replicas == 0);
  CHECK(c.take_history().empty());
}

TEST_CASE("the weight rises only when the canary's pods are available", "[diff]") {
  Cluster1 c = running("v1");
  for (int i = 0; i < 5; ++i) c.pass(rollout("v2"), at(10 + i));
  CHECK(c.take_history() == History{"deploying v2 (step 0/4)"});
  CHECK(c.canary_weight() == 0);
  CHECK(c.live.services["till-canary"].hash == "hashv1");
  CHECK(c.last.why == "waiting for 1 of 1 canary pods");
}

TEST_CASE("while its manifest is refused a rollout is kept as it was", "[keep]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  c.status->refused = "r.yaml:7: no";
  c.routes() = virtual_service(50, 50);
  Decision mended = keep(rollout("v2"), c.live, *c.status, at(1000));
  CHECK(mended.subject.empty());  // its pause is over
  for (const Action& action : mended.actions) c.carry_out(action, at(1000));
  CHECK(c.canary_weight() == 20);
  CHECK(keep(rollout("v2"), c.live, *c.status, at(1000)).actions.empty());
  c.workload("hashv2").available = 0;
  const Decision lost = keep(rollout("v2"), c.live, *c.status, at(1001));
  CHECK(lost.subject == "canary 0% (step 1/4)");
  CHECK(lost.status.refused == c.status->refused);
  CHECK(keep(rollout("v3"), c.live, *c.status, at(1002)).status.canary == c.status->canary);
}

TEST_CASE("a revert in mid-canary gives the traffic back before anything else", "[advance]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  c.take_history();
  Rollout v1 = rollout("v1");
  v1.commit = "revert";
  c.pass(v1, at(110));
  CHECK(c.take_history() == History{"returning to v1: Git asks for v1 again"});
  CHECK(c.canary_weight() == 0);
  CHECK(c.workload("hashv2").replicas == 1);
  c.rest(v1, at(111));
  CHECK(c.take_history() == History{"rolled back to v1: Git asks for v1 again"});
  CHECK(c.status->phase == Phase::Healthy);
  CHECK(c.status->rejected.empty());
  c.rest(v1, at(200));
  CHECK(c.workload("hashv2").replicas == 0);
  CHECK(c.live.services["till-canary"].hash == "hashv1");
}

TEST_CASE("going back to a recent stable revision skips the steps", "[advance]") {
  Cluster1 c = running("v1");
  for (int t : {100, 160, 220}) c.rest(rollout("v2"), at(t));
  c.take_history();
  c.rest(rollout("v1"), at(500));
  CHECK(c.take_history() ==
        History{"deploying v1 (step 4/4)", "canary 100% (step 4/4)", "promoting v1 (step 4/4)", "promoted v1"});
}

TEST_CASE("a new image during a canary supersedes it", "[advance]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  c.take_history();
  c.pass(rollout("v3"), at(110));
  CHECK(c.canary_weight() == 0);
  CHECK(c.live.services["till-canary"].hash == "hashv2");
  c.rest(rollout("v3"), at(111));
  CHECK(c.take_history() == History{"deploying v3 (step 0/4)", "canary 20% (step 1/4)"});
  CHECK(c.live.services["till-canary"].hash == "hashv3");
  c.rest(rollout("v3"), at(150));
  CHECK(c.workload("hashv2").replicas == 0);
}

TEST_CASE("an image that never becomes ready is stuck, says why, and may abort", "[advance]") {
  Cluster1 c = running("v1");
  Rollout v2 = rollout("v2");
  c.rest(v2, at(100), false);
  c.workload("hashv2").pod_trouble = "image cannot be pulled";
  CHECK(c.last.look_again == at(700));
  SECTION("Degraded by default") {
    c.rest(v2, at(701), false);
    CHECK(c.history.back() == "stuck deploying v2 (step 0/4)");
    CHECK(c.last.why == "waiting for 1 of 1 canary pods: image cannot be pulled");
    CHECK(c.status->phase == Phase::Degraded);
  }
  SECTION("goes back with progressDeadlineAbort") {
    v2.progress_deadline_abort = true;
    c.rest(v2, at(701), false);
    CHECK(c.history.back() ==
          "rolled back to v1: no progress for 10m: waiting for 1 of 1 canary pods: image cannot be pulled");
    CHECK(c.status->phase == Phase::Degraded);
    CHECK(c.status->rejected.front().hash == "hashv2");
    c.take_history();
    c.rest(v2, at(9000));
    CHECK(c.take_history().empty());
    c.rest(rollout("v1"), at(9001));
    CHECK(c.take_history() == History{"rolled back to v1: Git asks for v1 again"});
    CHECK(c.status->phase == Phase::Healthy);
    c.rest(v2, at(9002));
    CHECK(c.take_history().front() == "deploying v2 (step 0/4)");
  }
}

TEST_CASE("a canary that loses all its pods loses its traffic until they are back", "[advance]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  c.take_history();
  c.workload("hashv2").available = 0;
  c.rest(rollout("v2"), at(120), false);
  CHECK(c.take_history() == History{"canary 0% (step 1/4)"});
  CHECK(c.canary_weight() == 0);
  c.pods_start(at(130));
  c.rest(rollout("v2"), at(130));
  CHECK(c.take_history() == History{"canary 20% (step 1/4)"});
  CHECK(c.canary_weight() == 20);
  CHECK(c.last.look_again == at(190));
}

TEST_CASE("a lost disk does not forget a rejection that the route remembers", "[advance]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  const Status pushed = *c.status;
  Rollout v2 = rollout("v2");
  v2.decision = RolloutDecision{Verb::Abort, "hashv2", std::nullopt, "slow", "Ann", "d1"};
  c.rest(v2, at(110));
  CHECK(c.status->phase == Phase::Degraded);
  c.status = pushed;
  c.take_history();
  v2.decision.reset();
  c.rest(v2, at(120));
  CHECK(c.history.back() == "rolled back to v1: rejected before, by the mark on the VirtualService");
  CHECK(c.canary_weight() == 0);
}

TEST_CASE("a stable ReplicaSet that is gone leaves nothing to protect", "[advance]") {
  Cluster1 c = running("v1");
  c.live.workloads.clear();
  c.live.services["till-stable"].hash = c.live.services["till-canary"].hash = "";
  c.rest(rollout("v2"), at(100));
  CHECK(c.take_history() == History{"deploying v2 (step 4/4)", "promoted v2"});
}

TEST_CASE("what runs before the first start is adopted", "[advance]") {
  Cluster1 c = running("v1");
  c.status.reset();
  for (auto& w : c.live.workloads) w.owned = false;
  SECTION("the same template: no pod restarts") {
    c.rest(rollout("v1"), at(100));
    CHECK(c.take_history() == History{"adopting v1 (step 4/4)", "promoted v1"});
    CHECK(c.live.workloads.size() == 1);
    CHECK(c.live.workloads[0].owned);
  }
  SECTION("another template is a canary from step 0") {
    c.pass(rollout("v2"), at(100));
    CHECK(c.take_history() == History{"deploying v2 (step 0/4)"});
    CHECK(c.status->stable->hash == "hashv1");
  }
  SECTION("several candidates are held") {
    c.live.services["till-stable"].hash = "";
    Workload other = c.live.workloads[0];
    other.name = "till-other";
    other.hash = "other";
    c.live.workloads.push_back(other);
    c.pass(rollout("v2"), at(100));
    CHECK_THAT(c.last.held, ContainsSubstring("several ReplicaSets have pods"));
    CHECK(c.last.actions.empty());
  }
}

TEST_CASE("a missing object holds the rollout and says which", "[plan]") {
  Cluster1 c = running("v1");
  c.live.services.erase("till-canary");
  c.pass(rollout("v2"), at(100));
  CHECK(c.last.held == "Service shop/till-canary is missing");
  CHECK(c.last.actions.empty());
  CHECK(c.take_history().empty());
}

TEST_CASE("without steps the canary grows and the Services switch", "[advance]") {
  Cluster1 c;
  c.rest(rollout("v1", {}), at(0));
  CHECK(c.take_history() == History{"deploying v1", "promoted v1"});
  c.rest(rollout("v2", {}), at(100));
  CHECK(c.take_history() == History{"deploying v2", "promoting v2", "promoted v2"});
  CHECK(c.live.services["till-stable"].hash == "hashv2");
}

TEST_CASE("a changed list of steps starts the canary over", "[advance]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  c.take_history();
  c.rest(rollout("v2", {SetWeight{40}, Pause{}}), at(110));
  CHECK(c.take_history() == History{"deploying v2 (step 0/2)", "canary 40% (step 1/2)"});
}

TEST_CASE("spec.paused freezes steps and pods, and a thaw goes on", "[advance]") {
  Cluster1 c = running("v1");
  Rollout v2 = rollout("v2");
  c.rest(v2, at(100));
  c.pass(v2, at(160));
  c.take_history();
  v2.paused = true;
  c.rest(v2, at(161));
  CHECK(c.take_history() == History{"paused at 20% (step 2/4)"});
  c.rest(v2, at(9999));
  CHECK(c.take_history().empty());
  v2.paused = false;
  c.pass(v2, at(10000));
  CHECK(c.take_history() == History{"resumed at 20% (step 2/4)"});
}

TEST_CASE("no replicas means no pods, and the steps still end", "[advance]") {
  Cluster1 c;
  Rollout v1 = rollout("v1"), v2 = rollout("v2");
  v1.replicas = v2.replicas = 0;
  c.rest(v1, at(0));
  for (int t : {100, 161, 222, 300}) c.rest(v2, at(t));
  CHECK(c.take_history() == History{"deploying v1 (step 4/4)", "promoted v1", "deploying v2 (step 0/4)",
                                    "canary 20% (step 1/4)", "canary 20% (step 2/4)", "canary 60% (step 3/4)",
                                    "canary 60% (step 4/4)", "canary 100% (step 4/4)", "promoting v2 (step 4/4)",
                                    "promoted v2"});
}

TEST_CASE("the routes of others and everything else in a VirtualService stay", "[istio]") {
  Cluster1 c = running("v1");
  Json& http = c.routes()["spec"]["http"];
  http[0]["name"] = "primary";
  http[0]["timeout"] = "5s";
  http.push_back({{"name", "other"}, {"route", Json::array({{{"destination", {{"host", "elsewhere"}}}}})}});
  const Json before = c.routes();
  Rollout v2 = rollout("v2");
  std::get<IstioRouting>(v2.routing.routers[0]).virtual_services[0].routes = {"primary"};
  c.rest(v2, at(100));
  Json expected = before;
  expected["spec"]["http"][0]["route"][0]["weight"] = 80;
  expected["spec"]["http"][0]["route"][1]["weight"] = 20;
  CHECK(c.routes() == expected);
}

TEST_CASE("a mark found with an older canary in the status rejects what Git asks for", "[advance]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  const std::optional<Status> pushed = c.status;  // v2 at 20%
  c.rest(rollout("v3"), at(110));
  Rollout v3 = rollout("v3");
  v3.decision = RolloutDecision{Verb::Abort, "hashv3", std::nullopt, "", "", "d1"};
  c.rest(v3, at(120));
  REQUIRE(text_at(c.routes(), {"metadata", "annotations", kRejectedAnnotation}) == "hashv3");
  c.status = pushed;  // the disk is lost
  c.take_history();
  v3.decision.reset();
  c.rest(v3, at(130));
  CHECK(c.take_history() == History{"returning to v1: rejected before, by the mark on the VirtualService",
                                    "rolled back to v1: rejected before, by the mark on the VirtualService"});
  CHECK(c.status->rejected.front().hash == "hashv3");
  CHECK(text_at(c.routes(), {"metadata", "annotations", kRejectedAnnotation}) == "hashv3");
}

TEST_CASE("a mark is heeded when nothing is recorded at all", "[advance]") {
  Cluster1 c = running("v1");
  Rollout v2 = rollout("v2");
  c.rest(v2, at(100));
  v2.decision = RolloutDecision{Verb::Abort, "hashv2", std::nullopt, "", "", "d1"};
  c.rest(v2, at(110));
  c.status.reset();
  c.take_history();
  v2.decision.reset();
  c.rest(v2, at(120));
  CHECK(c.take_history().front() == "returning to v1: rejected before, by the mark on the VirtualService");
  CHECK(text_at(c.routes(), {"metadata", "annotations", kRejectedAnnotation}) == "hashv2");
  CHECK(c.status->phase == Phase::Degraded);
}

TEST_CASE("the way back has a progress deadline of its own", "[advance]") {
  Cluster1 c = running("v1");
  Rollout v2 = rollout("v2", {SetWeight{20}, Pause{}});
  c.rest(v2, at(100));
  c.take_history();
  const Json shifted = c.routes();
  c.pass(rollout("v1", v2.steps), at(5000));
  c.routes() = shifted;  // the write did not get through
  c.pass(rollout("v1", v2.steps), at(5001));
  CHECK(c.take_history() == History{"returning to v1: Git asks for v1 again"});
}

TEST_CASE("weights that go down keep the pods until the route has less", "[target]") {
  Cluster1 c = running("v1");
  const std::vector<Step> steps = {SetWeight{80}, SetWeight{40}, Pause{}};
  c.rest(rollout("v2", steps), at(100));
  CHECK(c.take_history() == History{"deploying v2 (step 0/3)", "canary 80% (step 1/3)", "canary 40% (step 2/3)"});
  CHECK(c.workload("hashv2").replicas == 2);
}

TEST_CASE("a rejected revision is not deployed even when the stable ReplicaSet is gone", "[advance]") {
  Cluster1 c = running("v1");
  Rollout v2 = rollout("v2");
  c.rest(v2, at(100));
  v2.decision = RolloutDecision{Verb::Abort, "hashv2", std::nullopt, "", "", "d1"};
  c.rest(v2, at(110));
  std::erase_if(c.live.workloads, [](const Workload& w) { return w.hash == "hashv1"; });
  c.take_history();
  c.rest(v2, at(120), false);
  CHECK(c.take_history().empty());
  CHECK(c.live.services["till-stable"].hash == "hashv1");
}

TEST_CASE("a stable revision that ails does not keep a new one from mending it", "[advance]") {
  Cluster1 c = running("v1");
  c.workload("hashv1").available = 2;
  Rollout v2 = rollout("v2");
  auto only_the_canary_starts = [&](int seconds) {
    for (int i = 0; i < 10; ++i) {
      c.pass(v2, at(seconds));
      for (Workload& w : c.live.workloads)
        if (w.hash == "hashv2") w.current = w.available = w.replicas;
    }
  };
  for (int seconds : {100, 161, 222}) only_the_canary_starts(seconds);
  CHECK(c.take_history().back() == "promoted v2");
}

TEST_CASE("when a record is lost the weights follow it before stable is selected again", "[diff]") {
  Cluster1 c = running("v1");
  const std::vector<Step> steps = {SetWeight{20}, Pause{}};
  c.rest(rollout("v2", steps), at(100));
  // What came after that was done, but its record is lost: v2 was promoted.
  c.live.services["till-stable"].hash = "hashv2";
  c.routes() = virtual_service(100, 0);
  c.pass(rollout("v2", steps), at(200));
  CHECK(c.canary_weight() == 20);
  CHECK(c.live.services["till-stable"].hash == "hashv2");
  c.rest(rollout("v2", steps), at(201));
  CHECK(c.live.services["till-stable"].hash == "hashv1");
}

TEST_CASE("a way back to a stable revision that ails ends at the deadline", "[advance]") {
  auto unrouted = [](const std::string& tag) {
    Rollout out = rollout(tag, {Pause{}, SetWeight{20}});
    out.routing = {};
    return out;
  };
  Cluster1 c;
  c.rest(unrouted("v1"), at(0));
  c.rest(unrouted("v2"), at(100));
  c.take_history();
  Workload& stable = c.workload("hashv1");
  stable.current = stable.ready = stable.available = 2;
  for (int seconds : {200, 201, 202, 203, 204, 900}) c.pass(unrouted("v1"), at(seconds));
  CHECK(c.take_history() == History{"returning to v1: Git asks for v1 again", "stuck returning to v1 (step 0/2)"});
  CHECK(c.status->phase == Phase::Degraded);
}

TEST_CASE("pods that are lost in a pause and stay away make it Degraded, and it mends itself", "[advance]") {
  Cluster1 c = running("v1");
  const std::vector<Step> steps = {SetWeight{20}, Pause{}};
  Rollout v2 = rollout("v2", steps);
  c.rest(v2, at(100));
  c.take_history();
  Workload& canary = c.workload("hashv2");
  canary.current = canary.ready = canary.available = 0;
  c.rest(v2, at(200), false);
  c.rest(v2, at(900), false);
  CHECK(c.take_history() == History{"canary 0% (step 1/2)", "stuck deploying v2 (step 1/2)"});
  c.pods_start(at(1000));
  c.rest(v2, at(1000));
  CHECK(c.take_history() == History{"canary 20% (step 1/2)"});
  CHECK(c.status->phase == Phase::Paused);
}
