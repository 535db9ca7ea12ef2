#include "daemon/event_recorder.h"

#include "sim/objects.h"
#include "sim/sim_cluster.h"
#include "sim/sim_workers.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// A cluster with the namespace `shop`, and a recorder whose jobs run when `settle` is called.
struct Recording {
  SimClock clock{TimePoint(std::chrono::hours(24 * 365 * 50))};
  World world{{.now = clock.now()}};
  Writer writer;
  SimCluster cluster{world, writer, clock, Random(1), 0ms, 0ms};
  SimWorkers workers{clock, Random(2), {}};
  EventRecorder recorder{cluster, clock, workers};

  Recording() { REQUIRE(cluster.ensure_namespace("shop")); }

  void record(const RolloutEvent& event) { recorder.record({{"shop", "till"}}, {event}); }

  void settle() {
    while (workers.run_one()) {}
  }

  std::vector<Object> events() { return world.list({.type = world.catalogue().by_kind("v1", "Event"), .ns = "shop"}); }
};

const RolloutEvent kPaused{EventType::Normal, "RolloutPaused", "pausing for 5m"};

}  // namespace

TEST_CASE("an event is about the Rollout, whether that is in the cluster or not", "[events]") {
  Recording scene;
  scene.record({EventType::Warning, "RolloutAborted", "success rate 81% < 95%"});
  CHECK_FALSE(scene.recorder.idle());
  scene.settle();
  CHECK(scene.recorder.idle());
  REQUIRE(scene.events().size() == 1);
  const Json event = *scene.events()[0];
  CHECK(event["involvedObject"]["kind"] == "Rollout");
  CHECK(event["involvedObject"]["name"] == "till");
  CHECK_FALSE(event["involvedObject"].contains("uid"));
  CHECK(event["type"] == "Warning");
  CHECK(event["reason"] == "RolloutAborted");
  CHECK(event["count"] == 1);
}

TEST_CASE("an event may be about an Experiment", "[events][standalone]") {
  Recording scene;
  scene.recorder.record({{"shop", "ab"}, "Experiment"}, {{EventType::Normal, "ExperimentRunning", "all its pods"}});
  scene.settle();
  REQUIRE(scene.events().size() == 1);
  CHECK((*scene.events()[0])["involvedObject"]["kind"] == "Experiment");
}

TEST_CASE("the same event again within a while raises its count", "[events]") {
  Recording scene;
  scene.record(kPaused);
  scene.settle();
  scene.clock.advance_to(5min);
  scene.record(kPaused);
  scene.settle();
  REQUIRE(scene.events().size() == 1);
  CHECK((*scene.events()[0])["count"] == 2);
  CHECK((*scene.events()[0])["firstTimestamp"] != (*scene.events()[0])["lastTimestamp"]);
  scene.record({EventType::Normal, "RolloutPaused", "pausing for 1h"});
  scene.clock.advance_to(1h);
  scene.record(kPaused);
  scene.settle();
  CHECK(scene.events().size() == 3);
}

TEST_CASE("events that cannot be written are lost, and the next ones are not", "[events]") {
  Recording scene;
  scene.recorder.record({{"nowhere", "till"}}, {kPaused});
  scene.settle();
  CHECK(scene.recorder.idle());
  scene.record(kPaused);
  scene.settle();
  CHECK(scene.events().size() == 1);
}

TEST_CASE("a flood of events is cut short", "[events]") {
  Recording scene;
  std::vector<RolloutEvent> flood;
  for (int i = 0; i < 5000; ++i) flood.push_back({EventType::Normal, "ScalingReplicaSet", std::to_string(i)});
  scene.recorder.record({{"shop", "till"}}, flood);
  scene.settle();
  CHECK(scene.events().size() == 1000);
  CHECK(scene.recorder.idle());
}
