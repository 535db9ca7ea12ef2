#include "rollout/published_status.h"

#include "rollout/builders.h"
#include "rollout/known_hash.h"

#include "catch.h"

using namespace reconciler;

namespace {

Json published(const Cluster1& c, const Rollout& desired, const Json& before = nullptr, TimePoint now = at(500)) {
  return published_status(desired, c.live, c.status, before, 3, now);
}

const Json& condition(const Json& status, const std::string& type) {
  for (const Json& each : status["conditions"])
    if (each["type"] == type) return each;
  static const Json none;
  return none;
}

}  // namespace

TEST_CASE("a settled rollout is published as healthy, with its pods and weights", "[published]") {
  Cluster1 c = running("v1");
  const Json status = published(c, rollout("v1"));
  CHECK(status["phase"] == "Healthy");
  CHECK_FALSE(status.contains("message"));
  CHECK(status["observedGeneration"] == "3");
  CHECK(status["replicas"] == 5);
  CHECK(status["updatedReplicas"] == 5);
  CHECK(status["availableReplicas"] == 5);
  CHECK(status["HPAReplicas"] == 5);
  CHECK(status["selector"] == "app=till");
  CHECK(status["currentPodHash"] == "hashv1");
  CHECK(status["stableRS"] == "hashv1");
  CHECK(status["canary"]["weights"]["stable"] ==
        Json({{"weight", 100}, {"serviceName", "till-stable"}, {"podTemplateHash", "hashv1"}}));
  CHECK(condition(status, "Healthy")["status"] == "True");
  CHECK(condition(status, "Completed")["status"] == "True");
  CHECK(condition(status, "Progressing")["reason"] == "NewReplicaSetAvailable");
  CHECK_FALSE(status.contains("pauseConditions"));
}

TEST_CASE("how long an update took and how it ended is published", "[published]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  const Json begun = published(c, rollout("v2"));
  CHECK(begun["duration"] == Json{{"rolloutStartedAt", format_time(at(100))}});
  auto ended = [&](const Rollout& desired, Json before) {
    Json status = published(c, desired, before);
    CHECK(is_published(status, published(c, desired, status, at(9000))));
    return text_at(status, {"duration", "completionStatus"}) + " " + text_at(status, {"duration", "finishedAt"});
  };
  SECTION("promoted") {
    c.rest(rollout("v2"), at(200));
    c.rest(rollout("v2"), at(300));
    CHECK(ended(rollout("v2"), begun) == "Promoted " + format_time(at(300)));
  }
  SECTION("rolled back") {
    c.rest(rollout("v1"), at(200));
    CHECK(ended(rollout("v1"), begun) == "RolledBack " + format_time(at(500)));
  }
  SECTION("aborted") {
    Rollout v2 = rollout("v2");
    v2.decision = RolloutDecision{.verb = Verb::Abort, .revision = "hashv2", .author = "Ann", .commit = "d1"};
    c.rest(v2, at(200));
    CHECK(ended(v2, begun) == "Aborted " + format_time(at(200)));
  }
}

TEST_CASE("restartedAt follows restartAt once no older pod is left", "[published]") {
  Cluster1 c = running("v1");
  Rollout v1 = rollout("v1");
  v1.restart_at = at(100);
  CHECK_FALSE(published(c, v1, nullptr, at(99)).contains("restartedAt"));
  CHECK_FALSE(published(c, v1, nullptr, at(101)).contains("restartedAt"));
  c.rest(v1, at(101));
  CHECK(published(c, v1)["restartedAt"] == format_time(at(100)));
}

TEST_CASE("which of two Services that take turns is stable is published", "[published]") {
  Cluster1 c = running("v1");
  Rollout v1 = rollout("v1");
  v1.ping_pong = true;
  CHECK(published(c, v1)["canary"]["stablePingPong"] == "ping");
  c.status->pong_is_stable = true;
  CHECK(published(c, v1)["canary"]["stablePingPong"] == "pong");
}

TEST_CASE("a canary in a pause shows its step, its weight and the pause", "[published]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  const Json status = published(c, rollout("v2"));
  CHECK(status["phase"] == "Paused");
  CHECK(status["currentStepIndex"] == 1);
  CHECK(status["currentStepHash"] == "steps4");
  CHECK(status["pauseConditions"][0]["reason"] == "CanaryPauseStep");
  CHECK(status["controllerPause"] == true);
  CHECK(status["replicas"] == 6);
  CHECK(status["updatedReplicas"] == 1);
  CHECK(status["canary"]["weights"]["canary"] ==
        Json({{"weight", 20}, {"serviceName", "till-canary"}, {"podTemplateHash", "hashv2"}}));
  CHECK(condition(status, "Progressing")["status"] == "Unknown");
  CHECK(condition(status, "Paused")["status"] == "True");
}

TEST_CASE("what goes to an experiment is published beside the two sides", "[published]") {
  const std::vector<Step> steps = {
      SetWeight{20}, Experiment{.templates = {{.name = "base", .weight = 10, .has_service = true}}, .duration = 60s}};
  Cluster1 cluster = running(rollout("v1", steps));
  const Rollout v2 = rollout("v2", steps);
  cluster.rest(v2, at(100));
  const Json weights = published_status(v2, cluster.live, *cluster.status, Json(), 1, at(101))["canary"]["weights"];
  CHECK(weights["canary"]["weight"] == 20);
  CHECK(weights["stable"]["weight"] == 70);
  CHECK(weights["additional"] == Json::array({{{"weight", 10},
                                               {"serviceName", "till-hashv2-1-base"},
                                               {"podTemplateHash", cluster.live.experiments[0].hash}}}));
}

