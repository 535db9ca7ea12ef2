#include "cluster/action_source.h"

#include "base/format.h"
#include "cluster/writes.h"

namespace reconciler {
namespace {

Json reference(const char* api_version, const char* kind, const std::string& ns, const std::string& name) {
  return {{"apiVersion", api_version}, {"kind", kind}, {"metadata", {{"namespace", ns}, {"name", name}}}};
}

}  // namespace

Result<Json> source_of(Cluster& cluster, const RolloutKey& rollout, const Action& action) {
  const auto* pods = std::get_if<CreateExperimentPods>(&action);
  const auto* service = std::get_if<CreateExperimentService>(&action);
  const bool has_own_template = pods && !pods->pods.pod_template.empty();
  if ((!pods && !service) || has_own_template) return Json();
  const std::string& name = pods ? pods->from : service->replica_set;
  auto live = cluster.read(reference("apps/v1", "ReplicaSet", rollout.ns, name), ReadMode::Fresh);
  if (!live) return live.error();
  if (!*live) return conflict(format("ReplicaSet {}/{} is not there any more", rollout.ns, name));
  return **std::move(live);
}

Result<void> accept_existing_experiment(Cluster& cluster, const RolloutKey& rollout, const Action& action) {
  const WriteTarget target = target_of(rollout, action);
  auto live =
      cluster.read(reference(target.api_version.c_str(), target.kind.c_str(), target.ns, target.name), ReadMode::Fresh);
  if (!live) return live.error();
  const std::string what = format("{} {}/{}", target.kind, target.ns, target.name);
  if (!*live) return conflict(what + " came and went");
  const bool is_ours = text_at(**live, {"metadata", "labels", kRolloutLabel}) == rollout.name &&
                       !text_at(**live, {"metadata", "labels", kExperimentLabel}).empty();
  if (is_ours) return {};
  return invalid(what + " exists and is not of this experiment; give the template another name");
}

}  // namespace reconciler
