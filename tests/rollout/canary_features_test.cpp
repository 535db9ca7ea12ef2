#include "base/format.h"
#include "rollout/builders.h"
#include "rollout/ephemeral_metadata.h"
#include "rollout/known_hash.h"
#include "rollout/resolved.h"
#include "rollout/target.h"

#include "catch.h"

using namespace reconciler;
using History = std::vector<std::string>;

namespace {

/// `v2 x3 v1 x2`: the pods asked for, of revisions that have any.
std::string pods(const Cluster1& c) {
  std::string out;
  for (const Workload& w : c.live.workloads)
    if (w.replicas > 0) out += format("{}{} x{}", out.empty() ? "" : " ", w.hash.substr(4), w.replicas);
  return out;
}

Rollout ten(Rollout r) {
  r.replicas = 10;
  return r;
}

}  // namespace

// ---- without routing ----------------------------------------------------------------------------------------------

TEST_CASE("without routing the pods make the share, and history reads the same", "[advance]") {
  Cluster1 c = running(unrouted("v1"));
  c.rest(unrouted("v2"), at(100));
  CHECK(c.take_history() == History{"deploying v2 (step 0/2)", "canary 20% (step 1/2)"});
  CHECK(pods(c) == "v1 x4 v2 x1");
  c.rest(unrouted("v2"), at(200));
  CHECK(c.take_history() ==
        History{"canary 20% (step 2/2)", "canary 100% (step 2/2)", "promoting v2 (step 2/2)", "promoted v2"});
  CHECK(pods(c) == "v2 x5");
  CHECK(c.last.settled);
}

TEST_CASE("an abort without routing takes the canary's pods away at once", "[advance]") {
  Rollout v2 = unrouted("v2", {SetWeight{60}, Pause{}});
  Cluster1 c = running(unrouted("v1"));
  c.rest(v2, at(100));
  CHECK(pods(c) == "v1 x2 v2 x3");
  v2.decision = RolloutDecision{.verb = Verb::Abort, .revision = "hashv2", .commit = "abort"};
  c.rest(v2, at(110));
  CHECK(pods(c) == "v1 x5");
  CHECK(c.workload("hashv2").rejected);
  CHECK(c.status->phase == Phase::Degraded);
  CHECK(c.take_history().back() == "rolled back to v1: aborted");
}

TEST_CASE("a rejection without routing outlives the disk by the mark on the ReplicaSet", "[advance]") {
  Rollout v2 = unrouted("v2", {SetWeight{60}, Pause{}});
  Cluster1 c = running(unrouted("v1"));
  c.rest(v2, at(100));
  v2.decision = RolloutDecision{.verb = Verb::Abort, .revision = "hashv2", .commit = "abort"};
  c.rest(v2, at(110));
  c.status.reset();
  c.rest(v2, at(200));
  CHECK(c.status->stable->hash == "hashv1");
  CHECK(c.status->rejected.front().hash == "hashv2");
  CHECK(pods(c) == "v1 x5");
  c.rest(unrouted("v1"), at(300));
  CHECK_FALSE(c.workload("hashv2").rejected);
}

TEST_CASE("replicas that change in mid-canary change both sides", "[diff]") {
  Rollout v2 = unrouted("v2");
  Cluster1 c = running(unrouted("v1"));
  c.rest(v2, at(100));
  c.take_history();
  v2.replicas = 10;
  c.rest(v2, at(110));
  CHECK(pods(c) == "v1 x8 v2 x2");
  v2.replicas = 3;
  c.rest(v2, at(120));
  CHECK(pods(c) == "v1 x3 v2 x1");
  CHECK(c.take_history().empty());
}

TEST_CASE("what is waited for without routing has a reason", "[diff]") {
  Rollout v2 = unrouted("v2", {SetWeight{40}, Pause{}});
  Cluster1 c = running(unrouted("v1"));
  c.rest(v2, at(100), false);
  c.workload("hashv2").pod_trouble = "image cannot be pulled";
  c.pass(v2, at(101));
  CHECK(c.last.why == "waiting for 2 of 2 canary pods: image cannot be pulled");
}

