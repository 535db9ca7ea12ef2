// The ReplicaSet controller: as many pods as asked for, and a status that counts them.
#include <algorithm>

#include "sim/controllers.h"
#include "sim/selector.h"

namespace reconciler {
namespace {

struct Pod {
  ObjectRef ref;
  Object object;
  bool ready = false;
  TimePoint ready_since = {};
};

bool is_ready(const Json& pod, TimePoint* since) {
  const Json* conditions = find(pod, {"status", "conditions"});
  if (!conditions || !conditions->is_array()) return false;
  for (const Json& each : *conditions) {
    if (text_at(each, {"type"}) != "Ready" || text_at(each, {"status"}) != "True") continue;
    *since = parse_time(text_at(each, {"lastTransitionTime"})).value_or(TimePoint());
    return true;
  }
  return false;
}

bool is_active(const Json& pod) {
  std::string phase = text_at(pod, {"status", "phase"});
  return phase != "Succeeded" && phase != "Failed" && !find(pod, {"metadata", "deletionTimestamp"});
}

std::vector<Pod> pods_of(ControllerContext& context, const Json& set) {
  std::vector<Pod> pods;
  std::string uid = text_at(set, {"metadata", "uid"});
  LabelSelector selector;
  if (const Json* asked = find(set, {"spec", "selector"})) selector = label_selector_of(*asked);
  for (const ObjectRef& ref : context.records.store().dependents(uid)) {
    if (ref.type != context.pods) continue;
    Object object = context.records.store().get(ref);
    if (!is_active(*object)) continue;
    // Of a pod whose labels no longer fit, Kubernetes lets go.
    if (!matches_object(selector, *object)) {
      Json freed = *object;
      freed["metadata"].erase("ownerReferences");
      context.records.replace(ref, std::move(freed));
      continue;
    }
    Pod pod{ref, object};
    pod.ready = is_ready(*object, &pod.ready_since);
    pods.push_back(std::move(pod));
  }
  return pods;
}

Json owner_reference(const ResourceType& type, const Json& owner) {
  return {{"apiVersion", type.stored_api_version()}, {"kind", type.kind},  {"name", owner["metadata"]["name"]},
          {"uid", owner["metadata"]["uid"]},         {"controller", true}, {"blockOwnerDeletion", true}};
}

void adopt_loose_pods(ControllerContext& context, const ObjectRef& ref, const Json& set) {
  if (context.loose_pods.empty()) return;
  LabelSelector selector = label_selector_of(set["spec"]["selector"]);
  std::vector<ObjectRef> found;
  for (auto at = context.loose_pods.lower_bound({context.pods, ref.ns, ""});
       at != context.loose_pods.end() && at->ns == ref.ns; ++at)
    if (Object pod = context.records.store().get(*at); pod && is_active(*pod) && matches_object(selector, *pod))
      found.push_back(*at);
  for (const ObjectRef& pod : found) {
    Json adopted = *context.records.store().get(pod);
    if (!adopted["metadata"].contains("ownerReferences")) adopted["metadata"]["ownerReferences"] = Json::array();
    adopted["metadata"]["ownerReferences"].push_back(owner_reference(*ref.type, set));
    context.records.replace(pod, std::move(adopted));
  }
}

void create_pod(ControllerContext& context, const ObjectRef& ref, const Json& set) {
  const Json& pod_template = set["spec"]["template"];
  std::string prefix = ref.name + "-";
  Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", pod_template.value("metadata", Json::object())}};
  pod["metadata"].erase("creationTimestamp");
  pod["metadata"]["generateName"] = prefix;
  pod["metadata"]["ownerReferences"] = Json::array({owner_reference(*ref.type, set)});
  pod["spec"] = pod_template.value("spec", Json::object());
  pod["status"] = {{"phase", "Pending"}, {"qosClass", "BestEffort"}};
  std::string name = prefix + context.records.new_suffix();
  while (context.records.store().get({context.pods, ref.ns, name})) name = prefix + context.records.new_suffix();
  context.records.create({context.pods, ref.ns, name}, std::move(pod));
}

/// Pods that serve least go first: not ready before ready, then the newest.
void delete_pods(ControllerContext& context, std::vector<Pod> pods, size_t count) {
  std::stable_sort(pods.begin(), pods.end(), [](const Pod& a, const Pod& b) {
    if (a.ready != b.ready) return !a.ready;
    if (a.ready && a.ready_since != b.ready_since) return a.ready_since > b.ready_since;
    return text_at(*a.object, {"metadata", "creationTimestamp"}) >
           text_at(*b.object, {"metadata", "creationTimestamp"});
  });
  for (size_t i = 0; i < count && i < pods.size(); ++i) context.records.remove(pods[i].ref, Propagation::Background);
}

Json status_of(ControllerContext& context, const ObjectRef& ref, const Json& set, const std::vector<Pod>& pods) {
  Duration min_ready = std::chrono::seconds(integer_at(set, {"spec", "minReadySeconds"}).value_or(0));
  LabelSelector labels;
  if (const Json* map = find(set, {"spec", "template", "metadata", "labels"})) labels = label_selector_of_map(*map);
  int64_t labelled = 0, ready = 0, available = 0;
  for (const Pod& pod : pods) {
    labelled += matches_object(labels, *pod.object);
    ready += pod.ready;
    if (!pod.ready) continue;
    if (min_ready == 0ms || pod.ready_since + min_ready <= context.records.now())
      ++available;
    else
      context.look_again(ref, pod.ready_since + min_ready);
  }
  Json status = {{"replicas", pods.size()},
                 {"observedGeneration", integer_at(set, {"metadata", "generation"}).value_or(0)}};
  if (labelled) status["fullyLabeledReplicas"] = labelled;
  if (ready) status["readyReplicas"] = ready;
  if (available) status["availableReplicas"] = available;
  return status;
}

}  // namespace

void sync_replica_set(ControllerContext& context, const ObjectRef& ref) {
  Object set = context.records.store().get(ref);
  bool leaving = find(*set, {"metadata", "deletionTimestamp"});
  if (!leaving) adopt_loose_pods(context, ref, *set);
  std::vector<Pod> pods = pods_of(context, *set);
  size_t wanted = size_t(std::max<int64_t>(0, integer_at(*set, {"spec", "replicas"}).value_or(1)));
  if (!leaving && pods.size() != wanted) {
    for (size_t i = pods.size(); i < wanted; ++i) create_pod(context, ref, *set);
    if (pods.size() > wanted) delete_pods(context, pods, pods.size() - wanted);
    pods = pods_of(context, *set);
  }
  context.records.set_status(ref, status_of(context, ref, *set, pods));
}

}  // namespace reconciler
