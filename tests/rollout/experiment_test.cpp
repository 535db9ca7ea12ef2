// Experiments as steps: what is made, and that traffic comes after pods and goes before them.
#include "rollout/experiment.h"

#include "rollout/builders.h"
#include "rollout/routing.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

Experiment two_versions(std::optional<Duration> duration = 60s) {
  return {.templates = {{.name = "baseline", .weight = 10, .has_service = true},
                        {.name = "trial",
                         .spec = Experiment::SpecRef::Canary,
                         .replicas = 2,
                         .weight = 5,
                         .has_service = true,
                         .service = "till-trial"}},
          .duration = duration};
}

std::vector<Step> steps(Experiment experiment = two_versions()) {
  return {SetWeight{20}, std::move(experiment), SetWeight{50}, Pause{}};
}

/// The weights of all destinations, in order.
std::vector<int> weights(Cluster1& cluster) {
  std::vector<int> out;
  for (const Json& destination : cluster.routes()["spec"]["http"][0]["route"]) out.push_back(destination["weight"]);
  return out;
}

using Weights = std::vector<int>;
using Subjects = std::vector<std::string>;

}  // namespace

TEST_CASE("the pods of an experiment are copies under hashes of their own", "[experiment]") {
  Cluster1 cluster = running(rollout("v1", steps()));
  const Rollout v2 = rollout("v2", steps());
  cluster.rest(v2, at(100));
  REQUIRE(cluster.live.experiments.size() == 2);
  const Workload& baseline = cluster.live.experiments[0];
  const Workload& trial = cluster.live.experiments[1];
  CHECK(baseline.name == "till-hashv2-1-baseline");
  CHECK(baseline.service == baseline.name);
  CHECK(trial.replicas == 2);
  CHECK(trial.service == "till-trial");
  CHECK(baseline.hash != trial.hash);
  CHECK(cluster.live.workload(baseline.hash) == nullptr);
}

TEST_CASE("a ReplicaSet of an experiment, and its Service, from the ReplicaSet of its version", "[experiment]") {
  const Json source = Json::parse(R"({"metadata": {"name": "till-hashv1", "uid": "u1"}, "spec": {"replicas": 5,
    "minReadySeconds": 3, "selector": {"matchLabels": {"app": "till", "rollouts-pod-template-hash": "hashv1"}},
    "template": {"metadata": {"labels": {"app": "till", "rollouts-pod-template-hash": "hashv1", "role": "stable"},
      "annotations": {"rollout.argoproj.io/ephemeral-metadata": "x"}},
      "spec": {"containers": [{"name": "till", "image": "till:v1", "ports": [{"containerPort": 8080}]}]}}}})");
  const ExperimentPods pods{.name = "till-hashv2-1-baseline",
                            .label = "baseline",
                            .hash = "own",
                            .revision = "hashv1",
                            .replicas = 2,
                            .metadata = {{{"role", "baseline"}}, {{"why", "compare"}}},
                            .service = "till-baseline"};
  Json set = experiment_replica_set({"shop", "till"}, pods, source);
  CHECK(set["metadata"]["name"] == "till-hashv2-1-baseline");
  // A Deployment that selects app=till must not adopt it.
  CHECK(set["metadata"]["labels"] == Json{{"rollouts-pod-template-hash", "own"},
                                          {"serin.dev/rollout", "till"},
                                          {"serin.dev/experiment", "baseline"}});
  CHECK(set["metadata"]["annotations"] == Json{{"serin.dev/experiment-service", "till-baseline"}});
  CHECK(set["spec"]["replicas"] == 2);
  CHECK(set["spec"]["minReadySeconds"] == 3);
  CHECK(set["spec"]["selector"]["matchLabels"] == Json{{"app", "till"}, {"rollouts-pod-template-hash", "own"}});
  CHECK(set["spec"]["template"]["metadata"]["labels"]["rollouts-pod-template-hash"] == "own");
  CHECK(set["spec"]["template"]["metadata"]["annotations"] == Json{{"why", "compare"}});
  CHECK(set["spec"]["template"]["spec"] == source["spec"]["template"]["spec"]);
  set["metadata"]["uid"] = "u2";
  const Json service = experiment_service({"shop", "till"}, "till-baseline", set);
  CHECK(service["spec"]["selector"] == set["spec"]["selector"]["matchLabels"]);
  CHECK(service["spec"]["ports"] == Json::array({{{"port", 8080}, {"protocol", "TCP"}, {"targetPort", 8080}}}));
  CHECK(service["metadata"]["ownerReferences"][0]["uid"] == "u2");
}