// ---- sizes with routing -------------------------------------------------------------------------------------------

TEST_CASE("setCanaryScale sizes the canary until the next one", "[target]") {
  const std::vector<Step> steps = {SetCanaryScale{3, {}}, SetWeight{20}, Pause{}, SetCanaryScale{{}, 50}, Pause{},
                                   SetCanaryScale{},      Pause{}};
  Status status{.stable = Revision{"hashv1", "", {}}, .canary = Revision{"hashv2", "", {}}};
  const int expected[] = {3, 3, 3, 5, 5, 2, 2, 10};
  for (int index = 0; index <= int(steps.size()); ++index) {
    INFO(index);
    status.step = StepPosition{index, int(steps.size()), {}, ""};
    status.weight = index < 2 ? 0 : 20;
    CHECK(canary_pods(ten(rollout("v2", steps)), status) == expected[index]);
  }
}

TEST_CASE("a canary scaled to nothing keeps a pod for its traffic", "[target]") {
  Status status{.stable = Revision{"hashv1", "", {}}, .canary = Revision{"hashv2", "", {}}, .weight = 20};
  status.step = StepPosition{1, 2, {}, ""};
  CHECK(canary_pods(ten(rollout("v2", {SetWeight{20}, SetCanaryScale{0, {}}})), status) == 1);
}

TEST_CASE("minPodsPerReplicaSet holds for every ReplicaSet with pods, but not above replicas", "[target]") {
  Rollout v2 = ten(rollout("v2", {SetWeight{1}, Pause{}}));
  v2.min_pods_per_replica_set = 3;
  Status status{.stable = Revision{"hashv1", "", {}}, .canary = Revision{"hashv2", "", {}}};
  status.step = StepPosition{0, 2, {}, ""};
  CHECK(canary_pods(v2, status) == 3);
  v2.min_pods_per_replica_set = 30;
  CHECK(canary_pods(v2, status) == 10);
  v2.steps = {SetWeight{0}, Pause{}};
  CHECK(canary_pods(v2, status) == 0);
}

TEST_CASE("replicaProgressThreshold says how many pods are enough", "[target]") {
  Rollout v2 = rollout("v2");
  CHECK(enough_of(v2, 7) == 7);
  v2.replica_progress_threshold = PodCount{50, PodCount::Unit::Percent};
  CHECK(enough_of(v2, 7) == 4);
  CHECK(enough_of(v2, 0) == 0);
  v2.replica_progress_threshold = PodCount{3, PodCount::Unit::Pods};
  CHECK(enough_of(v2, 7) == 3);
  CHECK(enough_of(v2, 2) == 2);
  // No traffic goes to nobody.
  for (PodCount::Unit unit : {PodCount::Unit::Percent, PodCount::Unit::Pods}) {
    v2.replica_progress_threshold = PodCount{0, unit};
    CHECK(enough_of(v2, 2) == 1);
    CHECK(enough_of(v2, 0) == 0);
  }
}

TEST_CASE("pods that are about to go are not taken for those that are to come", "[diff]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100), false);
  c.workload("hashv2").replicas = 0;
  c.workload("hashv2").current = 1;
  c.pass(rollout("v2"), at(101));
  CHECK(c.workload("hashv2").replicas == 0);
  c.workload("hashv2").current = 0;
  c.pass(rollout("v2"), at(102));
  CHECK(c.workload("hashv2").replicas == 1);
}

