#include "daemon/shared_objects.h"

#include "rollout/action.h"
#include "rollout/istio.h"
#include "rollout/target.h"

namespace reconciler {
namespace {

Json with_selector(Json manifest, const std::string& name, const Observed& live, const std::string& wanted_hash) {
  auto service = live.services.find(name);
  // A Service that is recreated must not select both versions.
  const std::string& hash = service != live.services.end() ? service->second.hash : wanted_hash;
  if (!hash.empty()) manifest["spec"]["selector"][std::string(kHashLabel)] = hash;
  return manifest;
}

}  // namespace

Json filled_in(const Json& manifest, const Rollout& rollout, const Observed& live,
               const std::optional<Status>& status) {
  const std::string kind = text_at(manifest, {"kind"}), name = text_at(manifest, {"metadata", "name"});
  const std::string ns = text_at(manifest, {"metadata", "namespace"});
  const Target wanted = status ? target(rollout, *status) : Target{};
  if (kind == "Service" && ns == rollout.key.ns && name == rollout.stable_service)
    return with_selector(manifest, name, live, wanted.stable_service);
  if (kind == "Service" && ns == rollout.key.ns && name == rollout.canary_service)
    return with_selector(manifest, name, live, wanted.canary_service);
  if (kind == "VirtualService" && ns == rollout.istio.ns && name == rollout.istio.virtual_service) {
    int weight = wanted.weight;
    if (live.virtual_service)
      if (auto now = canary_weight(*live.virtual_service, rollout)) weight = *now;
    auto filled = with_canary_weight(manifest, rollout, weight);
    // Routes that do not fit are applied as written; the rollout itself says what is wrong with them.
    return filled ? *filled : manifest;
  }
  return manifest;
}

}  // namespace reconciler
