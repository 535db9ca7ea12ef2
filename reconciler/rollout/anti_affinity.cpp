#include "rollout/anti_affinity.h"

#include <array>

#include "rollout/action.h"

namespace reconciler {
namespace {

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

Json& object_in(Json& parent, const char* name) {
  Json& member = parent[name];
  if (member.is_null()) member = Json::object();
  return member;
}

/// The hash that a term avoids; empty when it is not ours.
std::string avoided_by(const Json& term) {
  const Json* expressions = find(term, {"labelSelector", "matchExpressions"});
  if (!expressions || !expressions->is_array() || expressions->size() != 1) return "";
  const Json& expression = expressions->front();
  const Json* values = find(expression, {"values"});
  const bool ours = text_at(expression, {"key"}) == kHashLabel && values && values->is_array() && values->size() == 1;
  return ours && values->front().is_string() ? values->front().get<std::string>() : "";
}

}  // namespace

Json with_anti_affinity(Json pod_template, const AntiAffinity& rule, const std::string& stable) {
  const Json expression = {{"key", kHashLabel}, {"operator", "In"}, {"values", Json::array({stable})}};
  Json term = {{"labelSelector", {{"matchExpressions", Json::array({expression})}}},
               {"topologyKey", "kubernetes.io/hostname"}};
  Json& anti = object_in(object_in(pod_template["spec"], "affinity"), "podAntiAffinity");
  Json& list = anti[std::string(rule.weight ? kPreferred : kRequired)];
  if (list.is_null()) list = Json::array();
  list.push_back(rule.weight ? Json{{"weight", *rule.weight}, {"podAffinityTerm", std::move(term)}} : std::move(term));
  return pod_template;
}

std::string avoided_revision(const Json& pod_template) {
  for (std::string_view kind : {kRequired, kPreferred}) {
    const Json* terms = find(pod_template, {"spec", "affinity", "podAntiAffinity", kind});
    if (!terms || !terms->is_array()) continue;
    for (const Json& each : *terms) {
      const Json* weighted = find(each, {"podAffinityTerm"});
      if (std::string hash = avoided_by(weighted ? *weighted : each); !hash.empty()) return hash;
    }
  }
  return "";
}

Json affinity_patch(const Json& affinity) {
  if (!affinity.is_object()) return nullptr;
  Json out = affinity;
  const Json* anti = find(affinity, {"podAntiAffinity"});
  if (!anti || !anti->is_object()) {
    out["podAntiAffinity"] = nullptr;
    return out;
  }
  for (std::string_view kind : {kRequired, kPreferred})
    if (!find(*anti, {kind})) out["podAntiAffinity"][std::string(kind)] = nullptr;
  return out;
}

}  // namespace reconciler
