#include "sim/sim_cluster.h"

#include <algorithm>

#include "base/format.h"
#include "cluster/action_source.h"
#include "cluster/convert.h"
#include "cluster/owner_check.h"

namespace reconciler {
namespace {

constexpr const char* kManager = "serin";

/// What the HTTP adapter makes of the same answer.
Error error_of(const ApiError& answer, bool may_create, bool is_json_patch) {
  const bool failed_test = answer.code == 422 && is_json_patch && !find(answer.details, {"causes"});
  if (answer.code == 409 || failed_test) return conflict(answer.message);
  if (answer.code == 404) return may_create ? transient(answer.message) : conflict(answer.message);
  if (answer.code >= 500) return transient(answer.message);
  return invalid(answer.message);
}

constexpr const char* kOwner = "serin";
constexpr size_t kAlwaysWatched = 5;

}  // namespace

SimCluster::SimCluster(World& world, Writer& writer, SimClock& clock, Random random, Duration lag_longest,
                       Duration listed_after)
    : world_(world),
      writer_(writer),
      clock_(clock),
      random_(random),
      lag_longest_(lag_longest),
      listed_at_(clock.monotonic() + listed_after),
      watches_{{.kind = kReplicaSets, .selection = Selection::Hashed},
               {.kind = kPods, .selection = Selection::Hashed},
               {.kind = kServices},
               {.kind = kVirtualServices},
               {.kind = kRollouts}} {
  subscription_ = world_.subscribe([this](const StoreEvent& event) { note(event); });
}

SimCluster::~SimCluster() { world_.unsubscribe(subscription_); }

void SimCluster::list_all() {
  listed_ = true;
  for (Watch& watch : watches_) list(watch);
}

void SimCluster::list(Watch& watch) {
  watch.listed = true;
  std::unordered_set<std::string> uids;
  for (const ResourceType* type : world_.catalogue().all()) {
    if (!watch.is_about(*type)) continue;
    for (const Object& object : world_.store().list(*type, "")) {
      if (!is_selected(watch.selection, kOwner, *object)) continue;
      cache_.seen(watch.kind, *object);
      uids.insert(text_at(*object, {"metadata", "uid"}));
    }
  }
  cache_.listed(watch.kind, std::to_string(world_.store().version()), uids);
}

void SimCluster::follow(const std::set<FollowedKind>& kinds) {
  std::map<WatchedKind, Selection> wanted;
  for (const FollowedKind& kind : kinds) {
    auto [place, added] =
        wanted.emplace(WatchedKind{.group = group_of(kind.api_version), .kind = kind.kind}, selection_of(kind.which));
    if (!added && kind.which == Follow::All) place->second = Selection::All;
  }
  auto first = watches_.begin() + kAlwaysWatched;
  for (auto always = watches_.begin(); always != first; ++always) wanted.erase(always->kind);
  watches_.erase(std::remove_if(first, watches_.end(),
                                [&](const Watch& watch) {
                                  auto place = wanted.find(watch.kind);
                                  if (place != wanted.end() && place->second == watch.selection) return false;
                                  cache_.forget(watch.kind);
                                  return true;
                                }),
                 watches_.end());
  for (auto watch = watches_.begin() + kAlwaysWatched; watch != watches_.end(); ++watch) wanted.erase(watch->kind);
  for (const auto& [kind, selection] : wanted) {
    watches_.push_back({.kind = kind, .selection = selection});
    if (listed_) list(watches_.back());
  }
}

/// Each watch keeps its order; how far it lies behind changes all the time.
void SimCluster::note(const StoreEvent& event) {
  for (Watch& watch : watches_) {
    if (!watch.listed || !watch.is_about(*event.type)) continue;
    const bool was = event.previous && is_selected(watch.selection, kOwner, *event.previous);
    const bool is = event.kind != StoreEvent::Kind::Deleted && is_selected(watch.selection, kOwner, *event.object);
    if (!was && !is) continue;
    StoreEvent seen = event;
    if (!is) seen.kind = StoreEvent::Kind::Deleted;  // what loses its label is gone to a watch that asks for it
    Duration due = clock_.monotonic();
    if (lag_longest_ > 0ms) due += random_.between(0ms, lag_longest_);
    if (!watch.news.empty()) due = std::max(due, watch.news.back().due);
    watch.news.push_back({due, std::move(seen)});
  }
}

/// The answer to a write is news like any other.
void SimCluster::remember(const ResourceType& type, const Json& object) {
  for (const Watch& watch : watches_)
    if (watch.is_about(type) && is_selected(watch.selection, kOwner, object)) cache_.answered(watch.kind, object);
}

bool SimCluster::deliver() {
  const Duration now = clock_.monotonic();
  if (!listed_) {
    if (now < listed_at_) return false;
    list_all();
    return true;
  }
  bool any = false;
  for (Watch& watch : watches_) {
    while (!watch.news.empty() && watch.news.front().due <= now) {
      const StoreEvent& event = watch.news.front().event;
      if (event.kind == StoreEvent::Kind::Deleted) cache_.gone(watch.kind, *event.object);
      if (event.kind != StoreEvent::Kind::Deleted) cache_.seen(watch.kind, *event.object);
      watch.news.pop_front();
      any = true;
    }
  }
  return any;
}

std::optional<Duration> SimCluster::next_due() const {
  if (!listed_) return listed_at_;
  std::optional<Duration> next;
  for (const Watch& watch : watches_)
    if (!watch.news.empty() && (!next || watch.news.front().due < *next)) next = watch.news.front().due;
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

Result<void> SimCluster::remove_at(const ResourcePath& path, const KubernetesWrite& write) {
  const std::string uid = text_at(write.body, {"preconditions", "uid"});
  auto removed = world_.remove(path, {.propagation = Propagation::Background, .uid = uid});
  // What does not exist any more is as it should be.
  if (!removed && removed.error().code != 404) return error_of(removed.error(), false, false);
  if (!removed || removed->gone) cache_.deleted_by_us(deleted_kind(write), write.ns, write.name, uid);
  return {};
}

Result<void> SimCluster::write(const KubernetesWrite& write) {
  auto path = path_of(write.api_version, write.kind, write.ns, write.name);
  if (!path) return path.error();
  if (write.verb == WriteVerb::Delete) return remove_at(*path, write);
  auto answer = [&]() -> Answer<Object> {
    if (write.verb == WriteVerb::Create) return world_.create(*path, write.body, {.manager = kManager});
    const PatchKind kind = write.verb == WriteVerb::JsonPatch ? PatchKind::Json : PatchKind::Merge;
    auto written = world_.patch(*path, kind, write.body, {.manager = kManager});
    if (!written) return written.error();
    return written->object;
  }();
  if (!answer) return error_of(answer.error(), write.verb == WriteVerb::Create, write.verb == WriteVerb::JsonPatch);
  remember(*path->type, **answer);
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
    const bool is_refused = !evicted && evicted.error().code == 429;
    if (is_refused && refused) refused = transient(evicted.error().message);
    if (!is_refused) cache_.deleted_by_us(kPods, rollout.ns, pod.name, pod.uid);
  }
  writer_.is_serin = false;
  writer_.rollout.reset();
  return refused;
}

Result<void> SimCluster::carry_out(const RolloutKey& rollout, const Action& action) {
  if (const auto* pods = std::get_if<EvictPods>(&action)) return evict(rollout, *pods);
  if (auto owner = check_owner(*this, rollout, action); !owner) return owner;
  const WriteTarget target = target_of(rollout, action);
  auto source = source_of(*this, rollout, action);
  if (!source) return source.error();
  Json live = *std::move(source);
  if (std::holds_alternative<SelectRevision>(action) || std::holds_alternative<ReleaseService>(action))
    live = cache_.find_object(kServices, target.ns, target.name).value_or(Json());
  auto planned = write_for(rollout, action, "serin", live);
  if (!planned) return planned.error();
  writer_.is_serin = true;
  writer_.rollout = rollout;
  ++writer_.writes;
  auto done = write(*planned);
  writer_.is_serin = false;
  writer_.rollout.reset();
  const bool of_experiment =
      std::holds_alternative<CreateExperimentPods>(action) || std::holds_alternative<CreateExperimentService>(action);
  if (!done && of_experiment && done.error().kind == ErrorKind::Conflict)
    return accept_existing_experiment(*this, rollout, action);
  const auto* create = std::get_if<CreateReplicaSet>(&action);
  if (done || done.error().kind != ErrorKind::Conflict || !create) return done;
  // A name that is taken is fine when it is ours already: the answer to an earlier try was lost.
  auto existing = world_.get(*path_of("apps/v1", "ReplicaSet", rollout.ns, create->name));
  if (!existing) return conflict(create->name + " came and went");
  cache_.seen(kReplicaSets, **existing);  // also without a hash label: its name is what matters
  if (is_owned(summarize_replica_set(**existing), rollout, "serin")) return {};
  return conflict(create->name + " exists and is not of this rollout");
}

Result<std::optional<Json>> SimCluster::read(const Json& manifest, ReadMode mode) {
  const ObjectKey key = key_of(manifest);
  auto path = path_of(text_at(manifest, {"apiVersion"}), key.kind, key.ns, key.name);
  if (!path) return std::optional<Json>();
  auto known = cache_.find_object({.group = key.group, .kind = key.kind}, path->ns, key.name);
  const bool fits = known && text_at(*known, {"apiVersion"}) == text_at(manifest, {"apiVersion"});
  if (fits && mode == ReadMode::Known) return known;
  auto object = world_.get(*path);
  if (!object) return std::optional<Json>();
  if (mode == ReadMode::Fresh) return std::optional<Json>(**object);
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
  if (mode != ApplyMode::Status) body = with_owner(std::move(body), kOwner);
  auto applied =
      world_.patch(*path, PatchKind::Apply, body,
                   {.manager = kManager, .dry_run = mode == ApplyMode::DryRun, .force = true, .strict = true});
  writer_.is_serin = false;
  if (!applied) return error_of(applied.error(), mode != ApplyMode::Status, false);
  if (mode != ApplyMode::DryRun) remember(*path->type, *applied->object);
  return without_managed_fields(*applied->object);
}

Result<void> SimCluster::patch(const Json& manifest, const Json& patch) {
  const ObjectKey key = key_of(manifest);
  auto path = path_of(text_at(manifest, {"apiVersion"}), key.kind, key.ns, key.name);
  if (!path) return path.error();
  writer_.is_serin = true;
  ++writer_.writes;
  auto patched = world_.patch(*path, PatchKind::Json, patch, {.manager = kManager});
  writer_.is_serin = false;
  if (!patched) return error_of(patched.error(), false, true);
  remember(*path->type, *patched->object);
  return {};
}

Result<void> SimCluster::remove(const Json& live) {
  const KubernetesWrite deletion = deletion_of(live);
  auto path = path_of(deletion.api_version, deletion.kind, deletion.ns, deletion.name);
  if (!path) return path.error();
  writer_.is_serin = true;
  ++writer_.writes;
  auto removed = remove_at(*path, deletion);
  writer_.is_serin = false;
  return removed;
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