TEST_CASE("a step goes on once enough pods are there", "[advance]") {
  Rollout v2 = rollout("v2", {SetWeight{80}, Pause{}});
  v2.replica_progress_threshold = PodCount{50, PodCount::Unit::Percent};
  Cluster1 c = running("v1");
  c.rest(v2, at(100), false);
  c.workload("hashv2").available = 1;
  c.rest(v2, at(101), false);
  CHECK(c.take_history() == History{"deploying v2 (step 0/2)"});
  c.workload("hashv2").available = 2;
  c.rest(v2, at(102), false);
  CHECK(c.take_history() == History{"canary 80% (step 1/2)"});
  CHECK(c.canary_weight() == 80);
}

TEST_CASE("dynamicStableScale shrinks stable after its traffic left", "[diff]") {
  Rollout v1 = rollout("v1"), v2 = rollout("v2");
  v1.dynamic_stable_scale = v2.dynamic_stable_scale = true;
  Cluster1 c = running(v1);
  c.rest(v2, at(100));
  CHECK(c.canary_weight() == 20);
  CHECK(pods(c) == "v1 x4 v2 x1");
  c.rest(v2, at(160));
  CHECK(pods(c) == "v1 x2 v2 x3");
  c.rest(v2, at(220));
  CHECK(pods(c) == "v2 x5");
}

TEST_CASE("a shrunk stable gets its traffic back as its pods come up", "[diff]") {
  Rollout v1 = rollout("v1"), v2 = rollout("v2", {SetWeight{80}, Pause{}});
  v1.dynamic_stable_scale = v2.dynamic_stable_scale = true;
  Cluster1 c = running(v1);
  c.rest(v2, at(100));
  CHECK(pods(c) == "v1 x1 v2 x4");
  v1.commit = "revert";
  c.rest(v1, at(110), false);
  CHECK(c.workload("hashv1").replicas == 5);
  CHECK(c.canary_weight() == 80);
  c.workload("hashv1").available = 3;
  c.rest(v1, at(111), false);
  CHECK(c.canary_weight() == 40);
  CHECK(c.live.services["till-canary"].hash == "hashv2");
  CHECK(c.workload("hashv2").replicas == 4);
  c.rest(v1, at(112));
  CHECK(c.canary_weight() == 0);
  CHECK(c.live.services["till-canary"].hash == "hashv1");
  for (const std::string& line : c.take_history()) CHECK(line.find("VIOLATION") == line.npos);
}

TEST_CASE("deviation 4: promote-full of a dynamic canary follows the pods, never above 100", "[advance]") {
  Rollout v1 = rollout("v1"), v2 = rollout("v2", {SetWeight{20}, Pause{}});
  v1.dynamic_stable_scale = v2.dynamic_stable_scale = true;
  Cluster1 c = running(v1);
  c.rest(v2, at(100));
  c.take_history();
  v2.decision = RolloutDecision{.verb = Verb::PromoteFull, .revision = "hashv2", .commit = "full"};
  c.rest(v2, at(110), false);
  c.workload("hashv2").available = 3;
  c.rest(v2, at(111), false);
  CHECK(c.canary_weight() == 60);
  c.workload("hashv2").available = 5;
  c.rest(v2, at(112));
  CHECK(c.take_history() == History{"canary 20% (step 2/2)", "canary 60% (step 2/2)", "canary 100% (step 2/2)",
                                    "promoting v2 (step 2/2)", "promoted v2"});
}

TEST_CASE("of the revisions that wait to be scaled down only the newest stay", "[diff]") {
  Rollout v3 = rollout("v3", {});
  v3.scale_down_delay_revision_limit = 1;
  Cluster1 c = running(rollout("v1", {}));
  c.rest(rollout("v2", {}), at(100));
  c.rest(v3, at(101));
  CHECK(pods(c) == "v2 x5 v3 x5");
}

