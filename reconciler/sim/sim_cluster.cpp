#include "sim/sim_cluster.h"

#include "base/format.h"
#include "cluster/convert.h"

namespace reconciler {
namespace {

constexpr const char* kManager = "serin";

std::optional<WatchedKind> kind_of(const ResourceType& type) {
  return watched_kind(type.stored_api_version(), type.kind);
}

/// What the HTTP adapter makes of the same answer.
Error error_of(const ApiError& answer, bool may_create, bool is_json_patch) {
  const bool failed_test = answer.code == 422 && is_json_patch && !find(answer.details, {"causes"});
  if (answer.code == 409 || failed_test) return conflict(answer.message);
  if (answer.code == 404) return may_create ? transient(answer.message) : conflict(answer.message);
  if (answer.code >= 500) return transient(answer.message);
  return invalid(answer.message);
}

bool is_followed(WatchedKind kind, const Json& object) {
  if (kind != WatchedKind::ReplicaSet && kind != WatchedKind::Pod) return true;
  return !text_at(object, {"metadata", "labels", kHashLabel}).empty();
}

}  // namespace

SimCluster::SimCluster(World& world, Writer& writer, SimClock& clock, Random random, Duration lag_longest,
                       Duration listed_after)
    : world_(world),
      writer_(writer),
      clock_(clock),
      random_(random),
      lag_longest_(lag_longest),
      listed_at_(clock.monotonic() + listed_after) {
  subscription_ = world_.subscribe([this](const StoreEvent& event) { note(event); });
}

SimCluster::~SimCluster() { world_.unsubscribe(subscription_); }

void SimCluster::list_all() {
  listed_ = true;
  for (const ResourceType* type : world_.catalogue().all()) {
    auto kind = kind_of(*type);
    if (!kind) continue;
    std::unordered_set<std::string> uids;
    for (const Object& object : world_.store().list(*type, "")) {
      if (!is_followed(*kind, *object)) continue;
      cache_.seen(*kind, *object);
      uids.insert(text_at(*object, {"metadata", "uid"}));
    }
    cache_.listed(*kind, std::to_string(world_.store().version()), uids);
  }
}

/// Each watch keeps its order; how far it lies behind changes all the time.
void SimCluster::note(const StoreEvent& event) {
  if (!listed_) return;
  auto kind = kind_of(*event.type);
  if (!kind || !is_followed(*kind, *event.object)) return;
  Duration due = clock_.monotonic();
  if (lag_longest_ > 0ms) due += random_.between(0ms, lag_longest_);
  auto& waiting = news_[*kind];
  if (!waiting.empty()) due = std::max(due, waiting.back().due);
  waiting.push_back({due, *kind, event});
}

bool SimCluster::deliver() {
  const Duration now = clock_.monotonic();
  if (!listed_) {
    if (now < listed_at_) return false;
    list_all();
    return true;
  }
  bool any = false;
  for (auto& [kind, waiting] : news_) {
    while (!waiting.empty() && waiting.front().due <= now) {
      const StoreEvent& event = waiting.front().event;
      if (event.kind == StoreEvent::Kind::Deleted) cache_.gone(kind, *event.object);
      if (event.kind != StoreEvent::Kind::Deleted) cache_.seen(kind, *event.object);
      waiting.pop_front();
      any = true;
    }
  }
  return any;
}

std::optional<Duration> SimCluster::next_due() const {
  if (!listed_) return listed_at_;
  std::optional<Duration> next;
  for (const auto& [kind, waiting] : news_)
    if (!waiting.empty() && (!next || waiting.front().due < *next)) next = waiting.front().due;
  return next;
}

Result<void> SimCluster::ready() {
  if (!listed_) return transient("the cluster's objects are being listed");
  return {};
}

Result<Observed> SimCluster::observe(const Rollout& rollout, TimePoint now) { return cache_.observe(rollout, now); }

Result<ResourcePath> SimCluster::path_of(const std::string& api_version, const std::string& kind, const std::string& ns,
                                         const std::string& name) const {
  const ResourceType* type = world_.catalogue().by_kind(api_version, kind);
  if (!type) return transient(format("the cluster does not know {} of {}", kind, api_version));
  return ResourcePath{.type = type, .ns = type->namespaced ? ns : "", .name = name};
}

Result<void> SimCluster::remove(const ResourcePath& path, const KubernetesWrite& write) {
  const std::string uid = text_at(write.body, {"preconditions", "uid"});
  auto removed = world_.remove(path, {.propagation = Propagation::Background, .uid = uid});
  // What does not exist any more is as it should be.
  if (!removed && removed.error().code != 404) return error_of(removed.error(), false, false);
  if (auto kind = kind_of(*path.type); kind && (!removed || removed->gone))
    cache_.deleted_by_us(*kind, write.ns, write.name, uid);
  return {};
}

Result<void> SimCluster::write(const KubernetesWrite& write) {
  auto path = path_of(write.api_version, write.kind, write.ns, write.name);
  if (!path) return path.error();
  if (write.verb == WriteVerb::Delete) return remove(*path, write);
  auto answer = [&]() -> Answer<Object> {
    if (write.verb == WriteVerb::Create) return world_.create(*path, write.body, {.manager = kManager});
    const PatchKind kind = write.verb == WriteVerb::JsonPatch ? PatchKind::Json : PatchKind::Merge;
    auto written = world_.patch(*path, kind, write.body, {.manager = kManager});
    if (!written) return written.error();
    return written->object;
  }();
  if (!answer) return error_of(answer.error(), write.verb == WriteVerb::Create, write.verb == WriteVerb::JsonPatch);
  if (auto kind = kind_of(*path->type)) cache_.seen(*kind, **answer);
  return {};
}

Result<void> SimCluster::evict(const RolloutKey& rollout, const EvictPods& action) {
  const ResourceType* pods = world_.catalogue().by_kind("v1", "Pod");
  ++writer_.writes;
  writer_.is_serin = true;
  writer_.rollout = rollout;
  Result<void> refused;
  for (const PodState& pod : action.pods) {
    auto evicted = world_.evict({.type = pods, .ns = rollout.ns, .name = pod.name}, {.uid = pod.uid});
    // One that is gone, or that has made room for a younger one, is as it should be.
    if (!evicted && evicted.error().code == 429 && refused) refused = transient(evicted.error().message);
  }
  writer_.is_serin = false;
  writer_.rollout.reset();
  return refused;
}

Result<void> SimCluster::carry_out(const RolloutKey& rollout, const Action& action) {
  if (const auto* pods = std::get_if<EvictPods>(&action)) return evict(rollout, *pods);
  const WriteTarget target = target_of(rollout, action);
  Json live;
  if (std::holds_alternative<SelectRevision>(action))
    live = cache_.find_object(WatchedKind::Service, target.ns, target.name).value_or(Json());
  auto planned = write_for(rollout, action, "serin", live);
  if (!planned) return planned.error();
  writer_.is_serin = true;
  writer_.rollout = rollout;
  ++writer_.writes;
  auto done = write(*planned);
  writer_.is_serin = false;
  writer_.rollout.reset();
  const auto* create = std::get_if<CreateReplicaSet>(&action);
  if (done || done.error().kind != ErrorKind::Conflict || !create) return done;
  // A name that is taken is fine when it is ours already: the answer to an earlier try was lost.
  auto existing = world_.get(*path_of("apps/v1", "ReplicaSet", rollout.ns, create->name));
  if (!existing) return conflict(create->name + " came and went");
  cache_.seen(WatchedKind::ReplicaSet, **existing);
  if (is_owned(summarize_replica_set(**existing), rollout, "serin")) return {};
  return conflict(create->name + " exists and is not of this rollout");
}

Result<std::optional<Json>> SimCluster::read(const Json& manifest) {
  const ObjectKey key = key_of(manifest);
  auto path = path_of(text_at(manifest, {"apiVersion"}), key.kind, key.ns, key.name);
  if (!path) return std::optional<Json>();
  if (auto kind = kind_of(*path->type); kind == WatchedKind::Service || kind == WatchedKind::VirtualService) {
    auto known = cache_.find_object(*kind, key.ns, key.name);
    if (known) return known;
  }
  auto object = world_.get(*path);
  if (!object) return std::optional<Json>();
  return std::optional<Json>(without_managed_fields(**object));
}

Result<Json> SimCluster::apply(const Json& object, ApplyMode mode) {
  const ObjectKey key = key_of(object);
  auto path = path_of(text_at(object, {"apiVersion"}), key.kind, key.ns, key.name);
  if (!path) return path.error();
  if (mode == ApplyMode::Status) path->subresource = "status";
  writer_.is_serin = true;
  if (mode != ApplyMode::DryRun) ++writer_.writes;
  Json body = without_managed_fields(object);
  if (mode != ApplyMode::Status) body = with_owner(std::move(body), "serin");
  auto applied =
      world_.patch(*path, PatchKind::Apply, body,
                   {.manager = kManager, .dry_run = mode == ApplyMode::DryRun, .force = true, .strict = true});
  writer_.is_serin = false;
  if (!applied) return error_of(applied.error(), true, false);
  auto kind = kind_of(*path->type);
  if (kind && mode != ApplyMode::DryRun && is_followed(*kind, *applied->object)) cache_.seen(*kind, *applied->object);
  return without_managed_fields(*applied->object);
}

Result<void> SimCluster::ensure_namespace(const std::string& name) {
  auto path = path_of("v1", "Namespace", "", name);
  if (!path) return path.error();
  if (world_.get(*path)) return {};
  ++writer_.writes;
  auto made = world_.create(
      *path, with_owner({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}}, "serin"),
      {.manager = kManager});
  if (!made && made.error().code != 409) return error_of(made.error(), true, false);
  return {};
}

}  // namespace reconciler
