#include "rollout/experiment.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/action.h"
#include "rollout/typed_encoding.h"

namespace reconciler {
namespace {

ExperimentPods pods_of(const Rollout& desired, const Status& status, const Experiment::Template& from) {
  const bool is_canary = from.spec == Experiment::SpecRef::Canary;
  ExperimentPods out{
      .name = format("{}-{}-{}-{}", desired.key.name, status.canary->hash, status.step->index, from.name),
      .label = from.name,
      .revision = is_canary ? status.canary->hash : status.stable->hash,
      .replicas = from.replicas,
      .metadata = from.metadata,
      .selector = from.selector};
  if (from.has_service) out.service = from.service.empty() ? out.name : from.service;
  if (status.experiment) out.weight = from.weight;
  const Json identity = {out.name,     out.revision, out.metadata.labels, out.metadata.annotations,
                         out.selector, out.service};
  out.hash = safe_hash(dump(identity));
  return out;
}

/// `into` with these members.
void add_texts(Json& into, const std::map<std::string, std::string>& texts) {
  for (const auto& [key, value] : texts) into[key] = value;
}

/// What a ReplicaSet would be that had this template and this selector.
Json source_of_its_own(const ExperimentPods& pods) {
  // It was written by `dump` from a manifest that passed validation.
  Json spec = {{"template", Json::parse(pods.pod_template)}};
  if (pods.min_ready_seconds > 0) spec["minReadySeconds"] = pods.min_ready_seconds;
  return {{"spec", std::move(spec)}};
}

Json port_of(const Json& container_port, bool is_only_one) {
  const int64_t number = integer_at(container_port, {"containerPort"}).value_or(0);
  Json out = {{"port", number}, {"protocol", text_at(container_port, {"protocol"}, "TCP")}, {"targetPort", number}};
  if (!is_only_one) out["name"] = format("port-{}", number);
  return out;
}

}  // namespace

const Experiment* present_experiment(const Rollout& desired, const Status& status) {
  const bool under_way = status.canary && status.stable && status.step && status.returning.empty();
  if (!under_way || desired.blue_green || status.step->index >= int(desired.steps.size())) return nullptr;
  return std::get_if<Experiment>(&desired.steps[size_t(status.step->index)]);
}

std::vector<ExperimentPods> experiment_pods(const Rollout& desired, const Status& status) {
  std::vector<ExperimentPods> out;
  if (const Experiment* experiment = present_experiment(desired, status))
    for (const Experiment::Template& each : experiment->templates) out.push_back(pods_of(desired, status, each));
  return out;
}

Duration experiment_linger(const Rollout& desired, const Status& status) {
  if (!status.step || !status.returning.empty()) return 0ms;
  for (int i = std::min(status.step->index, int(desired.steps.size())) - 1; i >= 0; --i)
    if (const auto* over = std::get_if<Experiment>(&desired.steps[size_t(i)])) return over->scale_down_delay;
  return 0ms;
}

Json experiment_replica_set(const RolloutKey& rollout, const ExperimentPods& pods, const Json& of_revision) {
  const Json source = pods.pod_template.empty() ? of_revision : source_of_its_own(pods);
  const std::string hash_label(kHashLabel);
  const Json* spec = find(source, {"spec"});
  Json pod_template = find(source, {"spec", "template"}) ? spec->at("template") : Json::object();
  Json& metadata = pod_template["metadata"];
  // Nobody changes the metadata of these pods later.
  if (find(metadata, {"annotations"})) metadata["annotations"].erase(std::string(kEphemeralMetadataAnnotation));
  add_texts(metadata["labels"], pods.metadata.labels);
  if (!pods.metadata.annotations.empty()) add_texts(metadata["annotations"], pods.metadata.annotations);
  metadata["labels"][hash_label] = pods.hash;
  const auto own = pods.selector.empty() ? Result<Json>(Json()) : parse_json(pods.selector);
  const Json* theirs = find(source, {"spec", "selector"});
  Json selector = own && own->is_object() ? *own : theirs ? *theirs : Json::object();
  selector["matchLabels"][hash_label] = pods.hash;
  // Not those of the pods: a Deployment would adopt what has no owner and carries the labels that it selects.
  Json labels = {
      {hash_label, pods.hash}, {std::string(kRolloutLabel), rollout.name}, {std::string(kExperimentLabel), pods.label}};
  Json out = {
      {"apiVersion", "apps/v1"},
      {"kind", "ReplicaSet"},
      {"metadata", {{"name", pods.name}, {"namespace", rollout.ns}, {"labels", std::move(labels)}}},
      {"spec",
       {{"replicas", pods.replicas}, {"selector", std::move(selector)}, {"template", std::move(pod_template)}}}};
  if (!pods.service.empty()) out["metadata"]["annotations"][std::string(kExperimentServiceAnnotation)] = pods.service;
  if (auto ready = integer_at(source, {"spec", "minReadySeconds"})) out["spec"]["minReadySeconds"] = *ready;
  return out;
}

Json experiment_service(const RolloutKey& rollout, const std::string& name, const Json& replica_set) {
  std::vector<Json> container_ports;
  const Json* containers = find(replica_set, {"spec", "template", "spec", "containers"});
  for (size_t i = 0; containers && containers->is_array() && i < containers->size(); ++i)
    if (const Json* list = find((*containers)[i], {"ports"}); list && list->is_array())
      container_ports.insert(container_ports.end(), list->begin(), list->end());
  Json ports = Json::array();
  for (const Json& each : container_ports) ports.push_back(port_of(each, container_ports.size() == 1));
  const Json* selector = find(replica_set, {"spec", "selector", "matchLabels"});
  Json out = {{"apiVersion", "v1"},
              {"kind", "Service"},
              {"metadata",
               {{"name", name},
                {"namespace", rollout.ns},
                {"labels",
                 {{std::string(kRolloutLabel), rollout.name},
                  {std::string(kExperimentLabel), text_at(replica_set, {"metadata", "labels", kExperimentLabel})}}},
                {"ownerReferences", Json::array({{{"apiVersion", "apps/v1"},
                                                  {"kind", "ReplicaSet"},
                                                  {"name", text_at(replica_set, {"metadata", "name"})},
                                                  {"uid", text_at(replica_set, {"metadata", "uid"})}}})}}},
              {"spec", {{"selector", selector ? *selector : Json::object()}}}};
  // Without ports only a headless Service is one.
  if (ports.empty())
    out["spec"]["clusterIP"] = "None";
  else
    out["spec"]["ports"] = std::move(ports);
  return out;
}

}  // namespace reconciler
