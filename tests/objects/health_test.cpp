#include "objects/health.h"

#include "objects/parsed.h"

#include "catch.h"

using namespace reconciler;

namespace {

struct Row {
  std::string_view what;
  std::string_view object;  ///< without apiVersion and kind
  HealthStatus expected;
  std::string_view why = "";
};

void check(std::string_view api_version, std::string_view kind, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    Json object = parsed(row.object);
    object["apiVersion"] = api_version;
    object["kind"] = kind;
    INFO(kind << ": " << row.what);
    const Health health = health_of(object);
    CHECK(to_text(health.status) == to_text(row.expected));
    CHECK(health.why == row.why);
  }
}

constexpr auto kCurrent = HealthStatus::Current;
constexpr auto kInProgress = HealthStatus::InProgress;
constexpr auto kFailed = HealthStatus::Failed;
constexpr auto kSuspended = HealthStatus::Suspended;

}  // namespace

TEST_CASE("some things go for every kind", "[health]") {
  check("example.com/v1", "Widget",
        {{"says nothing", R"({})", kCurrent},
         {"on its way out", R"({"metadata": {"deletionTimestamp": "2026-11-22T10:00:00Z"}})", HealthStatus::Terminating,
          "it is being deleted"},
         {"not seen by its controller", R"({"metadata": {"generation": 3}, "status": {"observedGeneration": 2}})",
          kInProgress, "its controller has not seen the change"},
         {"seen", R"({"metadata": {"generation": 3}, "status": {"observedGeneration": 3}})", kCurrent},
         {"moving", R"({"status": {"conditions": [{"type": "Reconciling", "status": "True", "reason": "Busy"}]}})",
          kInProgress, "Busy"},
         {"stuck", R"({"status": {"conditions": [{"type": "Stalled", "status": "True", "message": "no quota"}]}})",
          kFailed, "no quota"},
         {"ready", R"({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})", kCurrent},
         {"not ready",
          R"({"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "Wait", "message": "soon"}]}})",
          kInProgress, "Wait: soon"}});
}

TEST_CASE("a Deployment is current when all its pods are new and available", "[health]") {
  check("apps/v1", "Deployment",
        {{"done", R"({"spec": {"replicas": 2}, "status": {"replicas": 2, "updatedReplicas": 2, "readyReplicas": 2,
            "availableReplicas": 2, "conditions": [{"type": "Available", "status": "True"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}})",
          kCurrent},
         {"one pod by default, none there", R"({"spec": {}, "status": {}})", kInProgress, "0 of 1 pods are updated"},
         {"an old pod is still there", R"({"spec": {"replicas": 1}, "status": {"replicas": 2, "updatedReplicas": 1,
            "readyReplicas": 2, "availableReplicas": 2}})",
          kInProgress, "2 of 1 pods are there"},
         {"not available", R"({"spec": {"replicas": 0}, "status": {"conditions":
            [{"type": "Available", "status": "False"}]}})",
          kInProgress, "it is not available"},
         {"no deadline, no progress condition", R"({"spec": {"replicas": 0}, "status": {"conditions":
            [{"type": "Available", "status": "True"}]}})",
          kCurrent},
         {"too late", R"({"spec": {"replicas": 1}, "status": {"conditions": [{"type": "Progressing",
            "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}]}})",
          kFailed, "ProgressDeadlineExceeded: timed out"},
         {"paused", R"({"spec": {"paused": true}})", kSuspended, "it is paused"}});
}

TEST_CASE("a StatefulSet is current when its revision is everywhere it should be", "[health]") {
  check("apps/v1", "StatefulSet",
        {{"done", R"({"spec": {"replicas": 2}, "status": {"replicas": 2, "readyReplicas": 2, "currentReplicas": 2,
            "currentRevision": "a", "updateRevision": "a"}})",
          kCurrent},
         {"updating", R"({"spec": {"replicas": 2}, "status": {"replicas": 2, "readyReplicas": 2,
            "currentReplicas": 2, "currentRevision": "a", "updateRevision": "b"}})",
          kInProgress, "its pods are being updated"},
         {"up to the partition", R"({"spec": {"replicas": 3, "updateStrategy": {"rollingUpdate": {"partition": 2}}},
            "status": {"replicas": 3, "readyReplicas": 3, "updatedReplicas": 1, "currentReplicas": 2,
            "currentRevision": "a", "updateRevision": "b"}})",
          kCurrent},
         {"not up to the partition", R"({"spec": {"replicas": 3, "updateStrategy": {"rollingUpdate":
            {"partition": 1}}}, "status": {"replicas": 3, "readyReplicas": 3, "updatedReplicas": 1}})",
          kInProgress, "1 of 2 pods are updated"},
         {"by hand", R"({"spec": {"replicas": 3, "updateStrategy": {"type": "OnDelete"}}})", kCurrent}});
}

