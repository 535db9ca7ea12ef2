#include "cluster/kubernetes_cluster.h"

#include <list>

#include "cluster/api.h"
#include "cluster/cache.h"
#include "cluster/reflector.h"
#include "cluster/writes.h"

namespace reconciler {

namespace {

std::string_view content_type_of(WriteVerb verb) {
  switch (verb) {
    case WriteVerb::Create:
    case WriteVerb::Delete: return "application/json";
    case WriteVerb::MergePatch: return "application/merge-patch+json";
    case WriteVerb::JsonPatch: return "application/json-patch+json";
  }
  unreachable();
}

std::string_view method_of(WriteVerb verb) {
  switch (verb) {
    case WriteVerb::Create: return "POST";
    case WriteVerb::Delete: return "DELETE";
    case WriteVerb::MergePatch:
    case WriteVerb::JsonPatch: return "PATCH";
  }
  unreachable();
}

std::vector<Watched> watched_kinds() {
  return {
      {.kind = WatchedKind::ReplicaSet,
       .group = "apps",
       .version = "v1",
       .name = "ReplicaSet",
       .label_selector = std::string(kHashLabel)},
      {.kind = WatchedKind::Pod,
       .group = "",
       .version = "v1",
       .name = "Pod",
       .label_selector = std::string(kHashLabel)},
      {.kind = WatchedKind::Service, .group = "", .version = "v1", .name = "Service", .label_selector = ""},
      {.kind = WatchedKind::VirtualService,
       .group = "networking.istio.io",
       .version = "",
       .name = "VirtualService",
       .label_selector = ""},
      {.kind = WatchedKind::Rollout,
       .group = "argoproj.io",
       .version = "v1alpha1",
       .name = "Rollout",
       .label_selector = "",
       .optional = true},
  };
}

}  // namespace

struct KubernetesCluster::Parts {
  Parts(KubernetesClusterSettings chosen, std::unique_ptr<HttpClient> http)
      : settings(std::move(chosen)), api(std::move(http)), cache(settings.owner, settings.field_manager) {
    for (Watched& watched : watched_kinds()) reflectors.emplace_back(api, cache, std::move(watched));
  }
  ~Parts() {
    api.stop();
    for (Reflector& reflector : reflectors) reflector.stop();  // all at once, then each is joined
  }

  const KubernetesClusterSettings settings;
  KubernetesApi api;
  ClusterCache cache;
  std::list<Reflector> reflectors;

