#include "sim/cluster_view.h"

#include "rollout/action.h"
#include "rollout/istio.h"

namespace reconciler {
namespace {

Object find_object(const World& world, const char* api_version, const char* kind, const std::string& ns,
                   const std::string& name) {
  return world.store().get({world.catalogue().by_kind(api_version, kind), ns, name});
}

std::string selected_hash(const Json& service) { return text_at(service, {"spec", "selector", kHashLabel}); }

}  // namespace

std::map<std::string, int> RolloutView::traffic() const {
  std::map<std::string, int> out;
  out[stable_selects] += 100 - canary_weight;
  out[canary_selects] += canary_weight;
  return out;
}

int RolloutView::available(const std::string& hash) const {
  auto found = revisions.find(hash);
  return found == revisions.end() ? 0 : found->second.available;
}

RolloutView view_of(const World& world, const RolloutKey& rollout, const Json* replacing) {
  auto is_replaced = [&](const char* kind, const std::string& name) {
    return replacing && text_at(*replacing, {"kind"}) == kind && text_at(*replacing, {"metadata", "name"}) == name;
  };
  auto get = [&](const char* api_version, const char* kind, const std::string& name) -> Json {
    if (is_replaced(kind, name)) return *replacing;
    Object object = find_object(world, api_version, kind, rollout.ns, name);
    return object ? *object : Json();
  };
  RolloutView out;
  const Json stable = get("v1", "Service", rollout.name), canary = get("v1", "Service", rollout.name + "-canary");
  const Json routes = get("networking.istio.io/v1", "VirtualService", rollout.name);
  out.complete = !stable.is_null() && !canary.is_null() && !routes.is_null();
  out.routed = !routes.is_null();
  out.stable_selects = selected_hash(stable);
  out.canary_selects = selected_hash(canary);
  out.mark = text_at(routes, {"metadata", "annotations", kRejectedAnnotation});
  if (const Json* http = find(routes, {"spec", "http"}); http && http->is_array() && !http->empty()) {
    out.weight_sum = 0;
    for (const Json& destination : (*http)[0].at("route")) {
      const int weight = int(integer_at(destination, {"weight"}).value_or(0));
      out.weight_sum += weight;
      if (text_at(destination, {"destination", "host"}) == rollout.name + "-canary") out.canary_weight = weight;
    }
  }
  for (const Object& set : world.store().list(*world.catalogue().by_kind("apps/v1", "ReplicaSet"), rollout.ns)) {
    const std::string name = text_at(*set, {"metadata", "name"});
    const std::string hash = text_at(*set, {"metadata", "labels", kHashLabel});
    if (name != rollout.name + "-" + hash) continue;
    out.revisions[hash] = {.name = name,
                           .replicas = int(integer_at(*set, {"spec", "replicas"}).value_or(1)),
                           .available = int(integer_at(*set, {"status", "availableReplicas"}).value_or(0)),
                           .owned = text_at(*set, {"metadata", "labels", kOwnerLabel}) == "serin" &&
                                    text_at(*set, {"metadata", "labels", kRolloutLabel}) == rollout.name};
  }
  return out;
}

}  // namespace reconciler
