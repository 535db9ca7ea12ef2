#include "daemon/shared_objects.h"

#include <algorithm>
#include <vector>

#include "manifest/workload_ref.h"
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

std::string first_label(const std::string& host) { return host.substr(0, host.find('.')); }

/// The destinations of a route, in order; empty when it has none.
std::vector<std::string> hosts_of(const Json& route) {
  std::vector<std::string> out;
  const Json* list = find(route, {"route"});
  if (!list || !list->is_array()) return out;
  for (const Json& each : *list) out.push_back(first_label(text_at(each, {"destination", "host"})));
  return out;
}

/// The live route that stands for this one: of the same name, else at the same place; null when it leads elsewhere.
const Json* counterpart(const Json& route, size_t index, const Json& live_http) {
  const std::string name = text_at(route, {"name"});
  const Json* found = nullptr;
  for (size_t i = 0; i < live_http.size(); ++i)
    if (name.empty() ? i == index : text_at(live_http[i], {"name"}) == name) found = &live_http[i];
  return found && hosts_of(*found) == hosts_of(route) ? found : nullptr;
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

bool is_managed(const Json& live_service) {
  return !text_at(live_service, {"metadata", "annotations", kManagedByAnnotation}).empty();
}

std::set<std::string> destination_hosts(const Json& live) {
  std::set<std::string> out;
  const Json* http = find(live, {"spec", "http"});
  if (text_at(live, {"kind"}) != "VirtualService" || !http || !http->is_array()) return out;
  for (const Json& route : *http)
    for (const std::string& host : hosts_of(route)) out.insert(host);
  return out;
}

Json keeping_traffic(Json manifest, const Json& live, const std::set<std::string>& managed) {
  const std::string hash = text_at(live, {"spec", "selector", kHashLabel});
  if (text_at(live, {"kind"}) == "Service" && is_managed(live) && !hash.empty())
    manifest["spec"]["selector"][std::string(kHashLabel)] = hash;
  const Json* live_http = find(live, {"spec", "http"});
  const Json* http = find(manifest, {"spec", "http"});
  if (managed.empty() || !live_http || !live_http->is_array() || !http || !http->is_array()) return manifest;
  for (size_t i = 0; i < http->size(); ++i) {
    Json& route = manifest["spec"]["http"][i];
    const Json* same = counterpart(route, i, *live_http);
    const auto hosts = hosts_of(route);
    const bool ours = std::any_of(hosts.begin(), hosts.end(), [&](auto& host) { return managed.contains(host); });
    if (!same || !ours) continue;
    for (size_t j = 0; j < hosts.size(); ++j)
      if (auto weight = integer_at((*same)["route"][j], {"weight"})) route["route"][j]["weight"] = *weight;
  }
  return manifest;
}

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
  if (rollout.workload_ref && key_of(manifest) == workload_key(rollout))
    return with_replicas_kept(manifest, rollout, live, wanted);
  return manifest;
}

}  // namespace reconciler
