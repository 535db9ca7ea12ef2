#include "sim/scale.h"

namespace reconciler {
namespace {

/// The value at `.spec.replicas`; null pointer when it is absent.
const Json* at_path(const Json& object, const std::vector<std::string>& path) {
  const Json* at = &object;
  for (const std::string& step : path) {
    at = find(*at, {step});
    if (!at) return nullptr;
  }
  return at;
}

int64_t number_at(const Json& object, const std::vector<std::string>& path) {
  const Json* value = at_path(object, path);
  return value && value->is_number_integer() ? value->get<int64_t>() : 0;
}

/// Built-in kinds say which pods are theirs by labels, custom ones by a text in their status.
std::string selector_of(const Json& object, const ScalePaths& paths) {
  if (!paths.selector.empty()) {
    const Json* text = at_path(object, paths.selector);
    return text && text->is_string() ? text->get<std::string>() : "";
  }
  std::string selector;
  if (const Json* labels = find(object, {"spec", "selector", "matchLabels"}); labels && labels->is_object())
    for (const auto& [name, value] : labels->items())
      if (value.is_string()) selector += (selector.empty() ? "" : ",") + name + "=" + value.get<std::string>();
  return selector;
}

}  // namespace

Json scale_of(const Json& object, const ResourceType& type) {
  Json metadata = Json::object();
  for (auto name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"})
    if (const Json* value = find(object, {"metadata", name})) metadata[name] = *value;
  Json scale = {{"kind", "Scale"},
                {"apiVersion", "autoscaling/v1"},
                {"metadata", metadata},
                {"spec", Json::object()},
                {"status", {{"replicas", number_at(object, type.scale.status_replicas)}}}};
  if (int64_t replicas = number_at(object, type.scale.replicas)) scale["spec"]["replicas"] = replicas;
  if (std::string selector = selector_of(object, type.scale); !selector.empty()) scale["status"]["selector"] = selector;
  return scale;
}

Json with_scale(Json object, int64_t replicas, const ResourceType& type) {
  Json* at = &object;
  for (const std::string& step : type.scale.replicas) at = &(*at)[step];
  *at = replicas;
  return object;
}

}  // namespace reconciler
