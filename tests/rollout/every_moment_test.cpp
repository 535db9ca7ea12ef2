// Whatever a canary is doing: an abort, a revert and a newer version take it from there, over no violation, to rest.
#include <functional>

#include "rollout/builders.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

struct Kind {
  std::string what;
  std::function<void(Rollout&)> change;
};

const Experiment kExperiment{.templates = {{.name = "base", .weight = 10, .has_service = true}}, .duration = 40s};

std::vector<Kind> kinds() {
  return {{"plain", [](Rollout&) {}},
          {"dynamic", [](Rollout& r) { r.dynamic_stable_scale = true; }},
          {"experiment",
           [](Rollout& r) {
             r.steps = {SetWeight{20}, kExperiment, SetWeight{60}, Pause{40s}};
           }},
          {"scale",
           [](Rollout& r) {
             r.steps = {SetCanaryScale{2, {}}, SetWeight{20}, Pause{40s}, SetCanaryScale{}};
           }},
          {"routes",
           [](Rollout& r) {
             r.steps = {SetWeight{20}, SetHeaderRoute{"testers", {{"x", {"exact", "y"}}}}, Pause{40s}};
             r.routing.managed_routes = {"testers"};
           }},
          {"without routing", [](Rollout& r) { r.routing = {}; }},
          {"no steps", [](Rollout& r) { r.steps.clear(); }}};
}

Rollout of(const Kind& kind, const std::string& tag) {
  Rollout out = rollout(tag);
  kind.change(out);
  out.steps_hash = out.steps.empty() ? "" : "steps";
  return out;
}

/// `cluster` after `passes` passes over `desired`; pods start after every third.
int walk(Cluster1& cluster, const Rollout& desired, int passes) {
  int seconds = 100;
  for (int i = 0; i < passes; ++i, seconds += 10) {
    cluster.pass(desired, at(seconds));
    if (i % 3 == 2) cluster.pods_start(at(seconds));
  }
  return seconds;
}

/// Until nothing but time moves it, for as long as a canary of these kinds may take.
void come_to_rest(Cluster1& cluster, const Rollout& desired, int seconds) {
  for (int i = 0; i < 12; ++i, seconds += 60) cluster.rest(desired, at(seconds));
}

void check_rest(Cluster1& cluster, const std::string& hash, const Rollout& desired) {
  REQUIRE(cluster.status->stable);
  CHECK(cluster.status->stable->hash == hash);
  CHECK_FALSE(cluster.status->canary);
  CHECK_FALSE(cluster.status->experiment);
  CHECK(cluster.live.experiments.empty());
  CHECK(cluster.workload(hash).available == 5);
  for (const Workload& w : cluster.live.workloads) CHECK((w.hash == hash || w.replicas == 0));
  if (desired.is_routed()) {
    CHECK(cluster.routes()["spec"]["http"].size() == 1);
    CHECK(cluster.routes()["spec"]["http"][0]["route"].size() == 2);
    CHECK(cluster.canary_weight() == 0);
  }
  for (const std::string& said : cluster.take_history()) CHECK(said.find("VIOLATION") == std::string::npos);
}

}  // namespace

TEST_CASE("at every moment of a canary an abort, a revert and a newer version come to rest", "[advance]") {
  for (const Kind& kind : kinds()) {
    const Rollout v1 = of(kind, "v1"), v2 = of(kind, "v2"), v3 = of(kind, "v3");
    for (int passes = 1; passes < 30; ++passes) {
      INFO(kind.what << " after " << passes << " passes");
      Cluster1 begun = running(v1);
      const int seconds = walk(begun, v2, passes);
      const bool promoted = begun.status->stable->hash == "hashv2";

      Cluster1 aborted = begun;
      Rollout with_abort = v2;
      with_abort.decision = RolloutDecision{.verb = Verb::Abort, .revision = "hashv2", .author = "Ann", .commit = "d"};
      come_to_rest(aborted, with_abort, seconds);
      check_rest(aborted, promoted ? "hashv2" : "hashv1", v2);
      CHECK((aborted.status->phase == Phase::Degraded) == !promoted);

      Cluster1 reverted = begun;
      come_to_rest(reverted, v1, seconds);
      check_rest(reverted, "hashv1", v1);

      Cluster1 superseded = begun;
      come_to_rest(superseded, v3, seconds);
      check_rest(superseded, "hashv3", v3);
    }
  }
}
