#include "objects/health.h"

#include <array>
#include <initializer_list>

#include "base/check.h"
#include "base/format.h"
#include "base/object_key.h"

namespace reconciler {
namespace {

/// Longer than a scheduler takes to find a node that is there.
constexpr Duration kUnschedulableMax = 15s;

using Path = std::initializer_list<std::string_view>;

int64_t count(const Json& object, Path path, int64_t otherwise = 0) {
  return integer_at(object, path).value_or(otherwise);
}

Health in_progress(std::string why) { return {.status = HealthStatus::InProgress, .why = std::move(why)}; }
Health failed(std::string why) { return {.status = HealthStatus::Failed, .why = std::move(why)}; }
Health suspended(std::string why) { return {.status = HealthStatus::Suspended, .why = std::move(why)}; }

/// The condition of that type; null pointer when there is none.
const Json* condition(const Json& object, std::string_view type) {
  const Json* conditions = find(object, {"status", "conditions"});
  if (!conditions || !conditions->is_array()) return nullptr;
  for (const Json& each : *conditions)
    if (text_at(each, {"type"}) == type) return &each;
  return nullptr;
}

bool is_true(const Json* condition) { return condition && text_at(*condition, {"status"}) == "True"; }

/// `reason: message`, as far as the condition has them.
std::string words_of(const Json& condition) {
  const std::string reason = text_at(condition, {"reason"}), message = text_at(condition, {"message"});
  if (reason.empty() || message.empty()) return reason + message;
  return reason + ": " + message;
}

/// What a count must be, and the words for it when it is not.
struct Counted {
  std::string_view what;
  int64_t is;
};

Health all_equal(int64_t wanted, std::initializer_list<Counted> counts) {
  for (const Counted& each : counts)
    if (each.is != wanted) return in_progress(format("{} of {} pods are {}", each.is, wanted, each.what));
  return {};
}

Health of_deployment(const Json& object) {
  if (flag_at(object, {"spec", "paused"})) return suspended("it is paused");
  const Json* progressing = condition(object, "Progressing");
  const std::string reason = progressing ? text_at(*progressing, {"reason"}) : "";
  if (reason == "ProgressDeadlineExceeded") return failed(words_of(*progressing));
  const int64_t wanted = count(object, {"spec", "replicas"}, 1);
  Health counted = all_equal(wanted, {{"updated", count(object, {"status", "updatedReplicas"})},
                                      {"there", count(object, {"status", "replicas"})},
                                      {"ready", count(object, {"status", "readyReplicas"})},
                                      {"available", count(object, {"status", "availableReplicas"})}});
  if (counted.status != HealthStatus::Current) return counted;
  if (!is_true(condition(object, "Available"))) return in_progress("it is not available");
  if (progressing && reason != "NewReplicaSetAvailable") return in_progress(words_of(*progressing));
  return {};
}

Health of_stateful_set(const Json& object) {
  if (text_at(object, {"spec", "updateStrategy", "type"}) == "OnDelete") return {};
  const int64_t wanted = count(object, {"spec", "replicas"}, 1);
  Health counted = all_equal(wanted, {{"there", count(object, {"status", "replicas"})},
                                      {"ready", count(object, {"status", "readyReplicas"})}});
  if (counted.status != HealthStatus::Current) return counted;
  const int64_t partition = count(object, {"spec", "updateStrategy", "rollingUpdate", "partition"});
  if (partition > 0) {
    const int64_t updated = count(object, {"status", "updatedReplicas"});
    if (updated < wanted - partition)
      return in_progress(format("{} of {} pods are updated", updated, wanted - partition));
    return {};
  }
  if (count(object, {"status", "currentReplicas"}) != wanted)
    return in_progress(format("{} of {} pods are current", count(object, {"status", "currentReplicas"}), wanted));
  if (text_at(object, {"status", "currentRevision"}) != text_at(object, {"status", "updateRevision"}))
    return in_progress("its pods are being updated");
  return {};
}

Health of_daemon_set(const Json& object) {
  if (!integer_at(object, {"status", "observedGeneration"})) return in_progress("its controller has not seen it yet");
  return all_equal(count(object, {"status", "desiredNumberScheduled"}),
                   {{"there", count(object, {"status", "currentNumberScheduled"})},
                    {"updated", count(object, {"status", "updatedNumberScheduled"})},
                    {"ready", count(object, {"status", "numberReady"})},
                    {"available", count(object, {"status", "numberAvailable"})}});
}

Health of_replica_set(const Json& object) {
  if (const Json* failure = condition(object, "ReplicaFailure"); is_true(failure))
    return in_progress(words_of(*failure));
  return all_equal(count(object, {"spec", "replicas"}, 1),
                   {{"labelled", count(object, {"status", "fullyLabeledReplicas"})},
                    {"ready", count(object, {"status", "readyReplicas"})},
                    {"available", count(object, {"status", "availableReplicas"})}});
}

/// Why a container will not start without help; empty when it may.
std::string trouble_of_containers(const Json& pod) {
  for (std::string_view list : {"initContainerStatuses", "containerStatuses"}) {
    const Json* statuses = find(pod, {"status", list});
    if (!statuses || !statuses->is_array()) continue;
    for (const Json& status : *statuses) {
      const std::string reason = text_at(status, {"state", "waiting", "reason"});
      for (std::string_view hopeless : {"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName"})
        if (reason == hopeless) return text_at(status, {"name"}) + ": " + reason;
    }
  }
  return "";
}

Health of_pod(const Json& object) {
  const std::string phase = text_at(object, {"status", "phase"});
  if (phase == "Succeeded" || is_true(condition(object, "Ready"))) return {};
  if (phase == "Failed") return failed("it failed: " + text_at(object, {"status", "reason"}, "see its containers"));
  if (std::string why = trouble_of_containers(object); !why.empty()) return failed(std::move(why));
  const Json* scheduled = condition(object, "PodScheduled");
  if (scheduled && text_at(*scheduled, {"status"}) == "False" && text_at(*scheduled, {"reason"}) == "Unschedulable") {
    Health out = in_progress(words_of(*scheduled));
    if (auto since = parse_time(text_at(*scheduled, {"lastTransitionTime"})))
      out.failed_from = *since + kUnschedulableMax;
    return out;
  }
  return in_progress("it is not ready");
}

Health of_job(const Json& object) {
  if (const Json* failure = condition(object, "Failed"); is_true(failure)) return failed(words_of(*failure));
  if (is_true(condition(object, "Complete")) || flag_at(object, {"spec", "suspend"})) return {};
  return in_progress(
      format("{} pods run, {} succeeded", count(object, {"status", "active"}), count(object, {"status", "succeeded"})));
}

Health of_volume_claim(const Json& object) {
  const std::string phase = text_at(object, {"status", "phase"});
  if (phase == "Bound") return {};
  if (phase == "Lost") return failed("its volume is lost");
  return in_progress("it is not bound to a volume");
}

Health of_definition(const Json& object) {
  if (const Json* names = condition(object, "NamesAccepted"); names && text_at(*names, {"status"}) == "False")
    return failed(words_of(*names));
  if (is_true(condition(object, "Established"))) return {};
  return in_progress("it is not established");
}

Health of_service(const Json& object) {
  if (text_at(object, {"spec", "type"}) != "LoadBalancer") return {};
  const Json* addresses = find(object, {"status", "loadBalancer", "ingress"});
  if (addresses && addresses->is_array() && !addresses->empty()) return {};
  return in_progress("its load balancer has no address");
}

/// Its observed generation is text.
Health of_rollout(const Json& object) {
  const std::string phase = text_at(object, {"status", "phase"}), message = text_at(object, {"status", "message"});
  if (phase == "Paused") return suspended(message.empty() ? "it is paused" : message);
  if (phase == "Degraded") return failed(message.empty() ? "it is degraded" : message);
  const auto generation = integer_at(object, {"metadata", "generation"});
  const std::string observed = text_at(object, {"status", "observedGeneration"});
  if (generation && observed != std::to_string(*generation))
    return in_progress("its controller has not seen the change");
  const std::string current = text_at(object, {"status", "currentPodHash"});
  if (current.empty() || text_at(object, {"status", "stableRS"}) != current)
    return in_progress(message.empty() ? "the new revision is not stable yet" : message);
  return all_equal(count(object, {"spec", "replicas"}, 1),
                   {{"updated", count(object, {"status", "updatedReplicas"})},
                    {"available", count(object, {"status", "availableReplicas"})}});
}

Health of_ready_condition(const Json& object) {
  const Json* ready = condition(object, "Ready");
  if (!ready || is_true(ready)) return {};
  return in_progress(words_of(*ready).empty() ? "it is not ready" : words_of(*ready));
}

struct Rule {
  std::string_view group;
  std::string_view kind;
  Health (*judge)(const Json&);
};

constexpr std::array kRules{
    Rule{"apps", "Deployment", of_deployment},
    Rule{"apps", "StatefulSet", of_stateful_set},
    Rule{"apps", "DaemonSet", of_daemon_set},
    Rule{"apps", "ReplicaSet", of_replica_set},
    Rule{"", "Pod", of_pod},
    Rule{"batch", "Job", of_job},
    Rule{"", "PersistentVolumeClaim", of_volume_claim},
    Rule{"apiextensions.k8s.io", "CustomResourceDefinition", of_definition},
    Rule{"", "Service", of_service},
    Rule{"argoproj.io", "Rollout", of_rollout},
};

/// What goes for every kind; nothing when its own rule decides.
std::optional<Health> common_health(const Json& object) {
  if (find(object, {"metadata", "deletionTimestamp"}))
    return Health{.status = HealthStatus::Terminating, .why = "it is being deleted"};
  const auto generation = integer_at(object, {"metadata", "generation"});
  const auto observed = integer_at(object, {"status", "observedGeneration"});
  if (generation && observed && *generation != *observed) return in_progress("its controller has not seen the change");
  if (const Json* stalled = condition(object, "Stalled"); is_true(stalled)) return failed(words_of(*stalled));
  if (const Json* moving = condition(object, "Reconciling"); is_true(moving)) return in_progress(words_of(*moving));
  return std::nullopt;
}

}  // namespace

Health health_of(const Json& object) {
  if (auto common = common_health(object)) return *common;
  const std::string group = group_of(text_at(object, {"apiVersion"})), kind = text_at(object, {"kind"});
  for (const Rule& rule : kRules)
    if (rule.group == group && rule.kind == kind) return rule.judge(object);
  return of_ready_condition(object);
}

HealthStatus status_at(const Health& health, TimePoint now) {
  return health.failed_from && *health.failed_from <= now ? HealthStatus::Failed : health.status;
}

std::string_view to_text(HealthStatus status) {
  switch (status) {
    case HealthStatus::Current: return "Current";
    case HealthStatus::InProgress: return "InProgress";
    case HealthStatus::Suspended: return "Suspended";
    case HealthStatus::Failed: return "Failed";
    case HealthStatus::Terminating: return "Terminating";
  }
  unreachable();
}

}  // namespace reconciler