  Result<Resource> resource_of(const std::string& api_version, const std::string& kind);
  Result<ApiCall> call_about(const std::string& verb, const Json& object);
  Result<void> write(const KubernetesWrite& write);
  Result<void> remove(const KubernetesWrite& write, const ApiCall& call);
  Result<void> evict(const RolloutKey& rollout, const EvictPods& action);
  Result<void> accept_existing(const RolloutKey& rollout, const CreateReplicaSet& action);
  void remember(const Json& object);
};

KubernetesCluster::KubernetesCluster(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
KubernetesCluster::~KubernetesCluster() = default;

Result<std::unique_ptr<KubernetesCluster>> KubernetesCluster::open(KubernetesClusterSettings settings) {
  auto http = HttpClient::open(settings.http);
  if (!http) return http.error();
  auto client = settings.around_http ? settings.around_http(*std::move(http)) : *std::move(http);
  return std::make_unique<KubernetesCluster>(std::make_unique<Parts>(std::move(settings), std::move(client)));
}

Result<Resource> KubernetesCluster::Parts::resource_of(const std::string& api_version, const std::string& kind) {
  auto resource = api.discover(api_version, kind);
  if (!resource) return resource.error();
  if (!*resource)
    return transient("the cluster does not know " + kind + " of " + api_version +
                     " (yet): install its CustomResourceDefinition");
  return **resource;
}

/// A call about the object that a manifest names, with its path filled in.
Result<ApiCall> KubernetesCluster::Parts::call_about(const std::string& verb, const Json& object) {
  ObjectKey key = key_of(object);
  auto resource = resource_of(text_at(object, {"apiVersion"}), key.kind);
  if (!resource) return Error{resource.error().kind, verb + " " + key.text() + ": " + resource.error().message};
  std::string ns = !resource->namespaced ? "" : key.ns.empty() ? settings.default_namespace : key.ns;
  key.ns = ns;
  ApiCall call;
  call.path = path_of(*resource, ns, key.name);
  call.about = verb + " " + key.text();
  call.secret = key.kind == "Secret" && key.group.empty();
  return call;
}

/// The answer to a write is news like any other.
void KubernetesCluster::Parts::remember(const Json& object) {
  auto kind = watched_kind(text_at(object, {"apiVersion"}), text_at(object, {"kind"}));
  if (kind == WatchedKind::VirtualService || kind == WatchedKind::Rollout ||
      text_at(object, {"kind"}) == "CustomResourceDefinition")
    for (Reflector& reflector : reflectors) reflector.expect_kind();
  if (!kind) return;
  bool is_followed = (*kind != WatchedKind::ReplicaSet && *kind != WatchedKind::Pod) ||
                     !text_at(object, {"metadata", "labels", kHashLabel}).empty();
  if (is_followed) cache.seen(*kind, object);
}

Result<void> KubernetesCluster::ready() {
  if (!parts_->cache.unlisted()) return {};
  for (const Reflector& reflector : parts_->reflectors)
    if (std::string trouble = reflector.trouble(); !trouble.empty()) return transient(trouble);
  return transient("the cluster's objects are being listed");
}

Result<Observed> KubernetesCluster::observe(const Rollout& rollout, TimePoint now) {
  if (auto listed = ready(); !listed) return listed.error();
  return parts_->cache.observe(rollout, now);
}

Result<void> KubernetesCluster::Parts::write(const KubernetesWrite& write) {
  auto resource = resource_of(write.api_version, write.kind);
  if (!resource) return resource.error();
  ApiCall call;
  call.method = method_of(write.verb);
  call.content_type = content_type_of(write.verb);
  call.path = path_of(*resource, write.ns, write.verb == WriteVerb::Create ? "" : write.name);
  if (write.verb != WriteVerb::Delete) call.path += "?fieldManager=" + percent_encoded(settings.field_manager);
  call.body = write.body;
  call.about = call.method + " " + write.kind + " " + write.ns + "/" + write.name;
  if (write.verb == WriteVerb::Delete) return remove(write, call);
  auto answer = api.call(call);
  if (!answer) return answer.error();
  remember(*answer);
  return {};
}

/// What does not exist any more is as it should be.
Result<void> KubernetesCluster::Parts::remove(const KubernetesWrite& write, const ApiCall& call) {
  auto answer = api.find_object(call);
  if (!answer) return answer.error();
  bool lingers = *answer && find(**answer, {"metadata", "deletionTimestamp"}) != nullptr;  // a finalizer holds it
  auto kind = watched_kind(write.api_version, write.kind);
  if (kind && !lingers) cache.deleted_by_us(*kind, write.ns, write.name, text_at(write.body, {"preconditions", "uid"}));
  return {};
}

/// A name that is taken is fine when it is ours already: the answer to an earlier try was lost.
Result<void> KubernetesCluster::Parts::accept_existing(const RolloutKey& rollout, const CreateReplicaSet& action) {
  auto resource = resource_of("apps/v1", "ReplicaSet");
  if (!resource) return resource.error();
  ApiCall call;
  call.path = path_of(*resource, rollout.ns, action.name);
  call.about = "read ReplicaSet " + rollout.ns + "/" + action.name;
  auto existing = api.find_object(call);
  if (!existing) return existing.error();
  if (!*existing) return conflict("ReplicaSet " + rollout.ns + "/" + action.name + " came and went");
  cache.seen(WatchedKind::ReplicaSet, **existing);  // also without a hash label: its name is what matters
  if (is_owned(summarize_replica_set(**existing), rollout, settings.owner)) return {};
  return conflict("ReplicaSet " + rollout.ns + "/" + action.name + " exists and is not of this rollout");
}

/// One that is refused, by a PodDisruptionBudget above all, does not keep the others from going.
Result<void> KubernetesCluster::Parts::evict(const RolloutKey& rollout, const EvictPods& action) {
  auto resource = resource_of("v1", "Pod");
  if (!resource) return resource.error();
  Result<void> refused;
  for (const PodState& pod : action.pods) {
    ApiCall call;
    call.method = "POST";
    call.path = path_of(*resource, rollout.ns, pod.name) + "/eviction";
    call.body = eviction_of(rollout, pod);
    call.about = "evict Pod " + rollout.ns + "/" + pod.name;
    call.waits_when_throttled = false;
    auto answer = api.find_object(call);
    // Another pod of that name is a younger one.
    const bool done = answer || answer.error().kind == ErrorKind::Conflict;
    if (!done && refused) refused = transient(answer.error().message);
  }
  return refused;
}

Result<void> KubernetesCluster::carry_out(const RolloutKey& rollout, const Action& action) {
  if (const auto* evict = std::get_if<EvictPods>(&action)) return parts_->evict(rollout, *evict);
  WriteTarget target = target_of(rollout, action);
  Json live;
  if (std::holds_alternative<SelectRevision>(action))
    live = parts_->cache.find_object(WatchedKind::Service, target.ns, target.name).value_or(Json());
  auto write = write_for(rollout, action, parts_->settings.owner, live);
  if (!write) return write.error();
  auto done = parts_->write(*write);
  if (done || done.error().kind != ErrorKind::Conflict) return done;
  if (const auto* create = std::get_if<CreateReplicaSet>(&action)) return parts_->accept_existing(rollout, *create);
  return done;
}

Result<std::optional<Json>> KubernetesCluster::read(const Json& manifest) {
  std::string api_version = text_at(manifest, {"apiVersion"});
  ObjectKey key = key_of(manifest);
  auto kind = watched_kind(api_version, key.kind);
  bool is_kept_whole = kind == WatchedKind::Service || kind == WatchedKind::VirtualService;
  if (is_kept_whole && !parts_->cache.unlisted()) {
    auto object =
        parts_->cache.find_object(*kind, key.ns.empty() ? parts_->settings.default_namespace : key.ns, key.name);
    // The cache holds one version of a custom resource; another one is the server's to convert.
    if (object && text_at(*object, {"apiVersion"}) == api_version) return object;
    if (!object && kind == WatchedKind::Service) return object;
  }
  auto resource = parts_->api.discover(api_version, key.kind);
  if (!resource) return resource.error();
  if (!*resource) return std::optional<Json>();
  auto call = parts_->call_about("read", manifest);
  if (!call) return call.error();
  auto object = parts_->api.find_object(*call);
  if (!object) return object.error();
  if (*object) return std::optional<Json>(without_managed_fields(**std::move(object)));
  return std::optional<Json>();
}

Result<Json> KubernetesCluster::apply(const Json& object, ApplyMode mode) {
  auto call = parts_->call_about(mode == ApplyMode::DryRun ? "compare" : "apply", object);
  if (!call) return call.error();
  call->method = "PATCH";
  call->content_type = "application/apply-patch+yaml";
  if (mode == ApplyMode::Status) call->path += "/status";
  call->path += "?fieldManager=" + percent_encoded(parts_->settings.field_manager) +
                "&force=true&fieldValidation=Strict" + (mode == ApplyMode::DryRun ? "&dryRun=All" : "");
  call->body = without_managed_fields(object);
  if (mode != ApplyMode::Status) call->body = with_owner(std::move(call->body), parts_->settings.owner);
  auto applied = parts_->api.call(*call);
  if (!applied) return applied.error();
  if (mode != ApplyMode::DryRun) parts_->remember(*applied);
  return without_managed_fields(*std::move(applied));
}

Result<void> KubernetesCluster::ensure_namespace(const std::string& name) {
  ApiCall call;
  call.path = "/api/v1/namespaces/" + percent_encoded(name);
  call.about = "read Namespace " + name;
  auto existing = parts_->api.find_object(call);
  if (!existing) return existing.error();
  if (*existing) return {};
  call = {};
  call.method = "POST";
  call.path = "/api/v1/namespaces";
  call.about = "create Namespace " + name;
  call.body =
      with_owner({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}}, parts_->settings.owner);
  auto created = parts_->api.call(call);
  if (!created && created.error().kind != ErrorKind::Conflict) return created.error();
  return {};
}

std::vector<ClusterChange> KubernetesCluster::take_changes() { return parts_->cache.take_changes(); }
void KubernetesCluster::on_change(std::function<void()> wake) { parts_->cache.on_change(std::move(wake)); }

}  // namespace reconciler
