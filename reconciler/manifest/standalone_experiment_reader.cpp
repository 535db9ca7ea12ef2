#include "manifest/standalone_experiment_reader.h"

#include <set>

#include "base/format.h"
#include "manifest/duration_field.h"
#include "manifest/experiment_reader.h"
#include "manifest/names.h"
#include "manifest/pod_template_check.h"
#include "manifest/rollout_fields.h"
#include "rollout/typed_encoding.h"

namespace reconciler {
namespace {

using Template = StandaloneExperiment::Template;

constexpr int kAnyNumber = INT32_MAX;
constexpr size_t kTemplatesMax = 100;

void read_own_service(const Field& item, const RolloutKey& key, Template& out) {
  Field service = item["service"];
  out.has_service = service.present();
  out.service = read_service_name(service);
  if (!out.has_service || !out.service.empty() || out.name.empty()) return;
  if (label_trouble(format("{}-{}", key.name, out.name)))
    service.problem(format("\"{}-{}\" cannot be the name of a Service: set service.name", key.name, out.name));
}

Template read_own_template(const Field& item, const RolloutKey& key) {
  Template out;
  if (!item.is_map()) return out;
  item.refuse_unknown({"name", "replicas", "minReadySeconds", "selector", "template", "service"});
  out.name = read_template_name(item);
  out.replicas = item["replicas"].integer(0, kAnyNumber).value_or(1);
  out.min_ready_seconds = item["minReadySeconds"].integer(0, kAnyNumber).value_or(0);
  check_pod_template(item["template"], item["selector"]);
  out.selector = dump(item["selector"].json());
  out.pod_template = dump(item["template"].json());
  read_own_service(item, key, out);
  return out;
}

void note_images(const Field& pod_template, std::vector<ContainerImage>& images) {
  const Json* containers = find(pod_template.json(), {"spec", "containers"});
  if (!containers || !containers->is_array()) return;
  for (const Json& container : *containers)
    images.push_back({text_at(container, {"name"}), text_at(container, {"image"})});
}

void read_templates(const Field& spec, Rollout& rollout) {
  std::set<std::string> names, services;
  const auto items = spec["templates"].items();
  if (items.empty()) spec.problem("templates is required: at least one");
  if (items.size() > kTemplatesMax) spec["templates"].problem(format("must have at most {} entries", kTemplatesMax));
  for (const Field& item : items) {
    const Template& each = rollout.standalone->templates.emplace_back(read_own_template(item, rollout.key));
    refuse_twice(names, each.name, item["name"]);
    refuse_twice(services, each.service, item["service"]["name"]);
    note_images(item["template"], rollout.images);
    if (std::chrono::seconds(each.min_ready_seconds) >= rollout.progress_deadline)
      item["minReadySeconds"].problem(
          format("must be less than progressDeadlineSeconds ({})", rollout.progress_deadline / 1s));
  }
}

/// What is run again when it changes.
std::string hash_of(Json spec) {
  spec.erase("terminate");
  return safe_hash(dump(spec));
}

}  // namespace

Rollout read_standalone_experiment(const Field& manifest, RolloutKey key) {
  Rollout rollout{.key = std::move(key), .standalone = StandaloneExperiment{}};
  StandaloneExperiment& experiment = *rollout.standalone;
  if (rollout.key.name.size() > 63)
    manifest["metadata"]["name"].problem("must be at most 63 characters, because it becomes a label");
  check_object_fields(manifest);
  Field spec = manifest["spec"];
  if (!spec.present()) spec.problem("is required");
  if (!spec.is_map()) return rollout;
  spec.refuse_unknown({"templates", "duration", "progressDeadlineSeconds", "terminate", "scaleDownDelaySeconds",
                       "analyses", "dryRun", "measurementRetention", "analysisRunMetadata"});
  // Without analyses the other members about them mean nothing.
  if (Field analyses = spec["analyses"]; analyses.present() && !analyses.json().empty())
    analyses.problem("is not supported yet");
  experiment.duration = read_duration(spec["duration"]);
  experiment.terminate = spec["terminate"].flag().value_or(false);
  experiment.scale_down_delay = std::chrono::seconds(spec["scaleDownDelaySeconds"].integer(0, kAnyNumber).value_or(30));
  rollout.progress_deadline =
      std::chrono::seconds(spec["progressDeadlineSeconds"].integer(0, kAnyNumber).value_or(600));
  read_templates(spec, rollout);
  rollout.hash = hash_of(spec.json());
  return rollout;
}

}  // namespace reconciler
