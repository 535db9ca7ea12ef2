// What every Cluster does for Rollout objects: a view with a status and a scale, and what other controllers left.
#include <fstream>
#include <iterator>

#include "cluster/contract/world.h"
#include "manifest/document.h"
#include "rollout/action.h"

#include "catch.h"

using namespace reconciler;

namespace {

Json manifest(const std::string& ns, int replicas) {
  Json object = json(R"({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {},
    "spec": {"selector": {"matchLabels": {"app": "checkout"}}, "strategy": {"canary": {}}}})");
  object["metadata"] = {{"name", "checkout"}, {"namespace", ns}};
  if (replicas >= 0) object["spec"]["replicas"] = replicas;
  return object;
}

Json with_status(const std::string& ns, Json status) {
  return {{"apiVersion", "argoproj.io/v1alpha1"},
          {"kind", "Rollout"},
          {"metadata", {{"name", "checkout"}, {"namespace", ns}}},
          {"status", std::move(status)}};
}

std::string rollout_path(const std::string& ns) {
  return "/apis/argoproj.io/v1alpha1/namespaces/" + ns + "/rollouts/checkout";
}

Json put(Cluster& cluster, const Json& object, ApplyMode mode = ApplyMode::Write) {
  auto result = cluster.apply(object, mode);
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  return *result;
}

/// The cluster knows Rollouts from here on, by the definition that we ship.
void need_rollouts(Cluster& cluster) {
  if (cluster.apply(manifest("default", 1), ApplyMode::DryRun)) return;
  std::ifstream file(std::string(SERIN_SOURCE_DIR) + "/manifests-schema/kubernetes/rollouts-crd.yaml");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  Documents documents = read_documents("rollouts-crd.yaml", text);
  REQUIRE(documents.documents.size() == 1);
  put(cluster, documents.documents[0].value);
  REQUIRE(eventually([&] { return bool(cluster.apply(manifest("default", 1), ApplyMode::DryRun)); }));
}

/// The object as a rollout's observation shows it, once it fits.
bool is_seen(Cluster& cluster, const std::string& ns, const std::function<bool(const RolloutObject&)>& fits) {
  return eventually([&] {
    auto observed = cluster.observe(checkout(ns), TimePoint{});
    return observed && observed->object && fits(*observed->object);
  });
}

}  // namespace

