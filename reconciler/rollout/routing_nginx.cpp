// ingress-nginx: beside each Ingress a canary Ingress of ours with the same rules, which leads to the canary Service
// and whose annotations say how much it gets. The Ingress itself is only read.
#include <algorithm>

#include "base/format.h"
#include "rollout/action.h"
#include "rollout/routers.h"

namespace reconciler {
namespace {

constexpr size_t kIngressNameMax = 253;
constexpr std::string_view kCanarySuffix = "-canary";
constexpr std::string_view kClassAnnotation = "kubernetes.io/ingress.class";

ObjectKey shared_ingress_key(const Rollout& rollout, const std::string& name) {
  return {"networking.k8s.io", "Ingress", rollout.key.ns, name};
}

/// `<rollout>-<ingress>-canary`, as it is today in clusters that Argo Rollouts served.
ObjectKey canary_ingress_key(const Rollout& rollout, const std::string& ingress) {
  const std::string prefix = (rollout.key.name + "-" + ingress).substr(0, kIngressNameMax - kCanarySuffix.size());
  return shared_ingress_key(rollout, prefix + std::string(kCanarySuffix));
}

std::string ingress_place(const ObjectKey& key) { return format("Ingress {}/{}", key.ns, key.name); }

/// The rules that lead to the stable Service, leading to the canary instead.
Result<Json> canary_rules(const ObjectKey& key, const Json& ingress, const Traffic& sides) {
  Json out = Json::array();
  const Json* rules = find(ingress, {"spec", "rules"});
  for (size_t i = 0; rules && rules->is_array() && i < rules->size(); ++i) {
    Json rule = (*rules)[i];
    bool leads_to_stable = false;
    if (const Json* paths = find(rule, {"http", "paths"}); paths && paths->is_array())
      for (Json& path : rule["http"]["paths"]) {
        if (text_at(path, {"backend", "service", "name"}) != sides.stable.service) continue;
        path["backend"]["service"]["name"] = sides.canary.service;
        leads_to_stable = true;
      }
    if (leads_to_stable) out.push_back(std::move(rule));
  }
  if (out.empty()) return invalid(format("{} has no rule for Service {}", ingress_place(key), sides.stable.service));
  return out;
}

/// Ours when it says so; one that Argo Rollouts made for the same rollout is taken over.
bool is_our_ingress(const Json& canary, const Rollout& rollout) {
  if (text_at(canary, {"metadata", "labels", kRolloutLabel}) == rollout.key.name) return true;
  const Json* owners = find(canary, {"metadata", "ownerReferences"});
  for (size_t i = 0; owners && owners->is_array() && i < owners->size(); ++i)
    if (text_at((*owners)[i], {"kind"}) == "Rollout" && text_at((*owners)[i], {"name"}) == rollout.key.name)
      return true;
  return false;
}

Json canary_annotations(const NginxRouting& nginx, const Json& ingress, const Traffic& traffic) {
  Json out = Json::object();
  if (std::string name = text_at(ingress, {"metadata", "annotations", kClassAnnotation}); !name.empty())
    out[std::string(kClassAnnotation)] = name;
  const std::string prefix = nginx.annotation_prefix + "/";
  for (const auto& [key, value] : nginx.prefixed_annotations)
    out[key.starts_with(nginx.annotation_prefix) ? key : prefix + key] = value;
  for (const auto& [key, value] : nginx.plain_annotations) out[key] = value;
  out[prefix + "canary"] = "true";
  out[prefix + "canary-weight"] = std::to_string(traffic.weight);
  out.erase(prefix + "canary-weight-total");
  if (traffic.whole != kWholeWeight) out[prefix + "canary-weight-total"] = std::to_string(traffic.whole);
  return out;
}

/// A number in an annotation of ours; `absent` when there is none.
int64_t annotated_number(const Json& canary, const std::string& annotation, int64_t absent) {
  const auto number = parse_json(text_at(canary, {"metadata", "annotations", annotation}, "null"));
  return number ? reckoned_weight(integer_at(*number, {}), absent) : absent;
}

Json new_canary_ingress(const ObjectKey& key, const Json& ingress) {
  return {{"apiVersion", text_at(ingress, {"apiVersion"})},
          {"kind", "Ingress"},
          {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
          {"spec", Json::object()}};
}

/// `canary` with everything that is ours in it: the rules and settings of the Ingress, our annotations, our label.
Result<Json> filled_canary_ingress(const NginxRouting& nginx, const Rollout& rollout, Json canary, const ObjectKey& key,
                                   const Json& ingress, const Traffic& traffic) {
  auto rules = canary_rules(key, ingress, traffic);
  if (!rules) return rules.error();
  canary["metadata"]["labels"][std::string(kRolloutLabel)] = rollout.key.name;
  const Json annotations = canary_annotations(nginx, ingress, traffic);
  // Absent means 100, and is what other whole weights were before the manifest spoke of them.
  if (find(canary, {"metadata", "annotations"}))
    canary["metadata"]["annotations"].erase(nginx.annotation_prefix + "/canary-weight-total");
  for (const auto& [name, value] : annotations.items()) canary["metadata"]["annotations"][name] = value;
  Json& spec = canary["spec"];
  spec["rules"] = *std::move(rules);
  for (const char* setting : {"tls", "ingressClassName"}) {
    if (const Json* value = find(ingress, {"spec", setting}))
      spec[setting] = *value;
    else
      spec.erase(setting);
  }
  return canary;
}

}  // namespace

std::vector<RouteObject> objects_of(const NginxRouting& nginx, const Rollout& rollout) {
  std::vector<RouteObject> out;
  for (const std::string& name : nginx.ingresses) {
    out.push_back({shared_ingress_key(rollout, name), RouteUse::Copied});
    out.push_back({canary_ingress_key(rollout, name), RouteUse::Made});
  }
  return out;
}

Result<RouteObjects> write_weights(const NginxRouting& nginx, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic) {
  for (const std::string& name : nginx.ingresses) {
    auto ingress = objects.find(shared_ingress_key(rollout, name));
    if (ingress == objects.end()) continue;
    const ObjectKey key = canary_ingress_key(rollout, name);
    auto canary = objects.find(key);
    if (canary != objects.end() && !is_our_ingress(canary->second, rollout))
      return invalid(ingress_place(key) + " exists and is not of this rollout");
    Json before = canary == objects.end() ? new_canary_ingress(key, ingress->second) : canary->second;
    auto written = filled_canary_ingress(nginx, rollout, std::move(before), ingress->first, ingress->second, traffic);
    if (!written) return written.error();
    objects[key] = *std::move(written);
  }
  return objects;
}

Result<std::vector<Split>> read_splits(const NginxRouting& nginx, const Rollout& rollout, const RouteObjects& objects,
                                       const Traffic& sides) {
  std::vector<Split> out;
  for (const std::string& name : nginx.ingresses) {
    auto ingress = objects.find(shared_ingress_key(rollout, name));
    if (ingress == objects.end()) continue;
    if (auto rules = canary_rules(ingress->first, ingress->second, sides); !rules) return rules.error();
    auto canary = objects.find(canary_ingress_key(rollout, name));
    const std::string annotation = nginx.annotation_prefix + "/canary-weight";
    const Json& made = canary == objects.end() ? Json() : canary->second;
    const int64_t whole = std::max<int64_t>(1, annotated_number(made, annotation + "-total", kWholeWeight));
    const int64_t weight = std::min(whole, annotated_number(made, annotation, 0));
    out.push_back({whole - weight, weight, 0});
  }
  return out;
}

}  // namespace reconciler
