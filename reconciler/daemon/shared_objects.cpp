#include "daemon/shared_objects.h"

#include <algorithm>
#include <vector>

#include "daemon/kept_routes.h"
#include "manifest/workload_ref.h"
#include "rollout/action.h"
#include "rollout/route_diff.h"
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

/// Routes that do not fit are applied as written; the rollout itself says what is wrong with them.
Json with_routes(const Json& manifest, const Rollout& rollout, const Observed& live, const Target& wanted) {
  const ObjectKey key = key_of(manifest);
  const auto objects = route_objects(rollout);
  const auto object = std::find_if(objects.begin(), objects.end(), [&](const RouteObject& o) { return o.key == key; });
  if (object == objects.end()) return manifest;
  const auto current = live.routes.find(key);
  const RouteObjects only_live = current == live.routes.end() ? RouteObjects{} : RouteObjects{*current};
  Traffic traffic = traffic_of(wanted);
  if (object->use == RouteUse::Revisions) {
    const auto named = subset_revisions(rollout, only_live);
    auto filled = with_revisions(rollout, {{key, manifest}},
                                 named.value_or(SubsetRevisions{traffic.stable.hash, traffic.canary.hash}));
    return filled ? filled->at(key) : manifest;
  }
  auto filled = with_live_routes(rollout, live.routes, manifest, traffic);
  return filled ? *filled : manifest;
}

/// The workload that the template comes from does not get the pods back that the rollout took over.
Json with_replicas_kept(Json manifest, const Rollout& rollout, const Observed& live, const Target& wanted) {
  if (auto kept = workload_replicas(rollout, live, wanted)) {
    const auto asked = integer_at(manifest, {"spec", "replicas"}).value_or(1);
    manifest["spec"]["replicas"] = std::min<int64_t>(asked, *kept);
  }
  return manifest;
}

}  // namespace

bool may_carry_traffic(const ObjectKey& key) {
  return key.kind == "Service" || key.kind == "DestinationRule" || may_share_traffic(key.kind);
}

bool is_managed(const Json& live_service) {
  return !text_at(live_service, {"metadata", "annotations", kManagedByAnnotation}).empty();
}

Json keeping_traffic(Json manifest, const Json& live, const std::set<std::string>& managed) {
  const std::string hash = text_at(live, {"spec", "selector", kHashLabel});
  if (text_at(live, {"kind"}) == "Service" && is_managed(live) && !hash.empty())
    manifest["spec"]["selector"][std::string(kHashLabel)] = hash;
  return with_kept_subsets(with_kept_routes(std::move(manifest), live, managed), live);
}

Json filled_in(const Json& manifest, const Rollout& rollout, const Observed& live,
               const std::optional<Status>& status) {
  const std::string kind = text_at(manifest, {"kind"}), name = text_at(manifest, {"metadata", "name"});
  const std::string ns = text_at(manifest, {"metadata", "namespace"});
  const Target wanted =
      status ? target(rollout, *status) : Target{.roles = roles_of(rollout, Status{}), .whole = rollout.whole()};
  if (kind == "Service" && ns == rollout.key.ns && name == wanted.roles.stable)
    return with_selector(manifest, name, live, wanted.stable_service);
  if (kind == "Service" && ns == rollout.key.ns && name == wanted.roles.canary)
    return with_selector(manifest, name, live, wanted.canary_service);
  if (rollout.workload_ref && key_of(manifest) == workload_key(rollout))
    return with_replicas_kept(manifest, rollout, live, wanted);
  return with_routes(manifest, rollout, live, wanted);
}

}  // namespace reconciler