TEST_CASE("an aborted rollout is degraded by the condition that health checks look for", "[published]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  Rollout aborted = rollout("v2");
  aborted.decision = RolloutDecision{.verb = Verb::Abort, .revision = "hashv2", .author = "Ann", .commit = "c1"};
  c.rest(aborted, at(110));
  const Json status = published(c, aborted);
  CHECK(status["phase"] == "Degraded");
  CHECK(status["abort"] == true);
  CHECK(status.contains("abortedAt"));
  CHECK(condition(status, "Progressing")["status"] == "False");
  CHECK(condition(status, "Progressing")["reason"] == "RolloutAborted");
}

TEST_CASE("the same facts give the same status, however late", "[published]") {
  Cluster1 c = running("v1");
  const Json first = published(c, rollout("v1"), nullptr, at(500));
  const Json second = published(c, rollout("v1"), first, at(900));
  CHECK(first == second);
  CHECK(is_published(first, second));
  c.rest(rollout("v2"), at(100));
  const Json paused = published(c, rollout("v2"), second, at(950));
  CHECK_FALSE(is_published(second, paused));
  CHECK(condition(paused, "Paused")["lastTransitionTime"] == format_time(at(950)));
  // Nothing changed about it, so it keeps its times.
  CHECK(condition(paused, "Available") == condition(first, "Available"));
}

TEST_CASE("what others added is theirs, what they changed is not published", "[published]") {
  Cluster1 c = running("v1");
  const Json status = published(c, rollout("v1"));
  Json more = status;
  more["blueGreen"] = Json::object();
  more["canary"]["currentBackgroundAnalysisRunStatus"] = "x";
  CHECK(is_published(more, status));
  Json patched = status;
  patched["phase"] = "Degraded";
  CHECK_FALSE(is_published(patched, status));
  patched = status;
  patched["abort"] = true;
  CHECK_FALSE(is_published(patched, status));
}

TEST_CASE("a refused manifest keeps what was known and says why", "[published]") {
  Cluster1 c = running("v1");
  const Json before = published(c, rollout("v1"));
  const Json status = refused_status(before, "till.yaml:7: replicas must not be negative", at(600));
  CHECK(status["phase"] == "Degraded");
  CHECK(condition(status, "InvalidSpec")["status"] == "True");
  CHECK(status["availableReplicas"] == 5);
  CHECK(is_published(status, refused_status(status, "till.yaml:7: replicas must not be negative", at(900))));
  CHECK(refused_status(nullptr, "no", at(0))["phase"] == "Degraded");
}

TEST_CASE("a selector as label queries take it", "[published]") {
  CHECK(selector_text(Json::parse(R"({"matchLabels":{"app":"till","tier":"web"}})")) == "app=till,tier=web");
  CHECK(selector_text(Json::parse(R"({"matchExpressions":[{"key":"a","operator":"In","values":["y","x"]},
    {"key":"b","operator":"NotIn","values":["z"]},{"key":"c","operator":"Exists"},
    {"key":"d","operator":"DoesNotExist"}]})")) == "a in (x,y),b notin (z),c,!d");
  CHECK(selector_text(nullptr).empty());
}

TEST_CASE("a template that runs under an older hash is no update", "[known_hash]") {
  Rollout desired = rollout("v1");
  desired.older_hash = "olderv1";
  CHECK(with_known_hash(desired, {}, std::nullopt).hash == "hashv1");
  CHECK(with_known_hash(desired, {.workloads = {{.hash = "olderv1"}}}, std::nullopt).hash == "olderv1");
  CHECK(with_known_hash(desired, {.workloads = {{.hash = "hashv1"}, {.hash = "olderv1"}}}, std::nullopt).hash ==
        "hashv1");
  Status status;
  status.stable = Revision{"olderv1", "example.com/till:v1", {}};
  CHECK(with_known_hash(desired, {}, status).hash == "olderv1");
}

TEST_CASE("ReplicaSets name the Rollout object while it is ours", "[published]") {
  Cluster1 c = running("v1");
  const auto owner_of = [&](const std::string& hash) {
    c.pass(rollout("v1"), at(10));
    for (const Action& action : c.last.actions)
      if (auto adopt = std::get_if<AdoptReplicaSet>(&action); adopt && adopt->name == "till-" + hash)
        return adopt->owner;
    return Json("not adopted");
  };
  CHECK(owner_of("hashv1") == "not adopted");
  c.live.object = RolloutObject{.uid = "u1", .ours = true};
  CHECK(owner_of("hashv1")["uid"] == "u1");
  c.workload("hashv1").rollout_uid = "u1";
  CHECK(owner_of("hashv1") == "not adopted");
  c.live.object.reset();
  CHECK(owner_of("hashv1").is_null());
}

TEST_CASE("nothing is decided about a rollout that another controller drives", "[published]") {
  Cluster1 c = running("v1");
  c.live.object = RolloutObject{.uid = "u1", .driver = "rollouts-controller"};
  CHECK_FALSE(c.pass(rollout("v2"), at(100)));
  CHECK_THAT(c.last.held, ContainsSubstring("rollouts-controller"));
  CHECK_THAT(c.last.held, ContainsSubstring("kubectl delete rollout till -n shop --cascade=orphan"));
  CHECK(c.last.actions.empty());
  c.live.object.reset();
  c.rest(rollout("v2"), at(110));
  CHECK(c.status->weight == 20);
}
