#include "cluster/rehearsed_cluster.h"

#include "cluster/convert.h"
#include "cluster/object_calls.h"
#include "manifest/workload_ref.h"
#include "objects/managers.h"
#include "rollout/routing.h"

namespace reconciler {
namespace {

Json named(const std::string& api_version, const ObjectKey& key) {
  return {{"apiVersion", api_version}, {"kind", key.kind}, {"metadata", {{"name", key.name}, {"namespace", key.ns}}}};
}

}  // namespace

RehearsedCluster::RehearsedCluster(std::unique_ptr<HttpClient> http, std::string owner, std::string default_namespace)
    : api_(std::move(http)), owner_(std::move(owner)), default_namespace_(std::move(default_namespace)) {}

Result<std::unique_ptr<RehearsedCluster>> RehearsedCluster::open(const HttpClientSettings& http, std::string owner,
                                                                 std::string default_namespace) {
  auto client = HttpClient::open(http);
  if (!client) return client.error();
  return std::make_unique<RehearsedCluster>(*std::move(client), std::move(owner), std::move(default_namespace));
}

Result<Observed> RehearsedCluster::observe(const Rollout& rollout, TimePoint) {
  Observed out;
  for (const std::string& name : {rollout.stable_service, rollout.canary_service}) {
    if (name.empty()) continue;
    auto live = read(named("v1", {"", "Service", rollout.key.ns, name}), ReadMode::Fresh);
    if (!live) return live.error();
    if (*live) out.services[name] = service_state(**live);
  }
  for (const RouteObject& route : route_objects(rollout)) {
    auto version = api_.preferred_version(route.key.group);
    if (!version) return version.error();
    if (!*version) continue;
    auto live = read(named(**version, route.key), ReadMode::Fresh);
    if (!live) return live.error();
    if (*live) out.routes[route.key] = without_managed_fields(**std::move(live));
  }
  if (rollout.workload_ref) {
    auto live = read(named(rollout.workload_ref->api_version, workload_key(rollout)), ReadMode::Fresh);
    if (!live) return live.error();
    if (*live)
      if (auto replicas = integer_at(**live, {"spec", "replicas"})) out.workload_replicas = int(*replicas);
  }
  return out;
}

Result<std::optional<Json>> RehearsedCluster::read(const Json& manifest, ReadMode mode) {
  if (removed_.contains(key_of(manifest))) return std::optional<Json>();
  auto object = read_object(api_, manifest, default_namespace_);
  if (!object || !*object || mode == ReadMode::Fresh) return object;
  return std::optional<Json>(without_managed_fields(**std::move(object)));
}

Result<Json> RehearsedCluster::apply(const Json& object, ApplyMode) {
  const ObjectKey key = key_of(object);
  if (removed_.contains(key) || missing_.contains(key.ns)) return outcomes_[key] = object;
  auto call = apply_call(api_, object, ApplyMode::DryRun, {kFieldManager, owner_, default_namespace_});
  if (!call) return call.error();
  auto answer = api_.call(*call);
  if (!answer) return answer;
  return outcomes_[key] = without_managed_fields(*std::move(answer));
}

Result<void> RehearsedCluster::remove(const Json& live) {
  removed_.insert(key_of(live));
  return {};
}

Result<void> RehearsedCluster::ensure_namespace(const std::string& name) {
  if (namespaces_.contains(name) || missing_.contains(name)) return {};
  auto live = read(named("v1", {"", "Namespace", "", name}), ReadMode::Fresh);
  if (!live) return live.error();
  (*live ? namespaces_ : missing_).insert(name);
  return {};
}

Result<bool> RehearsedCluster::knows(const Json& manifest) {
  auto resource = api_.discover(text_at(manifest, {"apiVersion"}), text_at(manifest, {"kind"}));
  if (!resource) return resource.error();
  return resource->has_value();
}

std::optional<Json> RehearsedCluster::outcome(const ObjectKey& key) const {
  auto found = outcomes_.find(key);
  return found == outcomes_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace reconciler
