#include "cluster/kubernetes_cluster.h"

#include <algorithm>
#include <list>
#include <map>
#include <mutex>

#include "cluster/action_source.h"
#include "cluster/api.h"
#include "cluster/cache.h"
#include "cluster/kubernetes_inventory.h"
#include "cluster/object_calls.h"
#include "cluster/owner_check.h"
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

/// What rollouts are made of.
std::vector<Watched> watched_kinds() {
  return {{.kind = kReplicaSets, .version = "v1", .selection = Selection::Hashed},
          {.kind = kPods, .version = "v1", .selection = Selection::Hashed},
          {.kind = kServices, .version = "v1"},
          {.kind = kVirtualServices},
          {.kind = kRollouts, .version = "v1alpha1", .optional = true}};
}

bool is_established(const Json& definition) { return health_of(definition).status == HealthStatus::Current; }

}  // namespace

struct KubernetesCluster::Parts {
  Parts(KubernetesClusterSettings chosen, std::unique_ptr<HttpClient> http)
      : settings(std::move(chosen)),
        api(std::move(http), settings.calls_per_second),
        cache(settings.owner, settings.field_manager),
        inventory(api, settings.inventory, settings.default_namespace) {
    for (Watched& watched : watched_kinds()) reflectors.emplace_back(api, cache, settings.owner, std::move(watched));
    // Definitions of all are followed, so that a kind is found when it comes and nobody has to ask for it.
    definitions.emplace(
        api, cache, settings.owner,
        Watched{.kind = kDefinitions, .version = "v1", .page = 50, .on_seen = [this](const Json& object) {
                  if (is_established(object)) expect_kind_of(object);
                }});
  }
  ~Parts() {
    api.stop();
    definitions->stop();
    for (Reflector& reflector : reflectors) reflector.stop();  // all at once, then each is joined
    definitions.reset();                                       // it calls the others
  }

  const KubernetesClusterSettings settings;
  KubernetesApi api;
  ClusterCache cache;
  KubernetesInventory inventory;
  std::mutex mutex;                 ///< of the lists
  std::list<Reflector> reflectors;  ///< of rollouts first, then of followed kinds
  std::list<Reflector> retired;     ///< told to stop, and not done yet
  std::optional<Reflector> definitions;

  void follow(const FollowedKind& kind);
  void retire(std::list<Reflector>::iterator reflector);
  void expect_kind_of(const Json& definition);
  bool is_whole(const WatchedKind& kind);
  Applier applier() const { return {settings.field_manager, settings.owner, settings.default_namespace}; }
  Result<void> write(const KubernetesWrite& write);
  Result<void> remove(const KubernetesWrite& write, const ApiCall& call);
  Result<void> evict(const RolloutKey& rollout, const EvictPods& action);
  Result<void> accept_existing(const RolloutKey& rollout, const CreateReplicaSet& action);
  void remember(const Json& object);
  std::optional<std::optional<Json>> known(const Json& manifest);
};

