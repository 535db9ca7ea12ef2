// Subset mode: the hash labels of a DestinationRule's two subsets.
#include <set>

#include "base/format.h"
#include "rollout/action.h"
#include "rollout/routing_istio.h"

namespace reconciler {
namespace {

ObjectKey rule_key(const IstioRouting& istio, const Rollout& rollout) {
  return {"networking.istio.io", "DestinationRule", rollout.key.ns, istio.destination_rule->name};
}

/// The subset of that name in spec.subsets; null when it is missing.
Json* subset_of(Json& rule, const std::string& name) {
  auto spec = rule.find("spec");
  auto subsets = spec == rule.end() || !spec->is_object() ? Json::iterator() : spec->find("subsets");
  if (spec == rule.end() || !spec->is_object() || subsets == spec->end() || !subsets->is_array()) return nullptr;
  for (Json& subset : *subsets)
    if (text_at(subset, {"name"}) == name) return &subset;
  return nullptr;
}

void set_hash(Json& subset, const std::string& hash) {
  const std::string label(kHashLabel);
  if (text_at(subset, {"labels", label}) == hash) return;
  if (!hash.empty()) {
    subset["labels"][label] = hash;
    return;
  }
  if (!subset.contains("labels")) return;
  subset["labels"].erase(label);
  if (subset["labels"].empty()) subset.erase("labels");
}

/// Exactly these subsets for experiments, behind all others.
Json with_experiment_subsets(const Json& rule, const std::map<std::string, std::string>& wanted) {
  std::set<std::string> names = experiment_names(rule), wanted_names;
  for (const auto& [name, hash] : wanted) wanted_names.insert(name);
  names.insert(wanted_names.begin(), wanted_names.end());
  if (names.empty()) return rule;
  Json ours = Json::array(), subsets = Json::array(), ordered = Json::array();
  for (const Json& subset : rule["spec"]["subsets"])
    (names.contains(text_at(subset, {"name"})) ? ours : subsets).push_back(subset);
  for (const auto& [name, hash] : wanted)
    ordered.push_back({{"name", name}, {"labels", {{std::string(kHashLabel), hash}}}});
  Json out = rule;
  if (ours != ordered) {
    for (Json& subset : ordered) subsets.push_back(std::move(subset));
    out["spec"]["subsets"] = std::move(subsets);
  }
  return with_experiment_names(out, wanted_names);
}

}  // namespace

Result<RouteObjects> write_revisions(const IstioRouting& istio, const Rollout& rollout, RouteObjects objects,
                                     const SubsetRevisions& wanted) {
  if (!istio.destination_rule) return objects;
  auto object = objects.find(rule_key(istio, rollout));
  if (object == objects.end()) return objects;
  Json& rule = object->second;
  for (const auto& [name, hash] : {std::pair(istio.destination_rule->stable_subset, wanted.stable),
                                   std::pair(istio.destination_rule->canary_subset, wanted.canary)}) {
    Json* subset = subset_of(rule, name);
    if (!subset)
      return invalid(
          format("DestinationRule {}/{} has no subset named \"{}\"", object->first.ns, object->first.name, name));
    set_hash(*subset, hash);
  }
  rule = with_experiment_subsets(rule, wanted.experiments);
  if (text_at(rule, {"metadata", "annotations", kManagedByAnnotation}) != rollout.key.name)
    rule["metadata"]["annotations"][std::string(kManagedByAnnotation)] = rollout.key.name;
  return objects;
}

Json released_rule(Json rule) {
  if (find(rule, {"spec", "subsets"})) {
    rule = with_experiment_subsets(rule, {});
    for (Json& subset : rule["spec"]["subsets"])
      if (subset.is_object()) set_hash(subset, "");
  }
  Json& metadata = rule["metadata"];
  if (!find(metadata, {"annotations"})) return rule;
  metadata["annotations"].erase(std::string(kManagedByAnnotation));
  if (metadata["annotations"].empty()) metadata.erase("annotations");
  return rule;
}

std::optional<SubsetRevisions> read_revisions(const IstioRouting& istio, const Rollout& rollout,
                                              const RouteObjects& objects) {
  if (!istio.destination_rule) return std::nullopt;
  auto object = objects.find(rule_key(istio, rollout));
  if (object == objects.end()) return std::nullopt;
  SubsetRevisions out;
  const Json* subsets = find(object->second, {"spec", "subsets"});
  const std::set<std::string> names = experiment_names(object->second);
  for (size_t i = 0; subsets && subsets->is_array() && i < subsets->size(); ++i) {
    const std::string name = text_at((*subsets)[i], {"name"});
    const std::string hash = text_at((*subsets)[i], {"labels", kHashLabel});
    if (name == istio.destination_rule->stable_subset) out.stable = hash;
    if (name == istio.destination_rule->canary_subset) out.canary = hash;
    if (names.contains(name)) out.experiments[name] = hash;
  }
  return out;
}

}  // namespace reconciler
