#include "manifest/experiment_reader.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "manifest/duration_field.h"
#include "manifest/labels.h"
#include "manifest/names.h"
#include "rollout/target.h"

namespace reconciler {
namespace {

/// A label, and the name of a Service.
constexpr size_t kServiceNameMax = 63;
constexpr size_t kHashLength = 10;

std::map<std::string, std::string> read_texts(const Field& map) {
  std::map<std::string, std::string> out;
  if (!map.json().is_object()) return out;
  for (const auto& [key, value] : map.json().items())
    if (value.is_null() || value.is_string()) out[key] = value.is_null() ? "" : value.get<std::string>();
  return out;
}

Experiment::SpecRef read_spec_ref(const Field& item) {
  const std::string ref = item["specRef"].text().value_or("");
  if (ref.empty()) item.problem("specRef is required");
  if (!ref.empty() && ref != "stable" && ref != "canary") item["specRef"].problem("must be stable or canary");
  return ref == "canary" ? Experiment::SpecRef::Canary : Experiment::SpecRef::Stable;
}

void read_service(const Field& item, Experiment::Template& out) {
  Field service = item["service"];
  out.has_service = service.present() || out.weight > 0;
  out.service = read_service_name(service);
}

Experiment::Template read_template(const Field& item) {
  Experiment::Template out;
  if (!item.is_map()) return out;
  item.refuse_unknown({"name", "specRef", "replicas", "metadata", "selector", "weight", "service"});
  out.name = read_template_name(item);
  out.spec = read_spec_ref(item);
  out.replicas = item["replicas"].integer(0, INT32_MAX).value_or(1);
  if (item["metadata"].present()) item["metadata"].refuse_unknown({"labels", "annotations"});
  out.metadata = read_pod_metadata(item["metadata"]);
  if (item["selector"].present() && item["selector"].is_map()) out.selector = dump(item["selector"].json());
  out.weight = item["weight"].integer(0, INT32_MAX).value_or(0);
  if (out.weight > 0 && out.replicas == 0) item["weight"].problem("needs replicas");
  read_service(item, out);
  return out;
}

bool has_weight(const Experiment& experiment) {
  return std::any_of(experiment.templates.begin(), experiment.templates.end(), [](auto& t) { return t.weight > 0; });
}

/// Routers whose routes take further destinations.
bool can_share(const Router& router) {
  return std::holds_alternative<IstioRouting>(router) || std::holds_alternative<AlbRouting>(router) ||
         std::holds_alternative<SmiRouting>(router) || std::holds_alternative<GatewayRouting>(router);
}

void check_weights(const Field& field, const Experiment& experiment, const Rollout& rollout, int canary_weight) {
  if (!has_weight(experiment)) return;
  const auto& routers = rollout.routing.routers;
  const bool shares = !routers.empty() && std::all_of(routers.begin(), routers.end(), can_share);
  int sum = canary_weight;
  for (size_t i = 0; i < experiment.templates.size(); ++i) {
    if (experiment.templates[i].weight == 0) continue;
    sum += experiment.templates[i].weight;
    Field weight = field["templates"].items()[i]["weight"];
    if (!shares) weight.problem("is carried out by istio, alb, smi and argoproj-labs/gatewayAPI only");
    if (sum > rollout.whole()) weight.problem(format("leaves no room: with the canary's weight they come to {}", sum));
  }
}

void check_names(const Field& field, const Experiment& experiment, const Rollout& rollout, size_t step) {
  for (size_t i = 0; i < experiment.templates.size(); ++i) {
    const Experiment::Template& each = experiment.templates[i];
    const size_t length = format("{}--{}-{}", rollout.key.name, step, each.name).size() + kHashLength;
    if (each.has_service && each.service.empty() && length > kServiceNameMax)
      field["templates"].items()[i].problem(
          "makes the name of a Service with more than 63 characters: set service.name");
  }
}

/// The selector of a template of its own must select its pods.
void check_selectors(const Field& field, const Experiment& experiment, const Rollout& rollout) {
  for (size_t i = 0; i < experiment.templates.size(); ++i) {
    Json labels = rollout.pod_labels;
    for (const auto& [key, value] : experiment.templates[i].metadata.labels) labels[key] = value;
    const Field selector = field["templates"].items()[i]["selector"];
    if (!selector.present() || !check_selector(selector)) continue;
    const bool known = !rollout.workload_ref;  // the labels of its template
    if (known && !selects(selector.json(), labels)) selector.problem("does not select the labels of its pods");
  }
}

}  // namespace

std::string read_template_name(const Field& item) {
  const std::string name = item["name"].text().value_or("");
  if (name.empty())
    item.problem("name is required");
  else if (auto trouble = label_trouble(name))
    item["name"].problem(*trouble);
  return name;
}

std::string read_service_name(const Field& service) {
  if (!service.is_map()) return "";
  service.refuse_unknown({"name"});
  const std::string name = service["name"].text().value_or("");
  if (!name.empty())
    if (auto trouble = name_trouble("", name)) service["name"].problem(*trouble);
  return name;
}

void refuse_twice(std::set<std::string>& names, const std::string& name, const Field& field) {
  if (!name.empty() && !names.insert(name).second) field.problem(format("\"{}\" is the name of another one", name));
}

PodMetadata read_pod_metadata(const Field& metadata) {
  if (!metadata.is_map()) return {};
  check_labels(metadata["labels"]);
  check_annotations(metadata["annotations"]);
  return {read_texts(metadata["labels"]), read_texts(metadata["annotations"])};
}

Experiment read_experiment(const Field& experiment) {
  Experiment out;
  if (!experiment.is_map()) return out;
  experiment.refuse_unknown(
      {"templates", "analyses", "duration", "dryRun", "analysisRunMetadata", "scaleDownDelaySeconds"});
  // Without analyses the other members about them mean nothing.
  if (Field analyses = experiment["analyses"]; analyses.present() && !analyses.json().empty())
    analyses.problem("is not supported yet");
  std::set<std::string> names, services;
  for (const Field& item : experiment["templates"].items()) {
    out.templates.push_back(read_template(item));
    refuse_twice(names, out.templates.back().name, item["name"]);
    refuse_twice(services, out.templates.back().service, item["service"]["name"]);
  }
  if (out.templates.empty()) experiment.problem("templates is required: at least one");
  out.duration = read_duration(experiment["duration"]);
  out.scale_down_delay = std::chrono::seconds(experiment["scaleDownDelaySeconds"].integer(0, INT32_MAX).value_or(30));
  return out;
}

void check_experiments(const Field& canary, const Rollout& rollout) {
  const auto steps = canary["steps"].items();
  if (steps.size() != rollout.steps.size()) return;  // one of them is refused already
  for (size_t i = 0; i < steps.size(); ++i) {
    const auto* experiment = std::get_if<Experiment>(&rollout.steps[i]);
    if (!experiment) continue;
    check_weights(steps[i]["experiment"], *experiment, rollout, weight_before(rollout, int(i)));
    check_names(steps[i]["experiment"], *experiment, rollout, i);
    check_selectors(steps[i]["experiment"], *experiment, rollout);
  }
}

}  // namespace reconciler
