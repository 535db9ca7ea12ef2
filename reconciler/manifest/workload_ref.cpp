#include "manifest/workload_ref.h"

#include <optional>

#include "base/format.h"
#include "manifest/names.h"
#include "manifest/pod_template_check.h"
#include "rollout/pod_template_hash.h"

namespace reconciler {
namespace {

std::string required_text(const Field& map, std::string_view name) {
  std::string text = map[name].text().value_or("");
  if (text.empty()) map.problem(format("{} is required", name));
  return text;
}

std::optional<WorkloadRef::ScaleDown> parse_scale_down(std::string_view text) {
  if (text.empty() || text == "never") return WorkloadRef::ScaleDown::Never;
  if (text == "onsuccess") return WorkloadRef::ScaleDown::OnSuccess;
  if (text == "progressively") return WorkloadRef::ScaleDown::Progressively;
  return std::nullopt;
}

bool is_supported(const WorkloadRef& ref) {
  const std::string group = group_of(ref.api_version);
  if (group == "apps") return ref.kind == "Deployment" || ref.kind == "ReplicaSet";
  return group.empty() && ref.kind == "PodTemplate";
}

Json part_of(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* found = find(object, path);
  return found ? *found : Json();
}

}  // namespace

WorkloadRef read_workload_ref(const Field& ref) {
  if (!ref.is_map()) return {};
  WorkloadRef out{required_text(ref, "apiVersion"), required_text(ref, "kind"), required_text(ref, "name")};
  if (!out.name.empty())
    if (auto trouble = name_trouble("", out.name)) ref["name"].problem(*trouble);
  if (!out.api_version.empty() && !out.kind.empty() && !is_supported(out))
    ref.problem(format("must name a Deployment or ReplicaSet of apps/v1, or a PodTemplate of v1, not {} of {}",
                       out.kind, out.api_version));
  auto scale_down = parse_scale_down(ref["scaleDown"].text().value_or(""));
  if (!scale_down) ref["scaleDown"].problem("must be never, onsuccess or progressively");
  out.scale_down = scale_down.value_or(WorkloadRef::ScaleDown::Never);
  return out;
}

void read_pod_template(const Field& pod_template, const Field& selector, Rollout& rollout) {
  check_pod_template(pod_template, selector);
  rollout.selector = dump(selector.json());
  rollout.pod_template = dump(pod_template.json());
  if (auto hash = pod_template_hash(pod_template.json(), std::nullopt)) rollout.hash = *hash;
  if (auto hash = older_pod_template_hash(pod_template.json(), std::nullopt)) rollout.older_hash = *hash;
  if (const Json* labels = find(pod_template.json(), {"metadata", "labels"}); labels && labels->is_object())
    for (const auto& [label, value] : labels->items())
      if (value.is_string()) rollout.pod_labels[label] = value.get<std::string>();
  const Json* containers = find(pod_template.json(), {"spec", "containers"});
  if (!containers || !containers->is_array()) return;
  for (const Json& container : *containers)
    rollout.images.push_back({text_at(container, {"name"}), text_at(container, {"image"})});
}

ObjectKey workload_key(const Rollout& rollout) {
  const WorkloadRef& ref = *rollout.workload_ref;
  return {group_of(ref.api_version), ref.kind, rollout.key.ns, ref.name};
}

Json workload_identity(const Rollout& rollout) {
  const WorkloadRef& ref = *rollout.workload_ref;
  return {{"apiVersion", ref.api_version},
          {"kind", ref.kind},
          {"metadata", {{"name", ref.name}, {"namespace", rollout.key.ns}}}};
}

Result<Rollout> with_workload(Rollout rollout, const Json& workload) {
  // A PodTemplate has no selector: the labels of its pods are one.
  const bool bare = rollout.workload_ref->kind == "PodTemplate";
  const Json pod_template = bare ? part_of(workload, {"template"}) : part_of(workload, {"spec", "template"});
  Json selector = bare ? Json{{"matchLabels", part_of(pod_template, {"metadata", "labels"})}}
                       : part_of(workload, {"spec", "selector"});
  if (auto own = parse_json(rollout.selector); own && own->is_object()) selector = std::move(*own);
  const std::string name = workload_key(rollout).text();
  const Places nowhere;
  Findings findings{name, nowhere, {}, {}};
  read_pod_template(Field(pod_template, findings), Field(selector, findings), rollout);
  if (!findings.problems.empty())
    return invalid(format("spec.workloadRef: the template of {}: {}", name, findings.problems.front().message));
  return rollout;
}

}  // namespace reconciler