TEST_CASE("deviation 6: the delay after an abort counts from when stable is full", "[diff]") {
  Rollout v2 = rollout("v2", {SetWeight{60}, Pause{}});
  v2.abort_scale_down_delay = 600s;
  Cluster1 c = running("v1");
  c.rest(v2, at(100));
  c.workload("hashv1").available = 4;
  v2.decision = RolloutDecision{.verb = Verb::Abort, .revision = "hashv2", .commit = "abort"};
  c.rest(v2, at(110), false);
  CHECK(c.canary_weight() == 0);
  CHECK_FALSE(c.workload("hashv2").scale_down_deadline);
  c.rest(v2, at(200));
  CHECK(c.workload("hashv2").scale_down_deadline == at(800));
  c.rest(v2, at(799));
  CHECK(c.workload("hashv2").replicas == 3);
  c.rest(v2, at(800));
  CHECK(c.workload("hashv2").replicas == 0);
}

TEST_CASE("deviation 11: the canary Service moves once during an abort", "[diff]") {
  Rollout v2 = rollout("v2", {SetWeight{60}, Pause{}});
  Cluster1 c = running("v1");
  c.rest(v2, at(100));
  v2.decision = RolloutDecision{.verb = Verb::Abort, .revision = "hashv2", .commit = "abort"};
  std::vector<std::string> selected = {c.live.services["till-canary"].hash};
  for (int i = 0; i < 300; ++i) {
    c.pass(v2, at(110 + i));
    c.pods_start(at(110 + i));
    if (c.live.services["till-canary"].hash != selected.back()) selected.push_back(c.live.services["till-canary"].hash);
  }
  CHECK(selected == std::vector<std::string>{"hashv2", "hashv1"});
}

TEST_CASE("deviation 12: a version in between keeps its pods until routing is off it and a grace period over",
          "[diff]") {
  Rollout v2 = rollout("v2"), v3 = rollout("v3");
  Cluster1 c = running("v1");
  c.rest(v2, at(100));
  c.pass(v3, at(110));
  CHECK(c.live.services["till-canary"].hash == "hashv2");
  CHECK(c.workload("hashv2").replicas == 1);
  c.rest(v3, at(111));
  CHECK(c.live.services["till-canary"].hash == "hashv3");
  CHECK(c.workload("hashv2").replicas == 1);
  c.rest(v3, at(150));
  CHECK(c.workload("hashv2").replicas == 0);
}

TEST_CASE("deviation 13: a stable revision that is short is named", "[plan]") {
  Cluster1 c = running("v1");
  c.rest(rollout("v2"), at(100));
  c.workload("hashv1").available = 3;
  c.pass(rollout("v2"), at(101));
  CHECK(c.last.why == "waiting for 2 of 5 stable pods");
}

TEST_CASE("deviation 16: a changed number of replicas under spec.paused does not freeze routing", "[diff]") {
  Rollout v2 = rollout("v2");
  Cluster1 c = running("v1");
  c.rest(v2, at(100));
  v2.paused = true;
  v2.replicas = 8;
  c.routes() = virtual_service(50, 50);
  c.rest(v2, at(110));
  CHECK(c.canary_weight() == 20);
  CHECK(pods(c) == "v1 x5 v2 x1");
}

TEST_CASE("deviation 17: an absent rollbackWindow is three revisions", "[rollout]") {
  CHECK(Rollout{}.rollback_window == 3);
}

TEST_CASE("deviation 18: a ReplicaSet has no owner that may not be in the cluster", "[replica set]") {
  CHECK_FALSE(replica_set(rollout("v1"), 1, 1, {})["metadata"].contains("ownerReferences"));
}

TEST_CASE("a ReplicaSet without an owner has nothing that a Deployment selects", "[replica set]") {
  const Json alone = create_replica_set(rollout("v1"), {}, {}, 1).object;
  CHECK(alone["metadata"]["labels"] == Json{{"rollouts-pod-template-hash", "hashv1"}, {"serin.dev/rollout", "till"}});
  CHECK(alone["spec"]["template"]["metadata"]["labels"]["app"] == "till");
  Observed live;
  live.object = RolloutObject{.uid = "u1", .ours = true};
  CHECK(create_replica_set(rollout("v1"), live, {}, 1).object["metadata"]["labels"]["app"] == "till");
}

