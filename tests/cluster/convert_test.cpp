#include "cluster/convert.h"

#include "catch.h"

using namespace reconciler;

namespace {

Json json(std::string_view text) { return *parse_json(text); }

Json replica_set() {
  return json(R"({
    "apiVersion": "apps/v1", "kind": "ReplicaSet",
    "metadata": {"namespace": "shop", "name": "checkout-6d4c9f7b8d", "uid": "u1",
      "creationTimestamp": "2026-11-22T10:00:02Z",
      "labels": {"app": "checkout", "rollouts-pod-template-hash": "6d4c9f7b8d",
                 "serin.dev/owner": "serin", "serin.dev/rollout": "checkout"},
      "annotations": {"scale-down-deadline": "2026-11-22T10:05:00Z"}},
    "spec": {"replicas": 3,
      "selector": {"matchLabels": {"app": "checkout", "rollouts-pod-template-hash": "6d4c9f7b8d"}},
      "template": {"spec": {"containers": [{"name": "app", "image": "registry/checkout:v2"}]}}},
    "status": {"replicas": 3, "readyReplicas": 2, "availableReplicas": 1}})");
}

Json pod_waiting(const std::string& reason) {
  Json pod = json(R"({
    "metadata": {"namespace": "shop", "name": "p", "creationTimestamp": "2026-11-22T10:00:02Z",
      "ownerReferences": [{"kind": "ReplicaSet", "uid": "u1", "controller": true}]},
    "status": {"phase": "Pending", "conditions": [
      {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-22T10:00:09Z"}]}})");
  pod["status"]["containerStatuses"] = Json::array({{{"state", {{"waiting", {{"reason", reason}}}}}}});
  return pod;
}

Rollout checkout() {
  Rollout rollout;
  rollout.key = {.ns = "shop", .name = "checkout"};
  rollout.selector = R"({"matchLabels":{"app":"checkout"}})";
  return rollout;
}

}  // namespace

TEST_CASE("pods that are gone are not available, whatever the ReplicaSet still counts", "[convert]") {
  const ReplicaSetSummary summary = summarize_replica_set(replica_set());
  CHECK(workload_at(summary, {{.active = false}, {.ready = false}}, true, TimePoint{}).available == 0);
  ReplicaSetSummary shrunk = summary;
  shrunk.workload.replicas = 0;
  CHECK(workload_at(shrunk, {{.ready = true}}, true, TimePoint{}).available == 0);
}

TEST_CASE("a ReplicaSet is read as a workload", "[convert]") {
  ReplicaSetSummary summary = summarize_replica_set(replica_set());

  CHECK(summary.ns == "shop");
  CHECK(summary.rollout == "checkout");
  CHECK(summary.owner == "serin");
  CHECK_FALSE(summary.controlled);
  Workload workload =
      workload_at(summary, {{.ready = true}, {.ready = true}}, true, *parse_time("2026-11-22T10:04:59Z"));
  CHECK(workload.name == "checkout-6d4c9f7b8d");
  CHECK(workload.uid == "u1");
  CHECK(workload.hash == "6d4c9f7b8d");
  CHECK(workload.images == std::vector<ContainerImage>{{.container = "app", .image = "registry/checkout:v2"}});
  CHECK(workload.replicas == 3);
  CHECK(workload.current == 3);
  CHECK(workload.ready == 2);
  CHECK(workload.available == 1);
  CHECK(workload.created == *parse_time("2026-11-22T10:00:02Z"));
  CHECK(workload.scale_down_deadline == *parse_time("2026-11-22T10:05:00Z"));
  CHECK_FALSE(workload.deadline_passed);
  CHECK(workload.owned);
}

TEST_CASE("a scale-down deadline has passed from its own moment on", "[convert]") {
  ReplicaSetSummary summary = summarize_replica_set(replica_set());
  CHECK(workload_at(summary, {}, true, *parse_time("2026-11-22T10:05:00Z")).deadline_passed);
}

TEST_CASE("a ReplicaSet without spec.replicas has one", "[convert]") {
  Json object = replica_set();
  object["spec"].erase("replicas");
  CHECK(summarize_replica_set(object).workload.replicas == 1);
}

TEST_CASE("pods last moved when the newest of them was made or changed readiness", "[convert]") {
  PodSummary early;
  early.moved = *parse_time("2026-11-22T10:00:05Z");
  PodSummary late = summarize_pod(pod_waiting("ContainerCreating"));

  CHECK(late.replica_set_uid == "u1");
  CHECK(late.moved == *parse_time("2026-11-22T10:00:09Z"));
  Workload workload = workload_at(summarize_replica_set(replica_set()), {early, late}, true, TimePoint{});
  CHECK(workload.pods_moved == *parse_time("2026-11-22T10:00:09Z"));
}

TEST_CASE("what keeps a pod from being ready is said in words", "[convert]") {
  CHECK(summarize_pod(pod_waiting("ImagePullBackOff")).trouble == "image cannot be pulled");
  CHECK(summarize_pod(pod_waiting("ErrImagePull")).trouble == "image cannot be pulled");
  CHECK(summarize_pod(pod_waiting("CrashLoopBackOff")).trouble == "container crashes (CrashLoopBackOff)");
  CHECK(summarize_pod(pod_waiting("CreateContainerConfigError")).trouble ==
        "container cannot be started (CreateContainerConfigError)");
  CHECK(summarize_pod(pod_waiting("ContainerCreating")).trouble.empty());

  Json pending = json(R"({"metadata": {"name": "p"}, "status": {"phase": "Pending", "conditions": [
      {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}})");
  CHECK(summarize_pod(pending).trouble == "unschedulable");
}

TEST_CASE("a ready pod is in no trouble whatever its containers went through", "[convert]") {
  Json pod = pod_waiting("CrashLoopBackOff");
  pod["status"]["conditions"][0]["status"] = "True";
  CHECK(summarize_pod(pod).trouble.empty());
}

TEST_CASE("a quota that keeps pods from being made shows as trouble", "[convert]") {
  Json object = replica_set();
  object["status"]["conditions"] =
      json(R"([{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}])");
  CHECK(summarize_replica_set(object).workload.pod_trouble == "pods cannot be created: exceeded quota");
}

TEST_CASE("a Service shows the revision it selects, if any", "[convert]") {
  CHECK(service_state(json(R"({"spec": {"selector": {"app": "a", "rollouts-pod-template-hash": "h"}}})")).hash == "h");
  CHECK(service_state(json(R"({"spec": {"selector": {"app": "a"}}})")).hash.empty());
  CHECK(service_state(json(R"({"spec": {}})")).hash.empty());
}

TEST_CASE("a ReplicaSet with our labels is owned by its rollout only", "[convert]") {
  ReplicaSetSummary summary = summarize_replica_set(replica_set());
  CHECK(is_owned(summary, {.ns = "shop", .name = "checkout"}, "serin"));
  CHECK_FALSE(is_owned(summary, {.ns = "shop", .name = "checkout"}, "other"));
  CHECK_FALSE(is_owned(summary, {.ns = "shop", .name = "check"}, "serin"));
  CHECK_FALSE(may_adopt(summary, checkout()));
}

TEST_CASE("a ReplicaSet without a mark or controller is adopted when the selector fits", "[convert]") {
  Json object = replica_set();
  object["metadata"]["labels"].erase("serin.dev/owner");
  object["metadata"]["labels"].erase("serin.dev/rollout");
  CHECK(may_adopt(summarize_replica_set(object), checkout()));

  Json controlled = object;
  controlled["metadata"]["ownerReferences"] = json(R"([{"kind": "Rollout", "uid": "x", "controller": true}])");
  CHECK_FALSE(may_adopt(summarize_replica_set(controlled), checkout()));

  Json other = object;
  other["spec"]["selector"]["matchLabels"]["app"] = "till";
  CHECK_FALSE(may_adopt(summarize_replica_set(other), checkout()));

  Json unhashed = object;
  unhashed["metadata"]["labels"].erase("rollouts-pod-template-hash");
  CHECK_FALSE(may_adopt(summarize_replica_set(unhashed), checkout()));

  Rollout elsewhere = checkout();
  elsewhere.key.ns = "other";
  CHECK_FALSE(may_adopt(summarize_replica_set(object), elsewhere));
}

TEST_CASE("objects of a strange shape are read as far as they go", "[convert]") {
  for (const char* text :
       {"{}", "[]", "null", R"({"metadata": 3, "spec": {"template": []}, "status": {"conditions": {}}})",
        R"({"metadata": {"labels": [1], "ownerReferences": {}}, "status": {"conditions": [1, null]}})"}) {
    CHECK(summarize_replica_set(json(text)).workload.hash.empty());
    CHECK(summarize_pod(json(text)).trouble.empty());
    CHECK(service_state(json(text)).hash.empty());
  }
}
