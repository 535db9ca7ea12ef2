#include "cluster/convert.h"

#include <algorithm>
#include <charconv>

#include "rollout/action.h"
#include "rollout/anti_affinity.h"

namespace reconciler {

namespace {

int count_at(const Json& document, std::initializer_list<std::string_view> path, int otherwise) {
  return static_cast<int>(integer_at(document, path).value_or(otherwise));
}

TimePoint time_or_epoch(const Json& document, std::initializer_list<std::string_view> path) {
  return parse_time(text_at(document, path)).value_or(TimePoint{});
}

/// The controller in metadata.ownerReferences; null pointer when there is none.
const Json* controller_of(const Json& object) {
  const Json* owners = find(object, {"metadata", "ownerReferences"});
  if (owners == nullptr || !owners->is_array()) return nullptr;
  for (const Json& owner : *owners)
    if (flag_at(owner, {"controller"})) return &owner;
  return nullptr;
}

bool is_rollout(const Json& owner) {
  return text_at(owner, {"kind"}) == "Rollout" && text_at(owner, {"apiVersion"}).starts_with("argoproj.io/");
}

void note_controller(const Json& owner, ReplicaSetSummary& summary) {
  summary.controlled = !is_rollout(owner);
  if (summary.controlled) return;
  summary.controller = text_at(owner, {"name"});
  summary.workload.rollout_uid = text_at(owner, {"uid"});
}

std::vector<ContainerImage> images_of(const Json& replica_set) {
  std::vector<ContainerImage> images;
  const Json* containers = find(replica_set, {"spec", "template", "spec", "containers"});
  if (containers == nullptr || !containers->is_array()) return images;
  for (const Json& container : *containers)
    images.push_back({.container = text_at(container, {"name"}), .image = text_at(container, {"image"})});
  return images;
}

/// The condition of that type, null pointer when there is none.
const Json* condition(const Json& object, std::string_view type) {
  const Json* conditions = find(object, {"status", "conditions"});
  if (conditions == nullptr || !conditions->is_array()) return nullptr;
  for (const Json& candidate : *conditions)
    if (text_at(candidate, {"type"}) == type) return &candidate;
  return nullptr;
}

std::string words_for_waiting(const std::string& reason) {
  if (reason == "ErrImagePull" || reason == "ImagePullBackOff" || reason == "InvalidImageName" ||
      reason == "ErrImageNeverPull" || reason == "RegistryUnavailable" || reason == "ImageInspectError")
    return "image cannot be pulled";
  if (reason == "CrashLoopBackOff") return "container crashes (CrashLoopBackOff)";
  if (reason == "CreateContainerConfigError" || reason == "CreateContainerError" || reason == "RunContainerError")
    return "container cannot be started (" + reason + ")";
  return "";  // ContainerCreating, PodInitializing: on its way.
}

std::string words_for_container(const Json& status) {
  std::string waiting = words_for_waiting(text_at(status, {"state", "waiting", "reason"}));
  if (!waiting.empty()) return waiting;
  auto exit_code = integer_at(status, {"state", "terminated", "exitCode"});
  if (exit_code.value_or(0) != 0) return "container exited with code " + std::to_string(*exit_code);
  return "";
}

std::string trouble_of(const Json& pod) {
  const Json* ready = condition(pod, "Ready");
  if (ready != nullptr && text_at(*ready, {"status"}) == "True") return "";
  for (std::string_view list : {"initContainerStatuses", "containerStatuses"}) {
    const Json* statuses = find(pod, {"status", list});
    if (statuses == nullptr || !statuses->is_array()) continue;
    for (const Json& status : *statuses)
      if (std::string words = words_for_container(status); !words.empty()) return words;
  }
  const Json* scheduled = condition(pod, "PodScheduled");
  if (scheduled != nullptr && text_at(*scheduled, {"status"}) == "False" &&
      text_at(*scheduled, {"reason"}) == "Unschedulable")
    return "unschedulable";
  if (text_at(pod, {"status", "phase"}) == "Failed") return "pod failed: " + text_at(pod, {"status", "reason"}, "?");
  return "";
}

/// A quota or an admission hook that keeps pods from being made shows on the ReplicaSet alone.
std::string trouble_making_pods(const Json& replica_set) {
  const Json* failure = condition(replica_set, "ReplicaFailure");
  if (failure == nullptr || text_at(*failure, {"status"}) != "True") return "";
  return "pods cannot be created: " + text_at(*failure, {"message"}, "unknown reason").substr(0, 200);
}

bool contains_labels(const Json& selector, const Json& wanted) {
  const Json* want = find(wanted, {"matchLabels"});
  if (want == nullptr) return true;
  const Json* have = find(selector, {"matchLabels"});
  if (have == nullptr || !have->is_object() || !want->is_object()) return want->empty();
  return std::all_of(want->items().begin(), want->items().end(), [&](const auto& label) {
    auto found = have->find(label.key());
    return found != have->end() && *found == label.value();
  });
}

bool contains_expressions(const Json& selector, const Json& wanted) {
  const Json* want = find(wanted, {"matchExpressions"});
  if (want == nullptr || !want->is_array()) return true;
  const Json* have = find(selector, {"matchExpressions"});
  return std::all_of(want->begin(), want->end(), [&](const Json& expression) {
    return have != nullptr && have->is_array() && std::find(have->begin(), have->end(), expression) != have->end();
  });
}

/// 0 when the annotation is missing or no number.
int revision_number(const Json& object) {
  const std::string text = text_at(object, {"metadata", "annotations", kRevisionAnnotation});
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

ReplicaSetSummary summarize_replica_set(const Json& object) {
  ReplicaSetSummary summary;
  summary.ns = text_at(object, {"metadata", "namespace"});
  Workload& workload = summary.workload;
  workload.name = text_at(object, {"metadata", "name"});
  workload.uid = text_at(object, {"metadata", "uid"});
  workload.hash = text_at(object, {"metadata", "labels", kHashLabel});
  workload.images = images_of(object);
  workload.revision = revision_number(object);
  workload.replicas = count_at(object, {"spec", "replicas"}, 1);
  workload.current = count_at(object, {"status", "replicas"}, 0);
  workload.ready = count_at(object, {"status", "readyReplicas"}, 0);
  workload.available = count_at(object, {"status", "availableReplicas"}, 0);
  workload.created = time_or_epoch(object, {"metadata", "creationTimestamp"});
  workload.scale_down_deadline = parse_time(text_at(object, {"metadata", "annotations", kScaleDownDeadlineAnnotation}));
  workload.metadata = text_at(object, {"metadata", "annotations", kEphemeralMetadataAnnotation});
  workload.rejected =
      !workload.hash.empty() && text_at(object, {"metadata", "annotations", kRejectedAnnotation}) == workload.hash;
  if (const Json* pod_template = find(object, {"spec", "template"})) workload.avoids = avoided_revision(*pod_template);
  workload.pod_trouble = trouble_making_pods(object);
  workload.service = text_at(object, {"metadata", "annotations", kExperimentServiceAnnotation});
  summary.experiment = text_at(object, {"metadata", "labels", kExperimentLabel});
  summary.rollout = text_at(object, {"metadata", "labels", kRolloutLabel});
  summary.owner = text_at(object, {"metadata", "labels", kOwnerLabel});
  if (const Json* selector = find(object, {"spec", "selector"})) summary.selector = dump(*selector);
  if (const Json* owner = controller_of(object)) note_controller(*owner, summary);
  return summary;
}

PodSummary summarize_pod(const Json& object) {
  PodSummary summary;
  summary.ns = text_at(object, {"metadata", "namespace"});
  summary.name = text_at(object, {"metadata", "name"});
  if (const Json* owner = controller_of(object)) summary.replica_set_uid = text_at(*owner, {"uid"}, "unknown");
  summary.moved = time_or_epoch(object, {"metadata", "creationTimestamp"});
  const Json* ready = condition(object, "Ready");
  if (ready) summary.moved = std::max(summary.moved, time_or_epoch(*ready, {"lastTransitionTime"}));
  summary.trouble = trouble_of(object);
  summary.created = time_or_epoch(object, {"metadata", "creationTimestamp"});
  summary.metadata = text_at(object, {"metadata", "annotations", kEphemeralMetadataAnnotation});
  const std::string phase = text_at(object, {"status", "phase"});
  summary.active = phase != "Succeeded" && phase != "Failed" && !find(object, {"metadata", "deletionTimestamp"});
  summary.ready = summary.active && ready && text_at(*ready, {"status"}) == "True";
  return summary;
}

ServiceState service_state(const Json& object) {
  ServiceState state{.managed_by = text_at(object, {"metadata", "annotations", kManagedByAnnotation})};
  const Json* selector = find(object, {"spec", "selector"});
  if (selector == nullptr || !selector->is_object()) return state;
  for (const auto& [label, value] : selector->items())
    if (value.is_string()) state.selector[label] = value.get<std::string>();
  state.hash = text_at(object, {"spec", "selector", kHashLabel});
  state.selector.erase(std::string(kHashLabel));
  return state;
}

bool may_adopt(const ReplicaSetSummary& replica_set, const Rollout& rollout) {
  if (replica_set.ns != rollout.key.ns || replica_set.workload.hash.empty()) return false;
  if (!replica_set.rollout.empty() || replica_set.controlled) return false;
  if (!replica_set.controller.empty() && replica_set.controller != rollout.key.name) return false;
  auto have = parse_json(replica_set.selector);
  auto want = parse_json(rollout.selector);
  // An empty selector would fit everything; a manifest with one is refused, so nothing is adopted by it.
  if (!have || !want || !want->is_object() || want->empty()) return false;
  return contains_labels(*have, *want) && contains_expressions(*have, *want);
}

bool is_owned(const ReplicaSetSummary& replica_set, const RolloutKey& rollout, std::string_view owner) {
  return replica_set.ns == rollout.ns && replica_set.rollout == rollout.name && replica_set.owner == owner;
}

Workload workload_at(const ReplicaSetSummary& replica_set, const std::vector<PodSummary>& pods, bool owned,
                     TimePoint now) {
  Workload workload = replica_set.workload;
  workload.owned = owned;
  workload.deadline_passed = workload.scale_down_deadline && *workload.scale_down_deadline <= now;
  // What we evicted, or asked for no more, is as good as gone, while the ReplicaSet's own count of it comes late.
  const auto ready = std::count_if(pods.begin(), pods.end(), [](const PodSummary& pod) { return pod.ready; });
  workload.available = std::min({workload.available, int(ready), workload.replicas});
  for (const PodSummary& pod : pods) {
    workload.pods_moved = std::max(workload.pods_moved, pod.moved);
    if (workload.pod_trouble.empty()) workload.pod_trouble = pod.trouble;
    if (pod.active)
      workload.pods.push_back({.name = pod.name, .uid = pod.uid, .created = pod.created, .metadata = pod.metadata});
  }
  return workload;
}

Json without_managed_fields(Json object) {
  auto metadata = object.find("metadata");
  if (metadata != object.end() && metadata->is_object()) metadata->erase("managedFields");
  return object;
}

}  // namespace reconciler