TEST_CASE("other workloads count their pods", "[health]") {
  check("apps/v1", "DaemonSet",
        {{"new", R"({"status": {}})", kInProgress, "its controller has not seen it yet"},
         {"done", R"({"metadata": {"generation": 1}, "status": {"observedGeneration": 1, "desiredNumberScheduled": 2,
            "currentNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 2, "numberAvailable": 2}})",
          kCurrent},
         {"not ready", R"({"status": {"observedGeneration": 1, "desiredNumberScheduled": 2,
            "currentNumberScheduled": 2, "updatedNumberScheduled": 2, "numberReady": 1}})",
          kInProgress, "1 of 2 pods are ready"}});
  check("apps/v1", "ReplicaSet",
        {{"done", R"({"spec": {"replicas": 1}, "status": {"fullyLabeledReplicas": 1, "readyReplicas": 1,
            "availableReplicas": 1}})",
          kCurrent},
         {"no quota", R"({"spec": {"replicas": 1}, "status": {"conditions": [{"type": "ReplicaFailure",
            "status": "True", "reason": "FailedCreate", "message": "exceeded quota"}]}})",
          kInProgress, "FailedCreate: exceeded quota"}});
  check("batch/v1", "Job",
        {{"runs", R"({"status": {"active": 1}})", kInProgress, "1 pods run, 0 succeeded"},
         {"done", R"({"status": {"conditions": [{"type": "Complete", "status": "True"}]}})", kCurrent},
         {"suspended on purpose", R"({"spec": {"suspend": true}})", kCurrent},
         {"failed", R"({"status": {"conditions": [{"type": "Failed", "status": "True",
            "reason": "BackoffLimitExceeded"}]}})",
          kFailed, "BackoffLimitExceeded"}});
}

TEST_CASE("a pod is current when it is ready or done", "[health]") {
  check("v1", "Pod",
        {{"ready", R"({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})", kCurrent},
         {"done", R"({"status": {"phase": "Succeeded"}})", kCurrent},
         {"starting", R"({"status": {"phase": "Pending"}})", kInProgress, "it is not ready"},
         {"crashing", R"({"status": {"containerStatuses": [{"name": "app", "state": {"waiting":
            {"reason": "CrashLoopBackOff"}}}]}})",
          kFailed, "app: CrashLoopBackOff"},
         {"no image", R"({"status": {"initContainerStatuses": [{"name": "init", "state": {"waiting":
            {"reason": "ImagePullBackOff"}}}]}})",
          kFailed, "init: ImagePullBackOff"},
         {"evicted", R"({"status": {"phase": "Failed", "reason": "Evicted"}})", kFailed, "it failed: Evicted"}});
}

TEST_CASE("a pod that finds no node fails after a while", "[health]") {
  const Health health = health_of(parsed(R"({"apiVersion": "v1", "kind": "Pod", "status": {"conditions": [
      {"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
       "lastTransitionTime": "2026-11-22T10:00:00Z"}]}})"));
  const TimePoint began = *parse_time("2026-11-22T10:00:00Z");
  CHECK(status_at(health, began + 14s) == kInProgress);
  CHECK(status_at(health, began + 15s) == kFailed);
}

TEST_CASE("kinds that wait for something say for what", "[health]") {
  check("v1", "PersistentVolumeClaim",
        {{"bound", R"({"status": {"phase": "Bound"}})", kCurrent},
         {"pending", R"({"status": {"phase": "Pending"}})", kInProgress, "it is not bound to a volume"},
         {"lost", R"({"status": {"phase": "Lost"}})", kFailed, "its volume is lost"}});
  check("apiextensions.k8s.io/v1", "CustomResourceDefinition",
        {{"new", R"({})", kInProgress, "it is not established"},
         {"there", R"({"status": {"conditions": [{"type": "Established", "status": "True"}]}})", kCurrent},
         {"name taken", R"({"status": {"conditions": [{"type": "NamesAccepted", "status": "False",
            "reason": "PluralConflict"}]}})",
          kFailed, "PluralConflict"}});
  check("v1", "Service",
        {{"inside", R"({"spec": {"type": "ClusterIP"}})", kCurrent},
         {"no address", R"({"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}})", kInProgress,
          "its load balancer has no address"},
         {"address", R"({"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "1"}]}}})",
          kCurrent}});
  check("argoproj.io/v1alpha1", "Rollout",
        {{"paused", R"({"status": {"phase": "Paused", "message": "CanaryPauseStep"}})", kSuspended, "CanaryPauseStep"},
         {"broken", R"({"status": {"phase": "Degraded"}})", kFailed, "it is degraded"},
         {"in the middle", R"({"status": {"phase": "Progressing", "stableRS": "a", "currentPodHash": "b"}})",
          kInProgress, "the new revision is not stable yet"},
         {"done", R"({"metadata": {"generation": 2}, "spec": {"replicas": 1}, "status": {"observedGeneration": "2",
            "stableRS": "a", "currentPodHash": "a", "updatedReplicas": 1, "availableReplicas": 1}})",
          kCurrent}});
}
