#include "rollout/ephemeral_metadata.h"

namespace reconciler {
namespace {

/// Nothing readable is the same as nothing: people may write anything into an annotation.
Json parsed(const std::string& text) {
  auto json = text.empty() ? Result<Json>(Json::object()) : parse_json(text);
  return json && json->is_object() ? *std::move(json) : Json::object();
}

/// Members of `before` that `after` lacks as null, those of `after` as they are.
Json change_of(const Json& before, const Json& after, const char* part) {
  Json out = Json::object();
  if (const Json* old = find(before, {part}); old && old->is_object())
    for (const auto& [key, value] : old->items()) out[key] = nullptr;
  if (const Json* now = find(after, {part}); now && now->is_object())
    for (const auto& [key, value] : now->items()) out[key] = value;
  return out;
}

}  // namespace

std::string metadata_text(const PodMetadata& metadata) {
  Json out = Json::object();
  if (!metadata.labels.empty()) out["labels"] = metadata.labels;
  if (!metadata.annotations.empty()) out["annotations"] = metadata.annotations;
  return out.empty() ? "" : dump(out);
}

Json metadata_change(const std::string& before, const std::string& after) {
  const Json old = parsed(before), now = parsed(after);
  Json labels = change_of(old, now, "labels"), annotations = change_of(old, now, "annotations");
  annotations[std::string(kEphemeralMetadataAnnotation)] = after.empty() ? Json(nullptr) : Json(after);
  Json out = {{"annotations", std::move(annotations)}};
  if (!labels.empty()) out["labels"] = std::move(labels);
  return out;
}

std::vector<Action> metadata_actions(const Observed& live, const Target& target) {
  std::vector<Action> out;
  for (const Workload& w : live.workloads) {
    if (!w.owned) continue;
    auto role = target.metadata.find(w.hash);
    const std::string wanted = role == target.metadata.end() ? "" : role->second;
    // The template first: pods that come meanwhile have it then.
    if (w.metadata != wanted) out.emplace_back(SetTemplateMetadata{w.name, w.metadata, wanted});
    for (const PodState& pod : w.pods)
      if (pod.metadata != wanted) out.emplace_back(SetPodMetadata{pod.name, pod.metadata, wanted});
  }
  return out;
}

}  // namespace reconciler
