// Experiments that are manifests of their own: what runs, for how long, and how it ends.
#include "rollout/standalone_experiment.h"

#include "rollout/builders.h"
#include "rollout/events.h"
#include "rollout/forecast.h"
#include "rollout/live_phase.h"
#include "rollout/removal.h"
#include "rollout/succession.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

using Subjects = std::vector<std::string>;

StandaloneExperiment::Template version(const std::string& name, const std::string& tag, int replicas = 1) {
  return {.name = name,
          .replicas = replicas,
          .selector = R"({"matchLabels":{"app":"ab"}})",
          .pod_template =
              R"({"metadata":{"labels":{"app":"ab"}},"spec":{"containers":[{"name":"ab","image":"example.com/ab:)" +
              tag + R"(","ports":[{"containerPort":80}]}]}})"};
}

Rollout ab(std::optional<Duration> duration = 60s, const std::string& hash = "spec1") {
  Rollout r{.key = {"shop", "ab"}, .standalone = StandaloneExperiment{}};
  r.standalone->templates = {version("baseline", "v1"), version("trial", "v2", 2)};
  r.standalone->duration = duration;
  r.hash = hash;
  r.commit = "commit-1";
  return r;
}

Rollout with_decision(Rollout r, Verb verb, const std::string& revision = "spec1") {
  r.decision = RolloutDecision{.verb = verb, .revision = revision, .author = "Ann", .commit = "d1"};
  return r;
}

/// Up and running since `at(0)`.
Cluster1 running_ab(const Rollout& desired) {
  Cluster1 c;
  c.rest(desired, at(0));
  REQUIRE(c.status->experiment == at(0));
  return c;
}

}  // namespace

TEST_CASE("an experiment runs for its duration from when all pods are up, and lingers", "[standalone]") {
  const Rollout desired = ab();
  Cluster1 c;
  c.rest(desired, at(0), false);
  CHECK(c.status->phase == Phase::Progressing);
  CHECK_FALSE(c.status->experiment);
  REQUIRE(c.live.experiments.size() == 2);
  CHECK(c.live.experiments[0].name == "ab-baseline");
  CHECK(c.live.experiments[1].name == "ab-trial");
  CHECK(c.live.experiments[1].replicas == 2);
  CHECK(c.last.why == "waiting for 1 of 1 pods of experiment \"baseline\"");
  c.rest(desired, at(10));
  CHECK(c.status->experiment == at(10));
  CHECK(c.last.look_again == at(70));
  CHECK(c.last.why.find("the experiment ends at ") == 0);
  c.rest(desired, at(69));
  CHECK(c.status->run->ended.empty());
  c.rest(desired, at(70));
  CHECK(c.status->phase == Phase::Healthy);
  CHECK(c.status->run->ended == "its 1m are over");
  CHECK(c.live.experiments[1].replicas == 2);
  CHECK(c.last.look_again == at(100));
  c.rest(desired, at(100));
  CHECK(c.live.experiments.empty());
  CHECK(c.take_history() == Subjects{"experiment started", "experiment running", "experiment succeeded"});
  c.rest(desired, at(9000));
  CHECK(c.take_history().empty());
  CHECK(c.last.settled);
}

TEST_CASE("the ReplicaSet of an experiment has the template, selector and readiness of the manifest", "[standalone]") {
  Rollout desired = ab();
  desired.standalone->templates[1].min_ready_seconds = 5;
  desired.standalone->templates[1].has_service = true;
  Cluster1 c;
  c.pass(desired, at(0));
  const auto* create = std::get_if<CreateExperimentPods>(&c.last.actions.at(1));
  REQUIRE(create);
  CHECK(create->from.empty());
  CHECK(create->owner.is_null());
  const Json set = experiment_replica_set(desired.key, create->pods, Json());
  const std::string hash = create->pods.hash;
  CHECK(set["metadata"]["name"] == "ab-trial");
  CHECK(set["metadata"]["labels"] ==
        Json{{"rollouts-pod-template-hash", hash}, {"serin.dev/rollout", "ab"}, {"serin.dev/experiment", "trial"}});
  CHECK(set["metadata"]["annotations"]["serin.dev/experiment-service"] == "ab-trial");
  CHECK(set["spec"]["replicas"] == 2);
  CHECK(set["spec"]["minReadySeconds"] == 5);
  CHECK(set["spec"]["selector"]["matchLabels"] == Json{{"app", "ab"}, {"rollouts-pod-template-hash", hash}});
  CHECK(set["spec"]["template"]["metadata"]["labels"]["rollouts-pod-template-hash"] == hash);
  CHECK(set["spec"]["template"]["spec"]["containers"][0]["image"] == "example.com/ab:v2");
  // The Service comes in the same pass, and again when somebody takes it away.
  CHECK(c.live.experiment_services.contains("ab-trial"));
  c.live.experiment_services.clear();
  c.rest(desired, at(1));
  CHECK(c.live.experiment_services.contains("ab-trial"));
}