// ---- identity -----------------------------------------------------------------------------------------------------

namespace {

/// The template of spec 2.1: `674d8cf959`, and `66597877b7` as older controllers hash it.
Rollout known_template() {
  Rollout r = rollout("v1");
  r.pod_template =
      R"({"metadata":{"labels":{"app":"canary-scaledowndelay"}},"spec":{"containers":[{"name":"canary-scaledowndelay","image":"nginx:1.19-alpine","ports":[{"name":"http","containerPort":80,"protocol":"TCP"}],"resources":{"requests":{"cpu":"5m","memory":"16Mi"}}}]}})";
  r.hash = "674d8cf959";
  r.older_hash = "66597877b7";
  return r;
}

}  // namespace

TEST_CASE("deviation 2: a ReplicaSet that an older controller named is the same revision", "[resolved]") {
  Observed live;
  live.workloads.push_back({.name = "till-66597877b7", .hash = "66597877b7"});
  CHECK(with_known_hash(known_template(), live, std::nullopt).hash == "66597877b7");
  CHECK(with_known_hash(known_template(), {}, std::nullopt).hash == "674d8cf959");
}

TEST_CASE("a ReplicaSet that another controller named after a collision is the same revision", "[resolved]") {
  Observed live;
  live.workloads.push_back({.name = "till-dbc977b9d", .hash = "dbc977b9d"});
  CHECK(resolved(known_template(), live, std::nullopt).hash == "dbc977b9d");
  // It stays that when only the status tells, and without any such trace nothing changes.
  Status status;
  status.stable = Revision{.hash = "dbc977b9d", .image = "nginx", .since = at(0)};
  CHECK(resolved(known_template(), {}, status).hash == "dbc977b9d");
  CHECK(resolved(known_template(), {}, std::nullopt).hash == "674d8cf959");
}

TEST_CASE("a name that somebody else has leads to another hash", "[resolved]") {
  Cluster1 c;
  c.live.taken_names = {"till-674d8cf959"};
  const Rollout desired = known_template();
  c.pass(resolved(desired, c.live, c.status), at(0));
  CHECK(c.take_history() == History{"renaming till-674d8cf959"});
  CHECK(c.last.why == "a ReplicaSet till-674d8cf959 exists and is not of this rollout");
  CHECK(c.status->collisions == 1);
  CHECK(resolved(desired, c.live, c.status).hash == "dbc977b9d");
  for (int i = 0; i < 10; ++i) {
    c.pass(resolved(desired, c.live, c.status), at(1));
    c.pods_start(at(1));
  }
  CHECK(c.status->stable->hash == "dbc977b9d");
  CHECK(c.last.settled);
}

// ---- what pods are given ------------------------------------------------------------------------------------------