KubernetesCluster::KubernetesCluster(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
KubernetesCluster::~KubernetesCluster() = default;

Result<std::unique_ptr<KubernetesCluster>> KubernetesCluster::open(KubernetesClusterSettings settings) {
  auto http = HttpClient::open(settings.http);
  if (!http) return http.error();
  auto client = settings.around_http ? settings.around_http(*std::move(http)) : *std::move(http);
  return std::make_unique<KubernetesCluster>(std::make_unique<Parts>(std::move(settings), std::move(client)));
}

void KubernetesCluster::Parts::expect_kind_of(const Json& definition) {
  const WatchedKind kind{.group = text_at(definition, {"spec", "group"}),
                         .kind = text_at(definition, {"spec", "names", "kind"})};
  std::lock_guard lock(mutex);
  for (Reflector& reflector : reflectors)
    if (reflector.watched().kind == kind) reflector.expect_kind();
}

/// Does the cache hold every object of the kind, whoever made it?
bool KubernetesCluster::Parts::is_whole(const WatchedKind& kind) {
  if (!cache.is_listed(kind)) return false;
  std::lock_guard lock(mutex);
  return std::any_of(reflectors.begin(), reflectors.end(), [&](const Reflector& reflector) {
    return reflector.watched().kind == kind && reflector.watched().selection == Selection::All;
  });
}

/// The answer to a write is news like any other.
void KubernetesCluster::Parts::remember(const Json& object) {
  if (definitions->is_about(object)) cache.answered(kDefinitions, object);
  std::lock_guard lock(mutex);
  for (Reflector& reflector : reflectors) {
    if (!reflector.is_about(object)) continue;
    reflector.expect_kind();
    cache.answered(reflector.watched().kind, object);
  }
}

void KubernetesCluster::Parts::follow(const FollowedKind& kind) {
  const size_t slash = kind.api_version.find('/');
  reflectors.emplace_back(
      api, cache, settings.owner,
      Watched{.kind = {.group = group_of(kind.api_version), .kind = kind.kind},
              .version = slash == std::string::npos ? kind.api_version : kind.api_version.substr(slash + 1),
              .selection = selection_of(kind.which)});
}

void KubernetesCluster::Parts::retire(std::list<Reflector>::iterator reflector) {
  reflector->stop();
  cache.forget(reflector->watched().kind);
  retired.splice(retired.end(), reflectors, reflector);
}

void KubernetesCluster::follow(const std::set<FollowedKind>& kinds) {
  const std::vector<Watched> always = watched_kinds();
  // One watch a kind: what somebody wants all of is not also followed in part, and one version is as good as another.
  std::map<WatchedKind, FollowedKind> wanted;
  for (const FollowedKind& kind : kinds) {
    const WatchedKind name{.group = group_of(kind.api_version), .kind = kind.kind};
    if (name == kDefinitions || std::any_of(always.begin(), always.end(), [&](auto& w) { return w.kind == name; }))
      continue;
    auto [place, added] = wanted.emplace(name, kind);
    if (!added && kind.which == Follow::All) place->second = kind;
  }
  std::lock_guard lock(parts_->mutex);
  std::erase_if(parts_->retired, [](const Reflector& reflector) { return reflector.is_finished(); });
  auto first = std::next(parts_->reflectors.begin(), std::ptrdiff_t(always.size()));
  for (auto next = first; next != parts_->reflectors.end();) {
    auto reflector = next++;
    auto place = wanted.find(reflector->watched().kind);
    if (place != wanted.end() && selection_of(place->second.which) == reflector->watched().selection)
      wanted.erase(place);
    else
      parts_->retire(reflector);
  }
  for (const auto& [name, kind] : wanted) parts_->follow(kind);
}

Result<void> KubernetesCluster::ready() {
  std::lock_guard lock(parts_->mutex);
  const bool rollouts_listed = !parts_->cache.unlisted();
  if (!rollouts_listed)
    for (const Reflector& reflector : parts_->reflectors)
      if (std::string trouble = reflector.trouble(); !trouble.empty()) return transient(trouble);
  const bool all_tried =
      parts_->definitions->has_tried() && std::all_of(parts_->reflectors.begin(), parts_->reflectors.end(),
                                                      [](const Reflector& reflector) { return reflector.has_tried(); });
  if (!rollouts_listed || !all_tried) return transient("the cluster's objects are being listed");
  return {};
}

Result<Observed> KubernetesCluster::observe(const Rollout& rollout, TimePoint now) {
  if (parts_->cache.unlisted())
    if (auto listed = ready(); !listed) return listed.error();
  return parts_->cache.observe(rollout, now);
}

Result<void> KubernetesCluster::Parts::write(const KubernetesWrite& write) {
  auto resource = resource_of(api, write.api_version, write.kind);
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
  if (!lingers)
    cache.deleted_by_us(deleted_kind(write), write.ns, write.name, text_at(write.body, {"preconditions", "uid"}));
  return {};
}

/// A name that is taken is fine when it is ours already: the answer to an earlier try was lost.
Result<void> KubernetesCluster::Parts::accept_existing(const RolloutKey& rollout, const CreateReplicaSet& action) {
  auto resource = resource_of(api, "apps/v1", "ReplicaSet");
  if (!resource) return resource.error();
  ApiCall call;
  call.path = path_of(*resource, rollout.ns, action.name);
  call.about = "read ReplicaSet " + rollout.ns + "/" + action.name;
  auto existing = api.find_object(call);
  if (!existing) return existing.error();
  if (!*existing) return conflict("ReplicaSet " + rollout.ns + "/" + action.name + " came and went");
  cache.seen(kReplicaSets, **existing);  // also without a hash label: its name is what matters
  if (is_owned(summarize_replica_set(**existing), rollout, settings.owner)) return {};
  return conflict("ReplicaSet " + rollout.ns + "/" + action.name + " exists and is not of this rollout");
}

/// One that is refused, by a PodDisruptionBudget above all, does not keep the others from going.
Result<void> KubernetesCluster::Parts::evict(const RolloutKey& rollout, const EvictPods& action) {
  auto resource = resource_of(api, "v1", "Pod");
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
    // Or the next pass, before the watch tells of it, would evict it once more.
    if (done) cache.deleted_by_us(kPods, rollout.ns, pod.name, pod.uid);
  }
  return refused;
}

