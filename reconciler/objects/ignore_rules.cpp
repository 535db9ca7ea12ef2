#include "objects/ignore_rules.h"

#include <algorithm>

#include "base/object_key.h"
#include "base/text.h"
#include "objects/managers.h"
#include "objects/marks.h"

namespace reconciler {
namespace {

bool applies_to(const IgnoreRule& rule, const ObjectKey& key, const Json& manifest) {
  return fits_glob(rule.group, key.group) && fits_glob(rule.kind, key.kind) && fits_glob(rule.ns, key.ns) &&
         fits_glob(rule.name, key.name) && std::all_of(rule.labels.begin(), rule.labels.end(), [&](const auto& label) {
           return text_at(manifest, {"metadata", "labels", label.first}) == label.second;
         });
}

}  // namespace

std::vector<Pointer> ignored_paths(const std::vector<IgnoreRule>& rules, const Json& manifest) {
  std::vector<Pointer> paths = marks_of(manifest).ignored;
  const ObjectKey key = key_of(manifest);
  for (const IgnoreRule& rule : rules)
    if (applies_to(rule, key, manifest)) paths.insert(paths.end(), rule.paths.begin(), rule.paths.end());
  return paths;
}

Json leaving_alone(Json manifest, const Json& live, const std::vector<Pointer>& paths, std::string_view manager) {
  for (const Pointer& path : paths) {
    auto owner = other_owner(live, path, manager, Owns::Applied);
    manifest = owner ? without_value(std::move(manifest), path) : as_in(std::move(manifest), live, {path});
  }
  return manifest;
}

Json left_to_others(Json manifest, const Json& live, const std::vector<Pointer>& paths, std::string_view manager) {
  for (const Pointer& path : paths) {
    auto owner = other_owner(live, path, manager, Owns::Anyhow);
    manifest = owner ? without_value(std::move(manifest), path) : as_in(std::move(manifest), live, {path});
  }
  return manifest;
}

Json as_in(Json manifest, const Json& live, const std::vector<Pointer>& paths) {
  for (const Pointer& path : paths) {
    if (!value_at(manifest, path)) continue;
    const Json* value = value_at(live, path);
    manifest = value ? with_value(std::move(manifest), path, *value) : without_value(std::move(manifest), path);
  }
  return manifest;
}

}  // namespace reconciler