TEST_CASE("anti-affinity against stable is part of a new ReplicaSet, not of the hash", "[replica set]") {
  Rollout v2 = rollout("v2");
  v2.anti_affinity = AntiAffinity{};
  const Target target{.stable = "hashv1", .canary = "hashv2"};
  const char* const required = "requiredDuringSchedulingIgnoredDuringExecution";
  const char* const preferred = "preferredDuringSchedulingIgnoredDuringExecution";
  auto affinity = [](const Json& set) { return set["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]; };
  Json term = affinity(replica_set(v2, 1, 1, target))[required][0];
  CHECK(term["topologyKey"] == "kubernetes.io/hostname");
  CHECK(term["labelSelector"]["matchExpressions"][0]["values"][0] == "hashv1");
  v2.anti_affinity = AntiAffinity{30};
  CHECK(affinity(replica_set(v2, 1, 1, target))[preferred][0]["weight"] == 30);
  CHECK_FALSE(replica_set(v2, 1, 1, {.stable = "hashv2"})["spec"]["template"]["spec"].contains("affinity"));
}

TEST_CASE("the anti-affinity of a new version goes when it is stable", "[diff]") {
  auto apart = [](const std::string& tag) {
    Rollout r = rollout(tag, {SetWeight{20}, Pause{}});
    r.anti_affinity = AntiAffinity{};
    return r;
  };
  Cluster1 c = running(apart("v1"));
  Rollout v2 = apart("v2");
  c.rest(v2, at(100));
  CHECK(c.workload("hashv2").avoids == "hashv1");
  CHECK(c.workload("hashv1").avoids.empty());
  v2.decision = RolloutDecision{.verb = Verb::PromoteFull, .revision = "hashv2", .commit = "full"};
  c.rest(v2, at(110));
  CHECK(c.status->phase == Phase::Healthy);
  CHECK(c.workload("hashv2").avoids.empty());
  CHECK(c.last.actions.empty());
}

TEST_CASE("what people wrote about affinity is left as it is", "[anti_affinity]") {
  const Json own = Json::parse(R"({"nodeAffinity":{"a":1},"podAntiAffinity":{
    "preferredDuringSchedulingIgnoredDuringExecution":[{"weight":1,"podAffinityTerm":{"topologyKey":"zone"}}]}})");
  for (const Json& affinity : {own, Json{{"nodeAffinity", {{"a", 1}}}}, Json()}) {
    for (const AntiAffinity& rule : {AntiAffinity{}, AntiAffinity{50}}) {
      Json pod_template = {{"spec", {{"dnsPolicy", "Default"}}}};
      if (!affinity.is_null()) pod_template["spec"]["affinity"] = affinity;
      Json given = with_anti_affinity(pod_template, rule, "hashv1");
      CHECK(avoided_revision(given) == "hashv1");
      CHECK(avoided_revision(pod_template).empty());
      Json patch;
      patch["spec"]["affinity"] = affinity_patch(affinity);
      given.merge_patch(patch);
      CHECK(given == pod_template);
    }
  }
}

TEST_CASE("metadata follows the role without a restart", "[ephemeral]") {
  auto with_roles = [](Rollout r) {
    r.canary_metadata = {{{"role", "canary"}}, {{"note", "new"}}};
    r.stable_metadata = {{{"role", "stable"}}, {}};
    return r;
  };
  const std::string canary = R"({"annotations":{"note":"new"},"labels":{"role":"canary"}})";
  const std::string stable = R"({"labels":{"role":"stable"}})";
  Cluster1 c = running(with_roles(rollout("v1")));
  CHECK(c.workload("hashv1").metadata == stable);
  c.rest(with_roles(rollout("v2")), at(100));
  CHECK(c.workload("hashv2").metadata == canary);
  CHECK(c.workload("hashv2").pods.front().metadata == canary);
  CHECK(c.workload("hashv1").pods.front().metadata == stable);
  for (int t : {160, 220}) c.rest(with_roles(rollout("v2")), at(t));
  CHECK(c.workload("hashv2").metadata == stable);
  for (const PodState& pod : c.workload("hashv2").pods) CHECK(pod.metadata == stable);
  CHECK(c.workload("hashv1").metadata.empty());
  c.rest(rollout("v2"), at(300));
  CHECK(c.workload("hashv2").metadata.empty());
  CHECK(c.last.settled);
}

TEST_CASE("the patch takes away what the role before had given", "[ephemeral]") {
  const Json change = metadata_change(R"({"labels":{"role":"canary","x":"1"}})", R"({"labels":{"role":"stable"}})");
  Json pod = {{"labels", {{"app", "till"}, {"role", "canary"}, {"x", "1"}}}};
  pod.merge_patch(change);
  CHECK(pod["labels"] == Json{{"app", "till"}, {"role", "stable"}});
  pod.merge_patch(metadata_change(R"({"labels":{"role":"stable"}})", ""));
  CHECK(pod["labels"] == Json{{"app", "till"}});
  CHECK(pod["annotations"].empty());
}

// ---- restartAt ----------------------------------------------------------------------------------------------------