Result<void> KubernetesCluster::carry_out(const RolloutKey& rollout, const Action& action) {
  if (const auto* evict = std::get_if<EvictPods>(&action)) return parts_->evict(rollout, *evict);
  if (auto owner = check_owner(*this, rollout, action); !owner) return owner;
  WriteTarget target = target_of(rollout, action);
  auto source = source_of(*this, rollout, action);
  if (!source) return source.error();
  Json live = *std::move(source);
  if (std::holds_alternative<SelectRevision>(action) || std::holds_alternative<ReleaseService>(action))
    live = parts_->cache.find_object(kServices, target.ns, target.name).value_or(Json());
  auto write = write_for(rollout, action, parts_->settings.owner, live);
  if (!write) return write.error();
  auto done = parts_->write(*write);
  const bool of_experiment =
      std::holds_alternative<CreateExperimentPods>(action) || std::holds_alternative<CreateExperimentService>(action);
  if (!done && of_experiment && done.error().kind == ErrorKind::Conflict)
    return accept_existing_experiment(*this, rollout, action);
  const auto* create = std::get_if<CreateReplicaSet>(&action);
  const bool makes_pods = create || std::holds_alternative<CreateExperimentPods>(action);
  if (done || !makes_pods) return done;
  if (create && done.error().kind == ErrorKind::Conflict) return parts_->accept_existing(rollout, *create);
  // A Rollout, or an Experiment, may be the first object of its namespace.
  if (auto there = ensure_namespace(rollout.ns); !there) return done;
  return parts_->write(*write);
}

/// What the cache tells of it; nothing when the API server must be asked.
std::optional<std::optional<Json>> KubernetesCluster::Parts::known(const Json& manifest) {
  const ObjectKey key = key_of(manifest);
  const WatchedKind kind{.group = key.group, .kind = key.kind};
  auto object = cache.find_object(kind, key.ns.empty() ? settings.default_namespace : key.ns, key.name);
  if (!object) object = cache.find_object(kind, "", key.name);
  // The cache holds one version of a custom resource; another one is the server's to convert.
  if (object && text_at(*object, {"apiVersion"}) == text_at(manifest, {"apiVersion"})) return object;
  if (!object && is_whole(kind)) return object;
  return std::nullopt;
}

Result<std::optional<Json>> KubernetesCluster::read(const Json& manifest, ReadMode mode) {
  if (mode == ReadMode::Known)
    if (auto known = parts_->known(manifest)) return *known;
  auto object = read_object(parts_->api, manifest, parts_->settings.default_namespace);
  if (!object || !*object || mode == ReadMode::Fresh) return object;
  return std::optional<Json>(without_managed_fields(**std::move(object)));
}

Result<void> KubernetesCluster::patch(const Json& manifest, const Json& patch) {
  auto call = call_about(parts_->api, "patch", manifest, parts_->settings.default_namespace);
  if (!call) return call.error();
  call->method = "PATCH";
  call->content_type = "application/json-patch+json";
  call->path += "?fieldManager=" + percent_encoded(parts_->settings.field_manager);
  call->body = patch;
  auto patched = parts_->api.call(*call);
  if (!patched) return patched.error();
  parts_->remember(*patched);
  return {};
}

Result<Json> KubernetesCluster::apply(const Json& object, ApplyMode mode) {
  auto call = apply_call(parts_->api, object, mode, parts_->applier());
  if (!call) return call.error();
  auto applied = parts_->api.call(*call);
  if (!applied) return applied.error();
  if (mode != ApplyMode::DryRun) parts_->remember(*applied);
  return without_managed_fields(*std::move(applied));
}

Result<void> KubernetesCluster::remove(const Json& live) {
  auto call = call_about(parts_->api, "delete", live, parts_->settings.default_namespace);
  if (!call) return call.error();
  KubernetesWrite write = deletion_of(live);
  call->method = method_of(write.verb);
  call->body = write.body;
  return parts_->remove(write, *call);
}

InventoryStore& KubernetesCluster::inventory() { return parts_->inventory; }

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