TEST_CASE("two templates alike have hashes of their own", "[standalone]") {
  Rollout desired = ab();
  desired.standalone->templates = {version("one", "v1"), version("two", "v1")};
  const Target t = target(desired, running_ab(desired).status.value());
  CHECK(t.experiment[0].hash != t.experiment[1].hash);
}

TEST_CASE("pods that do not come up within the deadline make an experiment fail", "[standalone]") {
  const Rollout desired = ab();
  Cluster1 c;
  c.rest(desired, at(0), false);
  c.live.experiments[0].pod_trouble = "image cannot be pulled";
  c.rest(desired, at(599), false);
  CHECK(c.status->phase == Phase::Progressing);
  CHECK(c.last.look_again == at(600));
  c.rest(desired, at(600), false);
  CHECK(c.status->phase == Phase::Degraded);
  CHECK(c.status->run->failed);
  CHECK(c.take_history().back() ==
        "experiment failed: no progress for 10m: waiting for 1 of 1 pods of experiment \"baseline\": image cannot be "
        "pulled");
  c.rest(desired, at(630), false);
  CHECK(c.live.experiments.empty());
}

TEST_CASE("lost pods may come back within the deadline; the time of the experiment runs on", "[standalone]") {
  const Rollout desired = ab(3600s);
  Cluster1 c = running_ab(desired);
  c.take_history();
  c.live.experiments[0].available = 0;
  c.live.experiments[0].pods_moved = at(100);
  c.rest(desired, at(699), false);
  CHECK(c.status->run->ended.empty());
  CHECK(c.last.look_again == at(700));
  c.rest(desired, at(699));
  CHECK(c.status->experiment == at(0));
  c.live.experiments[0].available = 0;
  c.live.experiments[0].pods_moved = at(1000);
  c.rest(desired, at(1600), false);
  CHECK(c.status->run->failed);
  // Whatever is missing when its time is over, it is over (spec 1.8).
  Cluster1 late = running_ab(desired);
  late.live.experiments[0].available = 0;
  late.live.experiments[0].pods_moved = at(3500);
  late.rest(desired, at(3600), false);
  CHECK(late.status->phase == Phase::Healthy);
}

TEST_CASE("terminate ends an experiment wherever it is, and none begins with it", "[standalone]") {
  Rollout terminated = ab();
  terminated.standalone->terminate = true;
  for (const bool up : {false, true}) {
    Cluster1 c;
    c.rest(ab(), at(0), up);
    c.take_history();
    c.rest(terminated, at(5), up);
    CHECK(c.take_history() == Subjects{"experiment succeeded"});
    CHECK(c.status->run->ended == "spec.terminate is set");
    // It was run: without `terminate` it is not run again.
    c.rest(ab(), at(200), up);
    CHECK(c.take_history().empty());
    CHECK(c.live.experiments.empty());
  }
  Cluster1 never;
  never.rest(terminated, at(0));
  CHECK(never.take_history() == Subjects{"experiment succeeded"});
  CHECK(never.live.experiments.empty());
}