TEST_CASE("restartAt replaces older pods, as many at once as may be missing", "[restart]") {
  Rollout v1 = rollout("v1");
  Cluster1 c = running(v1);
  v1.restart_at = at(500);
  c.pass(v1, at(400));
  CHECK(c.last.look_again == at(500));
  c.pass(v1, at(500));
  CHECK(c.workload("hashv1").available == 4);
  c.pass(v1, at(500));
  CHECK(c.workload("hashv1").available == 4);
  CHECK_FALSE(c.last.settled);
  c.rest(v1, at(501));
  CHECK(c.last.settled);
  for (const PodState& pod : c.workload("hashv1").pods) CHECK(pod.created >= at(500));
  CHECK(c.take_history().empty());
}

// ---- services -----------------------------------------------------------------------------------------------------

TEST_CASE("a Service that does not fit holds the rollout and says why", "[diff]") {
  Cluster1 c = running("v1");
  Rollout v1 = rollout("v1");
  v1.pod_labels = {{"app", "till"}};
  c.live.services["till-stable"].selector = {{"app", "cart"}};
  c.pass(v1, at(1));
  CHECK(c.last.held == "Service shop/till-stable selects app=cart, which the pods of spec.template do not have");
  c.live.services["till-stable"].selector = {{"app", "till"}};
  c.live.services["till-stable"].managed_by = "cart";
  c.pass(v1, at(1));
  CHECK(c.last.held == "Service shop/till-stable is managed by rollout cart");
}

TEST_CASE("what the rollout names no more is given back, but only once all pods are of one version", "[diff]") {
  Cluster1 c = running("v1");
  Rollout v2 = rollout("v2");
  c.rest(v2, at(100));
  REQUIRE(c.status->weight == 20);
  const ObjectKey rule{"networking.istio.io", "DestinationRule", "shop", "till"};
  c.live.former_services["till-old"] = {.hash = "hashv1", .selector = {}, .managed_by = "till"};
  c.live.former_rules[rule] = Json::parse(R"({"apiVersion":"networking.istio.io/v1","kind":"DestinationRule",
    "metadata":{"name":"till","annotations":{"argo-rollouts.argoproj.io/managed-by-rollouts":"till"}},
    "spec":{"host":"till","subsets":[{"name":"a","labels":{"rollouts-pod-template-hash":"hashv1","app":"till"}},
                                     {"name":"b","labels":{"rollouts-pod-template-hash":"hashv1"}},{"name":"c"}]}})");
  auto released = [&] {
    return std::any_of(c.last.actions.begin(), c.last.actions.end(),
                       [](auto& a) { return std::holds_alternative<ReleaseService>(a); });
  };
  c.pass(v2, at(110));
  CHECK_FALSE(released());
  for (int seconds : {200, 300}) c.rest(v2, at(seconds));
  for (int i = 0; i < 20 && !released(); ++i) {
    c.pass(v2, at(400));
    c.pods_start(at(400));
  }
  REQUIRE(released());
  CHECK(c.status->stable->hash == "hashv2");
  REQUIRE(c.last.actions.size() == 2);
  CHECK(std::get<ReleaseService>(c.last.actions[0]) == ReleaseService{"till-old", "hashv1"});
  const Json& after = std::get<RewriteRoutes>(c.last.actions[1]).after;
  CHECK(after == Json::parse(R"({"apiVersion":"networking.istio.io/v1","kind":"DestinationRule",
    "metadata":{"name":"till"},"spec":{"host":"till","subsets":[{"name":"a","labels":{"app":"till"}},{"name":"b"},
                                                               {"name":"c"}]}})"));
  // Pods that such a Service selects stay until then.
  c.rest(v2, at(1000));
  CHECK(c.workload("hashv1").replicas == 5);
  c.live.former_services.clear();
  c.live.former_rules.clear();
  c.rest(v2, at(1001));
  CHECK(c.workload("hashv1").replicas == 0);
}
