#include "cluster/writes.h"

#include <utility>

#include "base/format.h"
#include "rollout/anti_affinity.h"
#include "rollout/ephemeral_metadata.h"

namespace reconciler {

namespace {

/// A key as one step of a JSON pointer.
std::string pointer_step(std::string_view key) {
  std::string step;
  for (char c : key) {
    if (c == '~')
      step += "~0";
    else if (c == '/')
      step += "~1";
    else
      step += c;
  }
  return "/" + step;
}

Json operation(std::string_view name, std::string path, Json value) {
  return Json{{"op", name}, {"path", std::move(path)}, {"value", std::move(value)}};
}

Json resource_version_test(const Json& object) {
  std::string version = text_at(object, {"metadata", "resourceVersion"});
  return version.empty() ? Json() : operation("test", "/metadata/resourceVersion", version);
}

/// Adds `key` to the map at `path`, which may be absent. `replaced` is tested where the key is there.
void add_to_map(Json& patch, const Json* map, const std::string& path, std::string_view key, std::string_view value) {
  if (map == nullptr || !map->is_object()) {
    patch.push_back(operation("add", path, Json{{std::string(key), std::string(value)}}));
    return;
  }
  auto present = map->find(std::string(key));
  std::string member = path + pointer_step(key);
  if (present != map->end()) patch.push_back(operation("test", member, *present));
  patch.push_back(operation("add", member, std::string(value)));
}

Json merge_patch_of_replica_set(Json annotations, Json labels, std::optional<int> replicas) {
  Json patch = Json::object();
  if (!annotations.empty()) patch["metadata"]["annotations"] = std::move(annotations);
  if (!labels.empty()) patch["metadata"]["labels"] = std::move(labels);
  if (replicas) patch["spec"]["replicas"] = *replicas;
  return patch;
}

Json scale_patch(const ScaleReplicaSet& action) {
  Json annotations{{std::string(kDesiredReplicasAnnotation), std::to_string(action.desired)},
                   {std::string(kScaleDownDeadlineAnnotation), nullptr}};
  return merge_patch_of_replica_set(std::move(annotations), Json::object(), action.replicas);
}

Json deadline_patch(const SetScaleDownDeadline& action) {
  Json value = action.deadline ? Json(format_time(*action.deadline)) : Json(nullptr);
  return merge_patch_of_replica_set({{std::string(kScaleDownDeadlineAnnotation), value}}, Json::object(), std::nullopt);
}

Json rejection_patch(const MarkReplicaSet& action) {
  Json value = action.hash.empty() ? Json(nullptr) : Json(action.hash);
  return merge_patch_of_replica_set({{std::string(kRejectedAnnotation), value}}, Json::object(), std::nullopt);
}

/// The annotation stands on the ReplicaSet too, where other controllers look for it.
Json template_metadata_patch(const SetTemplateMetadata& action) {
  Json value = action.after.empty() ? Json(nullptr) : Json(action.after);
  Json patch =
      merge_patch_of_replica_set({{std::string(kEphemeralMetadataAnnotation), value}}, Json::object(), std::nullopt);
  patch["spec"]["template"]["metadata"] = metadata_change(action.before, action.after);
  return patch;
}

Json adoption_patch(const RolloutKey& rollout, const AdoptReplicaSet& action, std::string_view owner) {
  Json labels{{std::string(kOwnerLabel), std::string(owner)}, {std::string(kRolloutLabel), rollout.name}};
  Json patch = merge_patch_of_replica_set(Json::object(), std::move(labels), std::nullopt);
  patch["metadata"]["ownerReferences"] = action.owner.is_null() ? Json(nullptr) : Json::array({action.owner});
  return patch;
}

Json new_replica_set(const RolloutKey& rollout, const CreateReplicaSet& action, std::string_view owner) {
  Json object = with_owner(action.object, owner);
  object["metadata"]["labels"][std::string(kRolloutLabel)] = rollout.name;
  return object;
}

Json new_experiment_set(const RolloutKey& rollout, const CreateExperimentPods& action, std::string_view owner,
                        const Json& source) {
  Json object = with_owner(experiment_replica_set(rollout, action.pods, source), owner);
  if (!action.owner.is_null()) object["metadata"]["ownerReferences"] = Json::array({action.owner});
  return object;
}

Json delete_options(const std::string& uid) {
  Json options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
  if (!uid.empty()) options["preconditions"]["uid"] = uid;
  return options;
}

/// A selector member that is absent cannot be tested by itself, so there the object's version is tested instead.
Result<Json> selection_patch(const RolloutKey& rollout, const SelectRevision& action, const Json& live) {
  std::string name = "Service " + rollout.ns + "/" + action.service;
  if (!live.is_object()) return conflict(name + " is not there any more");
  const Json* selector = find(live, {"spec", "selector"});
  std::string now = text_at(live, {"spec", "selector", kHashLabel});
  if (now != action.from)
    return conflict(name + " selects " + (now.empty() ? "no revision" : now) + ", expected " +
                    (action.from.empty() ? "none" : action.from));
  const Json* annotations = find(live, {"metadata", "annotations"});
  Json patch = Json::array();
  bool absent = action.from.empty() || annotations == nullptr;
  if (Json test = resource_version_test(live); absent && !test.is_null()) patch.push_back(test);
  add_to_map(patch, selector, "/spec/selector", kHashLabel, action.hash);
  if (annotations == nullptr || text_at(*annotations, {kManagedByAnnotation}) != rollout.name)
    add_to_map(patch, annotations, "/metadata/annotations", kManagedByAnnotation, rollout.name);
  return patch;
}

/// Tests the hash that it takes away; the annotation goes only when it names this rollout.
Result<Json> release_patch(const RolloutKey& rollout, const ReleaseService& action, const Json& live) {
  const std::string now = text_at(live, {"spec", "selector", kHashLabel});
  if (now != action.from) return conflict(format("Service {}/{} selects {} now", rollout.ns, action.service, now));
  Json patch = Json::array();
  auto remove = [&](const std::string& path, const std::string& value) {
    patch.push_back(operation("test", path, value));
    patch.push_back({{"op", "remove"}, {"path", path}});
  };
  if (!now.empty()) remove("/spec/selector" + pointer_step(kHashLabel), now);
  if (text_at(live, {"metadata", "annotations", kManagedByAnnotation}) == rollout.name)
    remove("/metadata/annotations" + pointer_step(kManagedByAnnotation), rollout.name);
  return patch;
}

/// What a router makes carries our label, also where another controller made it first.
Json with_maker(const RewriteRoutes& action, std::string_view owner) {
  const bool is_made = !text_at(action.after, {"metadata", "labels", kRolloutLabel}).empty();
  return is_made ? with_owner(action.after, owner) : action.after;
}

Json route_patch(const RewriteRoutes& action, std::string_view owner) {
  Json patch = Json::array();
  if (Json test = resource_version_test(action.before); !test.is_null()) patch.push_back(test);
  for (Json& step : tested_difference(action.before, with_maker(action, owner))) patch.push_back(std::move(step));
  return patch;
}

}  // namespace

WriteTarget target_of(const RolloutKey& rollout, const Action& action) {
  if (const auto* select = std::get_if<SelectRevision>(&action))
    return {.api_version = "v1", .kind = "Service", .ns = rollout.ns, .name = select->service};
  if (const auto* service = std::get_if<CreateExperimentService>(&action))
    return {.api_version = "v1", .kind = "Service", .ns = rollout.ns, .name = service->name};
  if (const auto* pod = std::get_if<SetPodMetadata>(&action))
    return {.api_version = "v1", .kind = "Pod", .ns = rollout.ns, .name = pod->name};
  if (const auto* scale = std::get_if<ScaleWorkload>(&action))
    return {.api_version = scale->api_version, .kind = scale->kind, .ns = rollout.ns, .name = scale->name};
  if (const auto* evict = std::get_if<EvictPods>(&action))
    return {.api_version = "v1", .kind = "Pod", .ns = rollout.ns, .name = evict->pods.front().name};
  if (const auto* release = std::get_if<ReleaseService>(&action))
    return {.api_version = "v1", .kind = "Service", .ns = rollout.ns, .name = release->service};
  if (const auto* rewrite = std::get_if<RewriteRoutes>(&action))
    return {.api_version = text_at(rewrite->after.is_null() ? rewrite->before : rewrite->after, {"apiVersion"}),
            .kind = rewrite->object.kind,
            .ns = rewrite->object.ns,
            .name = rewrite->object.name};
  struct {
    std::string operator()(const CreateReplicaSet& a) { return a.name; }
    std::string operator()(const CreateExperimentPods& a) { return a.pods.name; }
    std::string operator()(const CreateExperimentService&) { unreachable(); }
    std::string operator()(const ScaleReplicaSet& a) { return a.name; }
    std::string operator()(const AdoptReplicaSet& a) { return a.name; }
    std::string operator()(const SetScaleDownDeadline& a) { return a.name; }
    std::string operator()(const MarkReplicaSet& a) { return a.name; }
    std::string operator()(const SetTemplateMetadata& a) { return a.name; }
    std::string operator()(const RestoreAffinity& a) { return a.name; }
    std::string operator()(const ScaleWorkload&) { unreachable(); }
    std::string operator()(const SetPodMetadata&) { unreachable(); }
    std::string operator()(const EvictPods&) { unreachable(); }
    std::string operator()(const DeleteReplicaSet& a) { return a.name; }
    std::string operator()(const SelectRevision&) { unreachable(); }
    std::string operator()(const ReleaseService&) { unreachable(); }
    std::string operator()(const RewriteRoutes&) { unreachable(); }
  } name;
  return {.api_version = "apps/v1", .kind = "ReplicaSet", .ns = rollout.ns, .name = std::visit(name, action)};
}

Result<KubernetesWrite> write_for(const RolloutKey& rollout, const Action& action, std::string_view owner,
                                  const Json& live) {
  WriteTarget target = target_of(rollout, action);
  KubernetesWrite write{.verb = WriteVerb::MergePatch,
                        .api_version = target.api_version,
                        .kind = target.kind,
                        .ns = target.ns,
                        .name = target.name,
                        .body = {}};
  if (const auto* create = std::get_if<CreateReplicaSet>(&action)) {
    write.verb = WriteVerb::Create;
    write.body = new_replica_set(rollout, *create, owner);
  } else if (const auto* pods = std::get_if<CreateExperimentPods>(&action)) {
    write.verb = WriteVerb::Create;
    write.body = new_experiment_set(rollout, *pods, owner, live);
  } else if (const auto* service = std::get_if<CreateExperimentService>(&action)) {
    write.verb = WriteVerb::Create;
    write.body = with_owner(experiment_service(rollout, service->name, live), owner);
  } else if (const auto* scale = std::get_if<ScaleReplicaSet>(&action)) {
    write.body = scale_patch(*scale);
  } else if (const auto* adopt = std::get_if<AdoptReplicaSet>(&action)) {
    write.body = adoption_patch(rollout, *adopt, owner);
  } else if (const auto* deadline = std::get_if<SetScaleDownDeadline>(&action)) {
    write.body = deadline_patch(*deadline);
  } else if (const auto* mark = std::get_if<MarkReplicaSet>(&action)) {
    write.body = rejection_patch(*mark);
  } else if (const auto* given = std::get_if<SetTemplateMetadata>(&action)) {
    write.body = template_metadata_patch(*given);
  } else if (const auto* restore = std::get_if<RestoreAffinity>(&action)) {
    write.body["spec"]["template"]["spec"]["affinity"] = affinity_patch(restore->affinity);
  } else if (const auto* role = std::get_if<SetPodMetadata>(&action)) {
    write.body = {{"metadata", metadata_change(role->before, role->after)}};
  } else if (const auto* workload = std::get_if<ScaleWorkload>(&action)) {
    write.body = {{"spec", {{"replicas", workload->replicas}}}};
  } else if (const auto* gone = std::get_if<DeleteReplicaSet>(&action)) {
    write.verb = WriteVerb::Delete;
    write.body = delete_options(gone->uid);
  } else if (const auto* select = std::get_if<SelectRevision>(&action)) {
    auto patch = selection_patch(rollout, *select, live);
    if (!patch) return patch.error();
    write.verb = WriteVerb::JsonPatch;
    write.body = *std::move(patch);
  } else if (const auto* release = std::get_if<ReleaseService>(&action)) {
    auto patch = release_patch(rollout, *release, live);
    if (!patch) return patch.error();
    write.verb = WriteVerb::JsonPatch;
    write.body = *std::move(patch);
  } else if (const auto* rewrite = std::get_if<RewriteRoutes>(&action); rewrite && rewrite->after.is_null()) {
    write.verb = WriteVerb::Delete;
    write.body = delete_options(text_at(rewrite->before, {"metadata", "uid"}));
  } else if (rewrite) {
    const bool is_new = rewrite->before.is_null();
    write.verb = is_new ? WriteVerb::Create : WriteVerb::JsonPatch;
    write.body = is_new ? with_owner(rewrite->after, owner) : route_patch(*rewrite, owner);
  }
  return write;
}

Json eviction_of(const RolloutKey& rollout, const PodState& pod) {
  return {{"apiVersion", "policy/v1"},
          {"kind", "Eviction"},
          {"metadata", {{"name", pod.name}, {"namespace", rollout.ns}}},
          {"deleteOptions", {{"preconditions", {{"uid", pod.uid}}}}}};
}

KubernetesWrite deletion_of(const Json& live) {
  return {.verb = WriteVerb::Delete,
          .api_version = text_at(live, {"apiVersion"}),
          .kind = text_at(live, {"kind"}),
          .ns = text_at(live, {"metadata", "namespace"}),
          .name = text_at(live, {"metadata", "name"}),
          .body = delete_options(text_at(live, {"metadata", "uid"}))};
}

Result<Json> patched(const Json& object, const KubernetesWrite& write) {
  std::string name = write.kind + " " + write.ns + "/" + write.name;
  CHECK(write.verb == WriteVerb::MergePatch || write.verb == WriteVerb::JsonPatch);
  if (write.verb == WriteVerb::MergePatch) {
    Json result = object;
    result.merge_patch(write.body);
    return result;
  }
  try {
    return object.patch(write.body);
  } catch (const Json::exception&) { return conflict(name + " changed meanwhile"); }
}

Json tested_difference(const Json& before, const Json& after) {
  Json patch = Json::array();
  for (Json& step : Json::diff(before, after)) {
    if (text_at(step, {"op"}) != "add") {  // as a Json, GCC 12 sees a comparison out of bounds here
      std::string path = step.at("path");
      patch.push_back(operation("test", path, before.at(Json::json_pointer(path))));
    }
    patch.push_back(std::move(step));
  }
  return patch;
}

Json with_owner(Json object, std::string_view owner) {
  object["metadata"]["labels"][std::string(kOwnerLabel)] = std::string(owner);
  return object;
}

}  // namespace reconciler