TEST_CASE("without a duration a person ends an experiment, well or badly; nothing else can be decided",
          "[standalone][decisions]") {
  const Rollout desired = ab(std::nullopt);
  for (const Verb verb : {Verb::Promote, Verb::PromoteFull, Verb::Abort}) {
    Cluster1 c = running_ab(desired);
    CHECK(c.status->phase == Phase::Paused);
    c.rest(desired, at(100'000));
    CHECK(c.last.why == "waiting until somebody ends the experiment (serin approve)");
    c.take_history();
    c.rest(with_decision(desired, verb), at(100'001));
    CHECK(c.status->run->failed == (verb == Verb::Abort));
    CHECK(c.status->decision->by == "Ann");
    CHECK(c.take_history() ==
          Subjects{verb == Verb::Abort ? "experiment failed: aborted by Ann" : "experiment succeeded"});
  }
  for (const Verb verb : {Verb::Retry, Verb::Pause, Verb::Resume}) {
    Cluster1 c = running_ab(desired);
    c.take_history();
    c.rest(with_decision(desired, verb), at(10));
    CHECK(c.status->run->ended.empty());
    CHECK(c.status->ignored->why.find("an experiment cannot ") == 0);
    CHECK(c.take_history() == Subjects{"ignored " + std::string(to_text(verb)) + " of d1"});
  }
  Cluster1 c = running_ab(desired);
  c.rest(with_decision(desired, Verb::Promote, "other"), at(10));
  CHECK(c.status->run->ended.empty());
  CHECK(c.status->ignored->why == "decision promote for revision other is stale: Git asks for experiment spec1");
}

TEST_CASE("another spec is another run, and replaces what differs in it", "[standalone]") {
  Cluster1 c = running_ab(ab());
  const std::string baseline = c.live.experiments[0].hash, trial = c.live.experiments[1].hash;
  Rollout changed = ab(60s, "spec2");
  changed.standalone->templates[1] = version("trial", "v3", 2);
  c.take_history();
  c.rest(changed, at(10));
  CHECK(c.take_history() == Subjects{"experiment started", "experiment running"});
  REQUIRE(c.live.experiments.size() == 2);
  for (const Workload& w : c.live.experiments) CHECK((w.hash == baseline) == (w.name == "ab-baseline"));
  CHECK(c.live.experiments[1].hash != trial);
  CHECK(c.status->run->hash == "spec2");
  CHECK(c.status->experiment == at(10));
  // After its end too, while the pods of the first run linger.
  c.rest(changed, at(70));
  c.rest(ab(60s, "spec3"), at(80));
  CHECK(c.status->run->ended.empty());
  for (const Workload& w : c.live.experiments) CHECK_FALSE(w.scale_down_deadline);
  CHECK(c.last.why.find("the experiment ends at ") == 0);
}

TEST_CASE("another number of pods, asked for or made by hand, is put right", "[standalone]") {
  Cluster1 c = running_ab(ab());
  Rollout larger = ab(60s, "spec2");
  larger.standalone->templates[1].replicas = 5;
  c.take_history();
  c.rest(larger, at(10));
  CHECK(c.live.experiments[1].replicas == 5);
  c.live.experiments[1].replicas = 1;
  c.live.experiments[0].replicas = 3;
  c.rest(larger, at(20));
  CHECK(c.live.experiments[0].replicas == 1);
  CHECK(c.live.experiments[1].replicas == 5);
  CHECK(c.take_history() == Subjects{"experiment started", "experiment running"});
}

TEST_CASE("a freeze holds up a new run, and leaves the one under way as it is", "[standalone][freeze]") {
  const Freeze freeze{.since = at(0), .until = at(1000), .reason = "holidays"};
  Rollout frozen = ab();
  frozen.freeze = freeze;
  Cluster1 c;
  c.pass(frozen, at(1));
  CHECK(c.live.experiments.empty());
  CHECK(c.last.frozen);
  CHECK(c.last.look_again == at(1000));
  CHECK(c.take_history().empty());
  c = running_ab(ab());
  Rollout changed = ab(60s, "spec2");
  changed.freeze = freeze;
  changed.standalone->templates.pop_back();
  c.rest(changed, at(500));
  CHECK(c.live.experiments.size() == 2);
  CHECK(c.status->run->hash == "spec1");
  // Unsigned it is ignored, signed it begins.
  c.rest(with_decision(changed, Verb::Promote, "spec2"), at(501));
  CHECK(c.status->ignored);
  Rollout let_pass = with_decision(changed, Verb::Promote, "spec2");
  let_pass.decision->signer = "ann@example.com";
  let_pass.decision->commit = "d2";
  c.rest(let_pass, at(502));
  CHECK(c.status->run->hash == "spec2");
  CHECK(c.live.experiments.size() == 1);
}

TEST_CASE("a manifest that was refused goes on where it was once it is valid", "[standalone]") {
  struct Row {
    Phase phase;
    int at_second;
    std::optional<Duration> duration;
  };
  for (const Row& row :
       std::vector<Row>{{Phase::Progressing, 0, 60s}, {Phase::Paused, 0, std::nullopt}, {Phase::Healthy, 60, 60s}}) {
    Cluster1 c = running_ab(ab(row.duration));
    c.rest(ab(row.duration), at(row.at_second));
    CHECK(c.status->phase == row.phase);
    const Status before = *c.status;
    c.status->refused = "ab.yaml:3:1: spec is required";
    c.status->phase = Phase::Degraded;
    c.take_history();
    c.rest(ab(row.duration), at(row.at_second));
    CHECK(c.take_history() == Subjects{"experiment accepted"});
    CHECK(*c.status == before);
  }
}

TEST_CASE("while its manifest is refused an experiment is kept as it was", "[standalone]") {
  Cluster1 c = running_ab(ab());
  c.status->refused = "ab.yaml:3:1: spec is required";
  c.live.experiments[1].replicas = 1;
  const Decision kept = keep(ab(), c.live, *c.status, at(70));
  CHECK(kept.status == *c.status);
  CHECK(kept.actions.size() == 1);
  // What ran was another one: nothing is known about its pods.
  CHECK(keep(ab(60s, "spec2"), c.live, *c.status, at(70)).actions.empty());
}

TEST_CASE("an experiment does not touch what a Rollout of that name left", "[standalone]") {
  Cluster1 c = running("v1");
  Rollout desired = ab();
  desired.key = {"shop", "till"};
  CHECK_FALSE(c.pass(desired, at(10)));
  CHECK(c.last.held.find("ReplicaSets of a Rollout shop/till are left") == 0);
  CHECK(c.last.actions.empty());
}

TEST_CASE("a Rollout after an experiment of that name begins as on its first day", "[standalone]") {
  Rollout before = ab();
  before.key = {"shop", "till"};
  Cluster1 c = running_ab(before);
  c.take_history();
  c.rest(rollout("v1"), at(10));
  CHECK(c.live.experiments.empty());
  CHECK_FALSE(c.status->run);
  CHECK(c.status->stable->hash == "hashv1");
}

TEST_CASE("what an experiment left is removed with its manifest", "[standalone]") {
  Cluster1 c = running_ab(ab());
  CHECK(removal_actions(c.live, {}).size() == 2);
}

TEST_CASE("pods for an experiment that does not run are no plan", "[standalone][violations]") {
  const Rollout desired = ab();
  Cluster1 c;
  c.pass(desired, at(0));
  Decision over = c.last;
  over.status.run->ended = "its 1m are over";
  CHECK(violations(desired, {}, over).front() == "pods would come for an experiment that does not run");
}

TEST_CASE("an experiment is foretold as it runs", "[standalone][forecast]") {
  const Forecast timed = forecast(ab(), std::nullopt, at(0));
  REQUIRE(timed.steps.size() == 3);
  CHECK(timed.steps[2].subject == "experiment succeeded");
  CHECK(timed.steps[2].after == 60s);
  CHECK(timed.held.empty());
  const Forecast until_ended = forecast(ab(std::nullopt), std::nullopt, at(0));
  REQUIRE(until_ended.steps.size() == 3);
  CHECK(until_ended.steps[1].waits_for_person);
  // What was run is not run again.
  Cluster1 c = running_ab(ab());
  c.rest(ab(), at(60));
  CHECK(forecast(ab(), c.status, at(500)).steps.empty());
}

TEST_CASE("events, messages and live phase of an experiment", "[standalone][events]") {
  std::vector<std::string> reasons;
  Cluster1 c;
  const Rollout desired = ab();
  CHECK(live_phase(desired, c.live, c.status, at(70)).phase == Phase::Progressing);
  for (const int second : {0, 1, 2, 63, 64}) {
    const auto before = c.status;
    c.pass(desired, at(second));
    for (const RolloutEvent& event : events_of(before, c.last)) reasons.emplace_back(event.reason);
    if (second == 0) {
      const std::string message = commit_message(desired, c.last, "default", {});
      CHECK(message.find("shop/ab: experiment started\n\nfirst run; 2 templates, 3 pods\n") == 0);
      CHECK(message.find("Rollout-Revision: spec1\n") != std::string::npos);
      CHECK(message.find("Rollout-Image") == std::string::npos);
      CHECK(live_phase(desired, c.live, c.status, at(70)) == LivePhase{Phase::Progressing, "Pending"});
    }
    c.pods_start(at(second));
  }
  CHECK(reasons == std::vector<std::string>{"ExperimentPending", "ExperimentRunning", "ExperimentSuccessful"});
  CHECK(live_phase(desired, c.live, c.status, at(70)) == LivePhase{Phase::Healthy, "its 1m are over"});
  const auto before = c.status;
  Decision failed{.status = *c.status, .subject = "experiment failed: x", .why = "x"};
  failed.status.run = ExperimentRun{"spec2", at(100), "x", true};
  CHECK(events_of(before, failed).front().reason == "ExperimentFailed");
}

TEST_CASE("a history in which an experiment came back to life is broken", "[standalone][succession]") {
  Cluster1 c;
  std::vector<Status> all;
  for (const int second : {0, 1, 62}) {
    c.pass(ab(), at(second));
    c.pods_start(at(second));
    all.push_back(*c.status);
  }
  CHECK(broken_succession(std::nullopt, all[0]).empty());
  CHECK(broken_succession(all[0], all[1]).empty());
  CHECK(broken_succession(all[1], all[2]).empty());
  CHECK_FALSE(broken_succession(std::nullopt, all[1]).empty());
  CHECK_FALSE(broken_succession(all[2], all[1]).empty());
  CHECK_FALSE(broken_succession(all[1], all[0]).empty());
}