TEST_CASE("an experiment: pods, then traffic, then its time, then traffic goes before pods", "[experiment]") {
  Cluster1 cluster = running(rollout("v1", steps()));
  const Rollout v2 = rollout("v2", steps());
  cluster.rest(v2, at(100), false);
  cluster.pods_start(at(101));
  // The canary's share is there, and the pods of the experiment are asked for.
  while (cluster.status->step->index < 1) cluster.pass(v2, at(102));
  cluster.pass(v2, at(102));
  CHECK(weights(cluster) == Weights{80, 20});
  CHECK(cluster.live.experiments.size() == 2);
  CHECK_FALSE(cluster.status->experiment);
  CHECK(cluster.last.why.find("experiment") != std::string::npos);
  cluster.rest(v2, at(110));
  CHECK(cluster.status->experiment == at(110));
  const std::map<std::string, int> shares =
      *experiment_weights(v2, cluster.live.routes, {.stable = {"till-stable", ""}, .canary = {"till-canary", ""}});
  CHECK(shares == std::map<std::string, int>{{"till-hashv2-1-baseline", 10}, {"till-trial", 5}});
  CHECK(weights(cluster)[0] == 65);
  CHECK(cluster.last.look_again == at(170));
  cluster.rest(v2, at(171));
  CHECK(weights(cluster) == Weights{50, 50});
  CHECK(cluster.live.experiments[0].replicas == 1);
  cluster.rest(v2, at(205));
  CHECK(cluster.live.experiments.empty());
  CHECK(cluster.take_history() == Subjects{"deploying v2 (step 0/4)", "canary 20% (step 1/4)",
                                           "experimenting at 20% (step 1/4)", "canary 20% (step 2/4)",
                                           "canary 50% (step 3/4)"});
}

