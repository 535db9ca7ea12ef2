// The eviction API: a pod goes unless a PodDisruptionBudget would be left with too few healthy ones.
#include <algorithm>
#include <cmath>

#include "sim/selector.h"
#include "sim/world.h"

namespace reconciler {
namespace {

bool is_healthy(const Json& pod) {
  const Json* conditions = find(pod, {"status", "conditions"});
  if (find(pod, {"metadata", "deletionTimestamp"}) || !conditions || !conditions->is_array()) return false;
  return std::any_of(conditions->begin(), conditions->end(), [](const Json& each) {
    return text_at(each, {"type"}) == "Ready" && text_at(each, {"status"}) == "True";
  });
}

/// A count, or a share of `total` rounded up, as budgets have them.
int pods_of(const Json& value, int total) {
  if (value.is_number_integer()) return value.get<int>();
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  return text.ends_with('%') ? int(std::ceil(total * std::atof(text.c_str()) / 100)) : 0;
}

/// How many healthy pods this budget wants to keep of `total`.
int least_healthy(const Json& budget, int total) {
  if (const Json* least = find(budget, {"spec", "minAvailable"})) return pods_of(*least, total);
  if (const Json* most = find(budget, {"spec", "maxUnavailable"})) return total - pods_of(*most, total);
  return 0;
}

}  // namespace

Answer<Removed> World::evict(const ResourcePath& pod, const RemoveOptions& options) {
  auto live = get(pod);
  if (!live) return live.error();
  const ResourceType* budgets = catalogue().by_kind("policy/v1", "PodDisruptionBudget");
  for (const Object& budget : store().list(*budgets, pod.ns)) {
    const Json* selector = find(*budget, {"spec", "selector"});
    if (!selector || !matches_object(label_selector_of(*selector), **live)) continue;
    int total = 0, healthy = 0;
    for (const Object& other : store().list(*pod.type, pod.ns)) {
      if (!matches_object(label_selector_of(*selector), *other)) continue;
      ++total;
      healthy += is_healthy(*other);
    }
    if (is_healthy(**live) && healthy - 1 < least_healthy(*budget, total))
      return ApiError{429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."};
  }
  return remove(pod, options);
}

}  // namespace reconciler
