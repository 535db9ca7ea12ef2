#include "manifest/rollout_fields.h"

#include "manifest/labels.h"
#include "manifest/routing_fields.h"

namespace reconciler {
namespace {

struct Names {
  std::vector<std::string_view> read;     ///< carried out, or without effect
  std::vector<std::string_view> not_yet;  ///< known, and refused when used
};

const Names kTop = {{"apiVersion", "kind", "metadata", "spec", "status"}, {}};
const Names kMetadata = {{"name", "namespace", "labels", "annotations", "generateName", "finalizers", "ownerReferences",
                          "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
                          "managedFields", "resourceVersion", "selfLink", "uid"},
                         {}};
const Names kSpec = {
    {"replicas", "selector", "template", "minReadySeconds", "revisionHistoryLimit", "paused", "progressDeadlineSeconds",
     "progressDeadlineAbort", "rollbackWindow", "analysis", "strategy", "restartAt", "workloadRef"},
    {}};
const Names kWorkloadRef = {{"apiVersion", "kind", "name", "scaleDown"}, {}};
const Names kRollbackWindow = {{"revisions"}, {}};
const Names kHistory = {{"successfulRunHistoryLimit", "unsuccessfulRunHistoryLimit"}, {}};
const Names kStrategy = {{"canary", "blueGreen"}, {}};
const Names kBlueGreen = {
    {"activeService", "previewService", "previewReplicaCount", "autoPromotionEnabled", "autoPromotionSeconds",
     "maxUnavailable", "scaleDownDelaySeconds", "scaleDownDelayRevisionLimit", "abortScaleDownDelaySeconds",
     "antiAffinity", "previewMetadata", "activeMetadata"},
    {"prePromotionAnalysis", "postPromotionAnalysis"}};
const Names kCanary = {{"canaryService", "stableService", "maxSurge", "maxUnavailable", "steps",
                        "scaleDownDelaySeconds", "abortScaleDownDelaySeconds", "trafficRouting", "dynamicStableScale",
                        "scaleDownDelayRevisionLimit", "minPodsPerReplicaSet", "replicaProgressThreshold",
                        "antiAffinity", "canaryMetadata", "stableMetadata", "pingPong"},
                       {"analysis"}};
const Names kStep = {
    {"setWeight", "pause", "setCanaryScale", "setHeaderRoute", "setMirrorRoute", "experiment", "plugin"}, {"analysis"}};
const Names kCanaryScale = {{"replicas", "weight", "matchTrafficWeight"}, {}};
const Names kPodMetadata = {{"labels", "annotations"}, {}};
const Names kAntiAffinity = {
    {"requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"}, {}};
const Names kPreference = {{"weight"}, {}};
const Names kNothing = {{}, {}};
const Names kThreshold = {{"type", "value"}, {}};
const Names kPause = {{"duration"}, {}};
/// Refuses what `names` does not have or does not allow yet; false when `field` is absent or no map.
bool check(const Field& field, const Names& names) {
  if (!field.is_map()) return false;
  std::vector<std::string_view> known = names.read;
  known.insert(known.end(), names.not_yet.begin(), names.not_yet.end());
  field.refuse_unknown(known);
  for (std::string_view name : names.not_yet)
    if (Field member = field[name]; member.present()) member.problem("is not supported yet");
  return true;
}

void check_steps(const Field& steps) {
  for (const Field& step : steps.items()) {
    if (!check(step, kStep)) continue;
    check(step["pause"], kPause);
    check(step["setCanaryScale"], kCanaryScale);
    if (step["plugin"].present()) step["plugin"].problem("is not supported: Serin runs no plugins");
    size_t kinds = 0;
    for (const Json& kind : step.json()) kinds += !kind.is_null();
    if (kinds == 0) step.problem("a step must have a type, such as setWeight or pause");
    if (kinds > 1) step.problem("a step must have exactly one type");
  }
}

void check_anti_affinity(const Field& rule) {
  if (!check(rule, kAntiAffinity)) return;
  check(rule["preferredDuringSchedulingIgnoredDuringExecution"], kPreference);
  check(rule["requiredDuringSchedulingIgnoredDuringExecution"], kNothing);
}

void check_blue_green(const Field& blue_green) {
  if (!check(blue_green, kBlueGreen)) return;
  check(blue_green["previewMetadata"], kPodMetadata);
  check(blue_green["activeMetadata"], kPodMetadata);
  check_anti_affinity(blue_green["antiAffinity"]);
}

void check_canary(const Field& canary) {
  if (!check(canary, kCanary)) return;
  check_steps(canary["steps"]);
  check(canary["replicaProgressThreshold"], kThreshold);
  check(canary["canaryMetadata"], kPodMetadata);
  check(canary["stableMetadata"], kPodMetadata);
  check_anti_affinity(canary["antiAffinity"]);
  Field routing = canary["trafficRouting"];
  check_routing_fields(routing);
}

}  // namespace

void check_object_fields(const Field& manifest) {
  check(manifest, kTop);
  check(manifest["metadata"], kMetadata);
  check_labels(manifest["metadata"]["labels"]);
  check_annotations(manifest["metadata"]["annotations"]);
}

void check_rollout_fields(const Field& manifest) {
  check_object_fields(manifest);
  Field spec = manifest["spec"];
  if (!check(spec, kSpec)) return;
  check(spec["workloadRef"], kWorkloadRef);
  check(spec["rollbackWindow"], kRollbackWindow);
  if (check(spec["analysis"], kHistory))
    for (std::string_view limit : kHistory.read) spec["analysis"][limit].integer(0, INT32_MAX);
  if (!check(spec["strategy"], kStrategy)) return;
  check_canary(spec["strategy"]["canary"]);
  check_blue_green(spec["strategy"]["blueGreen"]);
}

}  // namespace reconciler