TEST_CASE("an experiment without a duration waits for a person", "[experiment]") {
  Cluster1 cluster = running(rollout("v1", steps(two_versions(std::nullopt))));
  Rollout v2 = rollout("v2", steps(two_versions(std::nullopt)));
  cluster.rest(v2, at(100));
  CHECK(cluster.status->phase == Phase::Paused);
  cluster.rest(v2, at(100'000));
  CHECK(cluster.status->step->index == 1);
  v2.decision = RolloutDecision{.verb = Verb::Promote, .revision = "hashv2", .author = "Ann", .commit = "d1"};
  cluster.rest(v2, at(100'010));
  CHECK(cluster.status->step->index == 3);
  CHECK_FALSE(cluster.status->experiment);
}

TEST_CASE("whatever ends a canary in mid-experiment takes the experiment's traffic first", "[experiment]") {
  const Rollout v1 = rollout("v1", steps()), v2 = rollout("v2", steps());
  Rollout aborted = v2;
  aborted.decision = RolloutDecision{.verb = Verb::Abort, .revision = "hashv2", .author = "Ann", .commit = "d1"};
  Rollout other_steps = rollout("v2", {SetWeight{10}, Pause{}});
  for (const Rollout& end : {v1, rollout("v3", other_steps.steps), aborted, other_steps}) {
    Cluster1 cluster = running(v1);
    cluster.rest(v2, at(100));
    REQUIRE(weights(cluster).size() == 4);
    // No pass scales the experiment down before its destinations are gone; `violations` would say so.
    cluster.rest(end, at(110));
    CHECK(weights(cluster).size() == 2);
    CHECK_FALSE(cluster.status->experiment);
    CHECK(cluster.live.experiments.empty());
    for (const std::string& said : cluster.take_history()) CHECK(said.find("VIOLATION") == std::string::npos);
  }
}

TEST_CASE("the pods of an experiment go, however the canary fares after it", "[experiment]") {
  std::vector<Step> first = {two_versions(), SetWeight{50}};
  Cluster1 cluster = running(rollout("v1", first));
  const Rollout v2 = rollout("v2", first);
  cluster.rest(v2, at(100));
  REQUIRE(cluster.status->experiment);
  // None of the canary's own pods becomes ready, so its Service never leads to it.
  cluster.rest(v2, at(161), false);
  CHECK(weights(cluster) == Weights{100, 0});
  CHECK(cluster.live.services.at("till-canary").hash == "hashv1");
  cluster.rest(v2, at(200), false);
  CHECK(cluster.live.experiments.empty());
}

TEST_CASE("an experiment whose pods do not come up aborts the canary", "[experiment]") {
  Cluster1 cluster = running(rollout("v1", steps()));
  Rollout v2 = rollout("v2", steps());
  cluster.rest(v2, at(100), false);
  cluster.pods_start(at(101));
  cluster.rest(v2, at(102), false);
  REQUIRE(cluster.live.experiments.size() == 2);
  CHECK(cluster.last.why == "waiting for 1 of 1 pods of experiment \"baseline\"");
  CHECK(cluster.last.look_again == at(102 + 600));
  cluster.rest(v2, at(703), false);
  CHECK(is_rejected(*cluster.status, "hashv2"));
  CHECK(cluster.status->rejected.front().why ==
        "experiment failed, no progress for 10m: waiting for 1 of 1 pods of experiment \"baseline\"");
}

TEST_CASE("a Service that leads to an earlier experiment gets no traffic for the next one", "[experiment]") {
  // "trial" has a Service of a fixed name in both.
  Cluster1 cluster = running(rollout("v1", steps()));
  cluster.rest(rollout("v2", steps()), at(100));
  REQUIRE(cluster.live.experiment_services.at("till-trial") == "till-hashv2-1-trial");
  const Rollout v3 = rollout("v3", steps());
  // The earlier pods are gone; Kubernetes takes its time with their Service.
  cluster.rest(v3, at(110));
  REQUIRE(cluster.live.experiments.size() == 2);
  CHECK(weights(cluster) == Weights{80, 20});
  CHECK(cluster.last.why == "waiting for Service till-trial to lead to the pods of experiment \"trial\"");
  cluster.live.experiment_services.erase("till-trial");
  cluster.rest(v3, at(120));
  CHECK(weights(cluster).size() == 4);
  CHECK(cluster.live.experiment_services.at("till-trial") == "till-hashv3-1-trial");
}

TEST_CASE("nobody sends traffic to an experiment without pods", "[experiment]") {
  Cluster1 cluster = running(rollout("v1", steps()));
  const Rollout v2 = rollout("v2", steps());
  cluster.rest(v2, at(100));
  REQUIRE(weights(cluster).size() == 4);
  cluster.live.experiments[1].available = 0;
  cluster.pass(v2, at(110));
  CHECK(weights(cluster).size() == 3);
  // A plan that would is broken.
  Decision bad = cluster.last;
  bad.actions.clear();
  Json after = cluster.routes();
  after["spec"]["http"][0]["route"].push_back({{"destination", {{"host", "till-trial"}}}, {"weight", 5}});
  after["spec"]["http"][0]["route"][0]["weight"] = 65;
  after["metadata"]["annotations"]["serin.dev/experiments"] = "till-hashv2-1-baseline,till-trial";
  bad.actions.emplace_back(RewriteRoutes{key_of(after), cluster.routes(), after});
  CHECK(violations(v2, cluster.live, bad) ==
        std::vector<std::string>{"traffic would go to till-trial, which is no experiment that answers"});
  // So is one that takes pods from under traffic.
  bad.actions = {ScaleReplicaSet{"till-hashv2-1-baseline", 0, 0}};
  CHECK(violations(v2, cluster.live, bad) ==
        std::vector<std::string>{"till-hashv2-1-baseline would lose pods while it has traffic"});
}

TEST_CASE("an open experiment waits for a person again after the canary's pods were lost", "[experiment]") {
  Cluster1 cluster = running(rollout("v1", steps(two_versions(std::nullopt))));
  const Rollout v2 = rollout("v2", steps(two_versions(std::nullopt)));
  cluster.rest(v2, at(100));
  REQUIRE(cluster.status->phase == Phase::Paused);
  cluster.workload("hashv2").available = cluster.workload("hashv2").current = 0;
  cluster.pass(v2, at(110));
  CHECK(cluster.status->weight == 0);
  cluster.rest(v2, at(120));
  CHECK(cluster.status->weight == 20);
  CHECK(cluster.status->phase == Phase::Paused);
}
