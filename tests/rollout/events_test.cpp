#include "rollout/events.h"

#include "rollout/builders.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// The reasons of all events while the cluster comes to rest.
std::vector<std::string> reasons(Cluster1& c, const Rollout& desired, TimePoint now) {
  std::vector<std::string> out;
  for (int i = 0; i < 100; ++i) {
    const auto before = c.status;
    const bool changed = c.pass(desired, now);
    for (const RolloutEvent& event : events_of(before, c.last)) {
      CHECK_FALSE(event.message.empty());
      out.emplace_back(event.reason);
    }
    c.pods_start(now);
    if (!changed && !c.pass(desired, now)) return out;
  }
  return {"NEVER AT REST"};
}

using Reasons = std::vector<std::string>;

}  // namespace

TEST_CASE("a first deploy is an update that completes", "[events]") {
  Cluster1 c;
  CHECK(reasons(c, rollout("v1"), at(0)) == Reasons{"RolloutUpdated", "RolloutCompleted"});
}

TEST_CASE("a canary completes its steps, with pauses in between", "[events]") {
  Cluster1 c = running("v1");
  CHECK(reasons(c, rollout("v2"), at(100)) == Reasons{"RolloutUpdated", "RolloutStepCompleted", "RolloutPaused"});
  CHECK(reasons(c, rollout("v2"), at(200)) ==
        Reasons{"RolloutStepCompleted", "RolloutResumed", "RolloutStepCompleted", "RolloutPaused"});
  CHECK(reasons(c, rollout("v2"), at(300)) == Reasons{"RolloutStepCompleted", "RolloutResumed", "RolloutCompleted"});
}

TEST_CASE("an abort is told once, as a warning", "[events]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  Rollout aborted = rollout("v2");
  aborted.decision = RolloutDecision{.verb = Verb::Abort, .revision = "hashv2", .author = "Ann", .commit = "c1"};
  const auto before = c.status;
  c.pass(aborted, at(110));
  auto events = events_of(before, c.last);
  REQUIRE(events.size() == 1);
  CHECK(events[0].reason == "RolloutAborted");
  CHECK(events[0].type == EventType::Warning);
  CHECK(reasons(c, aborted, at(110)).empty());
  aborted.decision = RolloutDecision{.verb = Verb::Retry, .revision = "hashv2", .author = "Ann", .commit = "c2"};
  CHECK(reasons(c, aborted, at(120)) ==
        Reasons{"RolloutRetry", "RolloutUpdated", "RolloutStepCompleted", "RolloutPaused"});
}

TEST_CASE("a canary that is given up or superseded was not completed", "[events]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  CHECK(reasons(c, rollout("v3"), at(110)) ==
        Reasons{"RolloutNotCompleted", "RolloutUpdated", "RolloutStepCompleted", "RolloutPaused"});
  CHECK(reasons(c, rollout("v1"), at(120)) == Reasons{"RolloutNotCompleted", "RolloutCompleted"});
}

TEST_CASE("a recent version comes back without steps", "[events]") {
  Cluster1 c = running("v1");
  for (int second : {100, 200, 300, 400}) c.rest(rollout("v2"), at(second));
  REQUIRE(c.status->stable->hash == "hashv2");
  CHECK(reasons(c, rollout("v1"), at(500)) == Reasons{"RolloutUpdated", "SkipSteps", "RolloutCompleted"});
}

TEST_CASE("a rollout that makes no progress and one that is refused are warnings", "[events]") {
  Status status;
  status.phase = Phase::Progressing;
  status.canary = Revision{"hashv2", "example.com/till:v2", {}};
  Decision stuck{.status = status, .subject = "stuck deploying v2", .why = "no progress for 10m"};
  stuck.status.phase = Phase::Degraded;
  auto events = events_of(status, stuck);
  REQUIRE(events.size() == 1);
  CHECK(events[0] ==
        RolloutEvent{EventType::Warning, "RolloutNotCompleted", "stuck deploying v2: no progress for 10m"});
  Decision refused{.status = status, .subject = "refused: no replicas", .why = "no replicas"};
  refused.status.refused = "no replicas";
  CHECK(events_of(status, refused)[0].reason == "InvalidSpec");
}

TEST_CASE("actions are told when they are done, and those that move traffic when they fail", "[events]") {
  CHECK(event_of(RewriteRoutes{.object = {.name = "till"}}, {.weight = 20})->message == "canary weight is 20%");
  CHECK(event_of(ScaleReplicaSet{.name = "till-1", .replicas = 3}, {})->reason == "ScalingReplicaSet");
  CHECK_FALSE(event_of(AdoptReplicaSet{.name = "till-1"}, {}));
  CHECK(failure_event_of(RewriteRoutes{.object = {.name = "till"}}, "refused")->reason == "TrafficRoutingError");
  CHECK_FALSE(failure_event_of(ScaleReplicaSet{.name = "till-1"}, "refused"));
}
