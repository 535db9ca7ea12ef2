// The Deployment controller: one ReplicaSet per pod template, rolled within maxSurge and maxUnavailable.
#include <algorithm>
#include <cmath>

#include "sim/controllers.h"

namespace reconciler {
namespace {

constexpr std::string_view kHashLabel = "pod-template-hash";
constexpr std::string_view kRevision = "deployment.kubernetes.io/revision";

struct Set {
  ObjectRef ref;
  Object object = {};
  int64_t replicas = 0;  ///< asked for
  int64_t available = 0;
};

int64_t status_number(const Json& object, std::string_view name) {
  return integer_at(object, {"status", name}).value_or(0);
}

std::string template_hash(const Json& pod_template) {
  uint32_t hash = 2166136261u;
  for (unsigned char c : dump(pod_template)) hash = (hash ^ c) * 16777619u;
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";
  std::string text;
  for (char digit : std::to_string(hash)) text += kLetters[size_t(digit) % kLetters.size()];
  return text;
}

Json without_hash(Json pod_template) {
  if (find(pod_template, {"metadata", "labels"})) pod_template["metadata"]["labels"].erase(std::string(kHashLabel));
  return pod_template;
}

std::vector<Set> sets_of(ControllerContext& context, const Json& deployment) {
  std::vector<Set> sets;
  for (const ObjectRef& ref : context.records.store().dependents(text_at(deployment, {"metadata", "uid"}))) {
    if (ref.type != context.replica_sets) continue;
    Object object = context.records.store().get(ref);
    if (find(*object, {"metadata", "deletionTimestamp"})) continue;
    int64_t replicas = integer_at(*object, {"spec", "replicas"}).value_or(1);
    // The status may still count pods that are already asked to go.
    sets.push_back({ref, object, replicas, std::min(replicas, status_number(*object, "availableReplicas"))});
  }
  std::stable_sort(sets.begin(), sets.end(), [](const Set& a, const Set& b) {
    return text_at(*a.object, {"metadata", "creationTimestamp"}) <
           text_at(*b.object, {"metadata", "creationTimestamp"});
  });
  return sets;
}

int64_t revision_of(const Json& object) {
  std::string text = text_at(object, {"metadata", "annotations", kRevision}, "0");
  return std::strtoll(text.c_str(), nullptr, 10);
}

/// `25%` of `total`, or a number.
int64_t share_of(const Json* value, int64_t total, double otherwise, bool up) {
  if (value && value->is_number_integer()) return value->get<int64_t>();
  double share = otherwise;
  if (value && value->is_string()) share = std::strtod(value->get_ref<const std::string&>().c_str(), nullptr) / 100;
  double exact = share * double(total);
  return int64_t(up ? std::ceil(exact - 1e-9) : std::floor(exact + 1e-9));
}

Object create_set(ControllerContext& context, const ObjectRef& ref, const Json& deployment, int64_t revision) {
  Json pod_template = deployment["spec"]["template"];
  std::string hash = template_hash(pod_template);
  while (context.records.store().get({context.replica_sets, ref.ns, ref.name + "-" + hash})) hash += "2";
  pod_template["metadata"]["labels"][std::string(kHashLabel)] = hash;
  Json selector = deployment["spec"]["selector"];
  selector["matchLabels"][std::string(kHashLabel)] = hash;
  Json set = {{"apiVersion", "apps/v1"}, {"kind", "ReplicaSet"}};
  set["metadata"] = {{"labels", pod_template["metadata"]["labels"]},
                     {"annotations", {{std::string(kRevision), std::to_string(revision)}}},
                     {"ownerReferences", Json::array({{{"apiVersion", "apps/v1"},
                                                       {"kind", "Deployment"},
                                                       {"name", ref.name},
                                                       {"uid", deployment["metadata"]["uid"]},
                                                       {"controller", true},
                                                       {"blockOwnerDeletion", true}}})}};
  set["spec"] = {{"replicas", 0}, {"selector", selector}, {"template", pod_template}};
  if (auto seconds = integer_at(deployment, {"spec", "minReadySeconds"})) set["spec"]["minReadySeconds"] = *seconds;
  set["status"] = {{"replicas", 0}};
  return context.records.create({context.replica_sets, ref.ns, ref.name + "-" + hash}, std::move(set));
}

void scale(ControllerContext& context, Set& set, int64_t replicas) {
  if (set.replicas == replicas) return;
  Json next = *set.object;
  next["spec"]["replicas"] = replicas;
  set.object = context.records.replace(set.ref, std::move(next));
  set.replicas = replicas;
  set.available = std::min(set.available, replicas);
}

/// One step of a roll: as many new pods as the surge allows, as few old ones as availability allows.
void roll(ControllerContext& context, const Json& deployment, Set& current, std::vector<Set*>& old) {
  int64_t wanted = integer_at(deployment, {"spec", "replicas"}).value_or(1);
  const Json* rolling = find(deployment, {"spec", "strategy", "rollingUpdate"});
  bool recreate = text_at(deployment, {"spec", "strategy", "type"}) == "Recreate";
  int64_t surge = share_of(rolling ? find(*rolling, {"maxSurge"}) : nullptr, wanted, 0.25, true);
  int64_t unavailable = share_of(rolling ? find(*rolling, {"maxUnavailable"}) : nullptr, wanted, 0.25, false);
  if (surge == 0 && unavailable == 0) unavailable = 1;

  int64_t old_asked = 0, old_pods = 0, available = current.available;
  for (Set* set : old) {
    old_asked += set->replicas;
    old_pods += status_number(*set->object, "replicas");
    available += set->available;
  }
  if (recreate) {
    for (Set* set : old) scale(context, *set, 0);
    if (old_pods == 0) scale(context, current, wanted);
    return;
  }
  int64_t room = wanted + surge - old_asked - current.replicas;
  if (current.replicas > wanted || room > 0)
    scale(context, current, std::min(wanted, current.replicas + std::max<int64_t>(room, 0)));

  int64_t spare = available - (wanted - unavailable);
  for (Set* set : old) {
    // Pods that serve nobody go at once.
    int64_t idle = std::max<int64_t>(0, set->replicas - set->available);
    int64_t target = set->replicas - idle;
    int64_t less = std::clamp<int64_t>(spare, 0, target);
    spare -= less;
    scale(context, *set, target - less);
  }
}

Json condition(const Json& deployment, std::string_view type, bool holds, const Json& why, const std::string& now) {
  std::string status = holds ? "True" : "False";
  Json made = {{"type", type},      {"status", status},      {"reason", why[0]},
               {"message", why[1]}, {"lastUpdateTime", now}, {"lastTransitionTime", now}};
  const Json* conditions = find(deployment, {"status", "conditions"});
  if (!conditions || !conditions->is_array()) return made;
  for (const Json& each : *conditions) {
    if (text_at(each, {"type"}) != type) continue;
    if (text_at(each, {"status"}) == status) made["lastTransitionTime"] = each["lastTransitionTime"];
    if (text_at(each, {"status"}) == status && each["reason"] == why[0] && each["message"] == why[1]) return each;
  }
  return made;
}

/// When pods came or went last: now, when the counts differ from those of the old status.
TimePoint progressed_at(const Json& deployment, const Json& status, TimePoint now) {
  for (std::string_view count : {"replicas", "updatedReplicas", "readyReplicas", "availableReplicas"})
    if (integer_at(status, {count}) != integer_at(deployment, {"status", count})) return now;
  if (integer_at(status, {"observedGeneration"}) != integer_at(deployment, {"status", "observedGeneration"}))
    return now;
  const Json* conditions = find(deployment, {"status", "conditions"});
  if (conditions && conditions->is_array())
    for (const Json& each : *conditions)
      if (text_at(each, {"type"}) == "Progressing") return parse_time(text_at(each, {"lastUpdateTime"})).value_or(now);
  return now;
}

/// The condition that says how a roll that is not complete goes on; it is looked at again at its deadline.
Json progressing(ControllerContext& context, const ObjectRef& ref, const Json& deployment, const Json& status,
                 const std::string& set_name) {
  const TimePoint now = context.records.now();
  const TimePoint since = progressed_at(deployment, status, now);
  const auto deadline =
      since + std::chrono::seconds(integer_at(deployment, {"spec", "progressDeadlineSeconds"}).value_or(600));
  const bool paused = flag_at(deployment, {"spec", "paused"});
  const bool late = now >= deadline && !paused;
  if (!late && !paused) context.look_again(ref, deadline);
  const Json why = late ? Json{"ProgressDeadlineExceeded", set_name + " has timed out progressing."}
                        : Json{"ReplicaSetUpdated", set_name + " is progressing."};
  Json made = condition(deployment, "Progressing", !late, why, format_time(now));
  made["lastUpdateTime"] = format_time(since);
  return made;
}

Json status_of(ControllerContext& context, const ObjectRef& ref, const Json& deployment, const Set& current,
               const std::vector<Set>& sets) {
  int64_t wanted = integer_at(deployment, {"spec", "replicas"}).value_or(1);
  int64_t replicas = 0, ready = 0, available = 0;
  Object now_current;
  for (const Set& set : sets) {
    Object object = context.records.store().get(set.ref);
    if (!object) continue;
    if (set.ref == current.ref) now_current = object;
    replicas += status_number(*object, "replicas");
    ready += status_number(*object, "readyReplicas");
    available += status_number(*object, "availableReplicas");
  }
  int64_t updated = now_current ? status_number(*now_current, "replicas") : 0;
  Json status = {{"observedGeneration", integer_at(deployment, {"metadata", "generation"}).value_or(0)}};
  if (replicas) status["replicas"] = replicas;
  if (updated) status["updatedReplicas"] = updated;
  if (ready) status["readyReplicas"] = ready;
  if (available) status["availableReplicas"] = available;
  if (int64_t missing = std::max(wanted, replicas) - available; missing > 0) status["unavailableReplicas"] = missing;

  const Json* rolling = find(deployment, {"spec", "strategy", "rollingUpdate"});
  int64_t unavailable = share_of(rolling ? find(*rolling, {"maxUnavailable"}) : nullptr, wanted, 0.25, false);
  bool enough = available >= wanted - unavailable;
  bool complete = updated == wanted && replicas == wanted && available == wanted;
  std::string now = format_time(context.records.now());
  Json available_why = enough ? Json{"MinimumReplicasAvailable", "Deployment has minimum availability."}
                              : Json{"MinimumReplicasUnavailable", "Deployment does not have minimum availability."};
  std::string set_name = "ReplicaSet \"" + current.ref.name + "\"";
  const Json progressed = {"NewReplicaSetAvailable", set_name + " has successfully progressed."};
  Json available_now = condition(deployment, "Available", enough, available_why, now);
  Json progress = complete ? condition(deployment, "Progressing", true, progressed, now)
                           : progressing(context, ref, deployment, status, set_name);
  status["conditions"] = {std::move(available_now), std::move(progress)};
  return status;
}

void forget_old_sets(ControllerContext& context, const Json& deployment, std::vector<Set*> old) {
  int64_t limit = integer_at(deployment, {"spec", "revisionHistoryLimit"}).value_or(10);
  std::erase_if(old, [](Set* set) { return set->replicas > 0 || status_number(*set->object, "replicas") > 0; });
  std::stable_sort(old.begin(), old.end(),
                   [](Set* a, Set* b) { return revision_of(*a->object) < revision_of(*b->object); });
  for (size_t i = 0; i + size_t(limit) < old.size(); ++i) context.records.remove(old[i]->ref, Propagation::Background);
}

}  // namespace

void sync_deployment(ControllerContext& context, const ObjectRef& ref) {
  Object deployment = context.records.store().get(ref);
  if (find(*deployment, {"metadata", "deletionTimestamp"})) return;
  std::vector<Set> sets = sets_of(context, *deployment);
  const Json& asked = (*deployment)["spec"]["template"];
  int64_t newest = 0;
  for (const Set& set : sets) newest = std::max(newest, revision_of(*set.object));
  auto current = std::find_if(sets.begin(), sets.end(),
                              [&](const Set& set) { return without_hash((*set.object)["spec"]["template"]) == asked; });
  if (current == sets.end()) {
    if (flag_at(*deployment, {"spec", "paused"})) return;
    Object created = create_set(context, ref, *deployment, newest + 1);
    sets.push_back({{context.replica_sets, ref.ns, text_at(*created, {"metadata", "name"})}, created});
    current = sets.end() - 1;
  } else if (revision_of(*current->object) < newest) {
    Json next = *current->object;
    next["metadata"]["annotations"][std::string(kRevision)] = std::to_string(newest + 1);
    current->object = context.records.replace(current->ref, std::move(next));
  }
  std::vector<Set*> old;
  for (Set& set : sets)
    if (&set != &*current) old.push_back(&set);
  if (!flag_at(*deployment, {"spec", "paused"})) roll(context, *deployment, *current, old);
  forget_old_sets(context, *deployment, old);

  Json next = *deployment;
  next["metadata"]["annotations"][std::string(kRevision)] = std::to_string(revision_of(*current->object));
  next["status"] = status_of(context, ref, *deployment, *current, sets);
  context.records.replace(ref, std::move(next));
}

}  // namespace reconciler
