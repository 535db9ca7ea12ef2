#include "objects/autoscalers.h"

namespace reconciler {

bool is_autoscaler(const ObjectKey& key) { return key.group == "autoscaling" && key.kind == "HorizontalPodAutoscaler"; }

bool may_scale(const ObjectKey& key) {
  return is_autoscaler(key) || (key.group == "keda.sh" && key.kind == "ScaledObject");
}

std::optional<ObjectKey> scale_target(const Json& object) {
  const ObjectKey key = key_of(object);
  const Json* target = may_scale(key) ? find(object, {"spec", "scaleTargetRef"}) : nullptr;
  if (!target) return std::nullopt;
  ObjectKey out{.group = group_of(text_at(*target, {"apiVersion"}, "apps/v1")),
                .kind = text_at(*target, {"kind"}, "Deployment"),
                .ns = key.ns,
                .name = text_at(*target, {"name"})};
  return out.name.empty() ? std::nullopt : std::optional(out);
}

std::set<ObjectKey> Autoscalers::set(Source source, const ObjectKey& autoscaler,
                                     const std::optional<ObjectKey>& target) {
  const Name name{source, autoscaler};
  std::set<ObjectKey> changed;
  const auto known = targets_.find(name);
  if (known != targets_.end()) {
    if (target && known->second == *target) return changed;
    auto scalers = by_target_.find(known->second);
    scalers->second.erase(name);
    if (scalers->second.empty()) {
      changed.insert(known->second);
      by_target_.erase(scalers);
    }
    targets_.erase(known);
  }
  if (!target) return changed;
  targets_.emplace(name, *target);
  std::set<Name>& scalers = by_target_[*target];
  if (scalers.empty()) changed.insert(*target);
  scalers.insert(name);
  return changed;
}

}  // namespace reconciler