TEST_CASE("a published Rollout is observed, and its status is written apart", "[contract]") {
  auto cluster = open_cluster();
  need_rollouts(*cluster);
  std::string ns = new_namespace(*cluster);
  const Json after = put(*cluster, manifest(ns, 2));
  CHECK(is_seen(*cluster, ns, [&](const RolloutObject& object) {
    return object.ours && object.uid == text_at(after, {"metadata", "uid"}) && object.generation == 1 &&
           object.driver.empty() && !object.scaled;
  }));

  put(*cluster, with_status(ns, {{"phase", "Healthy"}, {"observedGeneration", "1"}, {"message", "soon gone"}}),
      ApplyMode::Status);
  put(*cluster, with_status(ns, {{"phase", "Healthy"}, {"observedGeneration", "1"}}), ApplyMode::Status);

  CHECK(is_seen(*cluster, ns, [](const RolloutObject& object) {
    return object.status == R"({"observedGeneration":"1","phase":"Healthy"})" && object.generation == 1 &&
           object.driver.empty();
  }));
  Backdoor backdoor;
  const Json before = backdoor.get(rollout_path(ns));
  CHECK(before["spec"] == manifest(ns, 2)["spec"]);  // never defaulted
  put(*cluster, with_status(ns, {{"phase", "Healthy"}, {"observedGeneration", "1"}}), ApplyMode::Status);
  CHECK(backdoor.get(rollout_path(ns))["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]);
}

TEST_CASE("only the scale subresource asks a rollout for another count", "[contract]") {
  auto cluster = open_cluster();
  need_rollouts(*cluster);
  std::string ns = new_namespace(*cluster);
  put(*cluster, manifest(ns, 2));
  Backdoor backdoor;
  backdoor.merge(rollout_path(ns), {{"spec", {{"replicas", 3}}}});
  CHECK(is_seen(*cluster, ns, [](const RolloutObject& object) { return object.generation == 2 && !object.scaled; }));
  backdoor.merge(rollout_path(ns) + "/scale", {{"spec", {{"replicas", 5}}}});
  CHECK(is_seen(*cluster, ns, [](const RolloutObject& object) { return object.scaled == 5; }));

  put(*cluster, manifest(ns, -1));

  CHECK(backdoor.get(rollout_path(ns))["spec"]["replicas"] == 5);
  CHECK(is_seen(*cluster, ns, [](const RolloutObject& object) { return object.scaled == 5; }));
}

TEST_CASE("a controller that keeps the status is seen, and a person who says that it is stopped", "[contract]") {
  auto cluster = open_cluster();
  need_rollouts(*cluster);
  std::string ns = new_namespace(*cluster);
  Backdoor backdoor;
  backdoor.post("/apis/argoproj.io/v1alpha1/namespaces/" + ns + "/rollouts", manifest(ns, 2));
  CHECK(is_seen(*cluster, ns, [](const RolloutObject& object) { return !object.ours && object.driver.empty(); }));
  backdoor.merge(rollout_path(ns) + "/status?fieldManager=rollouts-controller",
                 {{"status", {{"observedGeneration", "1"}, {"phase", "Healthy"}}}});
  CHECK(is_seen(*cluster, ns, [](const RolloutObject& object) { return object.driver == "rollouts-controller"; }));
  backdoor.merge(rollout_path(ns), {{"metadata", {{"annotations", {{std::string(kTakeOverAnnotation), "true"}}}}}});
  CHECK(is_seen(*cluster, ns, [](const RolloutObject& object) { return object.driver.empty(); }));
}

TEST_CASE("adopting a ReplicaSet sets its owner, and takes a former one away", "[contract]") {
  auto cluster = open_cluster();
  need_rollouts(*cluster);
  std::string ns = new_namespace(*cluster);
  const Json published = put(*cluster, manifest(ns, 1));
  const std::string uid = text_at(published, {"metadata", "uid"});
  const Json owner{{"apiVersion", "argoproj.io/v1alpha1"},
                   {"kind", "Rollout"},
                   {"name", "checkout"},
                   {"uid", uid},
                   {"controller", true}};
  Backdoor backdoor;
  Json owned = replica_set(ns, "abc", "example.com/checkout:v1", 1);
  owned["metadata"]["ownerReferences"] = Json::array({owner});
  backdoor.post(path(ns, "replicasets", ""), owned);
  const Rollout rollout = checkout(ns);
  REQUIRE(eventually([&] { return workload(*cluster, rollout, "abc").rollout_uid == uid; }));
  CHECK_FALSE(workload(*cluster, rollout, "abc").owned);

  REQUIRE(cluster->carry_out(rollout.key, AdoptReplicaSet{.name = "checkout-abc"}));

  CHECK(workload(*cluster, rollout, "abc").owned);
  CHECK(workload(*cluster, rollout, "abc").rollout_uid.empty());
  CHECK_FALSE(backdoor.get(path(ns, "replicasets", "checkout-abc"))["metadata"].contains("ownerReferences"));
  REQUIRE(cluster->carry_out(rollout.key, AdoptReplicaSet{.name = "checkout-abc", .owner = owner}));
  CHECK(workload(*cluster, rollout, "abc").rollout_uid == uid);
}

TEST_CASE("an event about a Rollout needs no Rollout object", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  Json event =
      json(R"({"apiVersion": "v1", "kind": "Event", "metadata": {}, "type": "Normal", "reason": "RolloutPaused",
    "message": "pausing for 5m", "source": {"component": "serin"}, "reportingComponent": "serin", "count": 1,
    "firstTimestamp": "2026-11-22T10:00:00Z", "lastTimestamp": "2026-11-22T10:00:00Z"})");
  event["metadata"] = {{"name", "checkout.1-1"}, {"namespace", ns}};
  event["involvedObject"] = {
      {"apiVersion", "argoproj.io/v1alpha1"}, {"kind", "Rollout"}, {"name", "checkout"}, {"namespace", ns}};
  put(*cluster, event);
  event["count"] = 2;
  put(*cluster, event);
  Backdoor backdoor;
  const Json listed = backdoor.get("/api/v1/namespaces/" + ns + "/events");
  REQUIRE(listed["items"].size() == 1);
  CHECK(listed["items"][0]["count"] == 2);
}
