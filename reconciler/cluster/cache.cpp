#include "cluster/cache.h"

#include <algorithm>
#include <charconv>

#include "objects/content.h"
#include "rollout/action.h"
#include "rollout/routing.h"

namespace reconciler {

namespace {

/// resourceVersions are opaque by contract and ascending numbers in practice; 0 stands for one that is not.
uint64_t version_number(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

uint64_t version_of(const Json& object) { return version_number(text_at(object, {"metadata", "resourceVersion"})); }

/// Does Kubernetes delete it with the object of this uid?
bool names_owner(const Json& object, std::string_view uid) {
  const Json* owners = find(object, {"metadata", "ownerReferences"});
  return owners && owners->is_array() &&
         std::any_of(owners->begin(), owners->end(), [&](const Json& owner) { return text_at(owner, {"uid"}) == uid; });
}

bool is_owned_by(const Json& object, std::string_view owner) {
  return text_at(object, {"metadata", "labels", kOwnerLabel}) == owner;
}

/// The object as far as anybody looks at it. Schemas of definitions that are not ours are large, and nobody does.
Json kept_part(const WatchedKind& kind, Json object, std::string_view owner) {
  object.erase("status");
  if (kind == kDefinitions && !is_owned_by(object, owner) && find(object, {"spec"})) object["spec"].erase("versions");
  return without_managed_fields(std::move(object));
}

RolloutKey rollout_at(const std::pair<std::string, std::string>& name) {
  return {.ns = name.first, .name = name.second};
}

/// The rollout whose experiment a Service leads to; nothing when it is of none.
std::optional<RolloutKey> experimenter(const WatchedKind& kind, const std::string& ns, const std::string& text) {
  if (kind != kServices || text.find(kExperimentLabel) == std::string::npos) return std::nullopt;
  auto object = parse_json(text);
  if (!object || text_at(*object, {"metadata", "labels", kExperimentLabel}).empty()) return std::nullopt;
  return RolloutKey{.ns = ns, .name = text_at(*object, {"metadata", "labels", kRolloutLabel})};
}

uint64_t looks_of(const Glimpse& glimpse) {
  const std::hash<std::string> hash;
  return glimpse.content ^ (hash(glimpse.health.why) + uint64_t(glimpse.health.status) * 0x9e3779b97f4a7c15u);
}

}  // namespace

/// Called with the lock held. Of an object that is not held although the watch has come further, the watch has seen the
/// end already.
bool ClusterCache::came_too_late(const WatchedKind& kind, uint64_t version, Source source) const {
  auto watched = watched_until_.find(kind);
  return source == Source::Answer && watched != watched_until_.end() && version <= watched->second;
}

/// Called with the lock held.
void ClusterCache::watched_until(const WatchedKind& kind, uint64_t version) {
  uint64_t& newest = watched_until_[kind];
  newest = std::max(newest, version);
}

/// Called with the lock held; true when the object is new or another than before.
template <class Kept>
bool ClusterCache::put(const WatchedKind& kind, Store<Kept>& store, const Json& object, Kept kept, Source source) {
  Name name{text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})};
  Entry<Kept> entry{
      .uid = text_at(object, {"metadata", "uid"}), .version = version_of(object), .kept = std::move(kept)};
  if (source == Source::Watch) watched_until(kind, entry.version);
  if (ended_.contains(entry.uid)) return false;
  auto place = store.find(name);
  if (place != store.end()) {
    bool is_news = entry.version == 0 || entry.version > place->second.version;
    if (!is_news) return false;
    bool differs = place->second.uid != entry.uid || !(place->second.kept == entry.kept);
    unindex(*place);
    place->second = std::move(entry);
    index(*place);
    return differs;
  }
  if (came_too_late(kind, entry.version, source)) return false;
  index(*store.emplace(std::move(name), std::move(entry)).first);
  return true;
}

/// Called with the lock held; true when it was there. An empty uid means whichever it is.
template <class Kept>
bool ClusterCache::drop(Store<Kept>& store, const Name& name, const std::string& uid) {
  auto place = store.find(name);
  if (place == store.end() || (!uid.empty() && place->second.uid != uid)) return false;
  unindex(*place);
  store.erase(place);
  return true;
}

/// Forgets the family when nobody of it is left.
template <class Change>
void ClusterCache::change_family(const std::string& uid, Change change) {
  auto place = families_.try_emplace(uid).first;
  Family& family = place->second;
  change(family);
  if (!family.replica_set && family.pods.empty()) families_.erase(place);
}

void ClusterCache::index(const ReplicaSets::value_type& kept) {
  const auto& [uid, version, summary] = kept.second;
  change_family(uid, [&](Family& family) { family.replica_set = &kept; });
  if (!summary.rollout.empty()) by_rollout_[{summary.ns, summary.rollout}].push_back(&kept);
  unmarked_.add(summary);
}

void ClusterCache::unindex(const ReplicaSets::value_type& kept) {
  const auto& [uid, version, summary] = kept.second;
  change_family(uid, [](Family& family) { family.replica_set = nullptr; });
  unmarked_.remove(summary);
  auto place = by_rollout_.find({summary.ns, summary.rollout});
  if (place == by_rollout_.end()) return;
  std::erase(place->second, &kept);
  if (place->second.empty()) by_rollout_.erase(place);
}

void ClusterCache::index(const Pods::value_type& kept) {
  const std::string& owner = kept.second.kept.replica_set_uid;
  if (!owner.empty()) change_family(owner, [&](Family& family) { family.pods.push_back(&kept); });
}

void ClusterCache::unindex(const Pods::value_type& kept) {
  const std::string& owner = kept.second.kept.replica_set_uid;
  if (!owner.empty()) change_family(owner, [&](Family& family) { std::erase(family.pods, &kept); });
}

/// A ReplicaSet that is not marked yet is told by its name, `<rollout>-<hash>`.
std::optional<RolloutKey> ClusterCache::rollout_of(const ReplicaSetSummary& replica_set) const {
  if (!replica_set.rollout.empty()) return RolloutKey{.ns = replica_set.ns, .name = replica_set.rollout};
  std::string_view name = replica_set.workload.name;
  std::string ending = "-" + replica_set.workload.hash;
  if (ending.size() == 1 || !name.ends_with(ending)) return std::nullopt;
  name.remove_suffix(ending.size());
  return RolloutKey{.ns = replica_set.ns, .name = std::string(name)};
}

/// A pod may be seen before its ReplicaSet, which comes by another watch; then its name tells,
/// `<rollout>-<hash>-<letters>`.
std::optional<RolloutKey> ClusterCache::rollout_of(const PodSummary& pod) const {
  auto family = families_.find(pod.replica_set_uid);
  if (family != families_.end() && family->second.replica_set)
    return rollout_of(family->second.replica_set->second.kept);
  std::string_view name = pod.name;
  for (int part = 0; part < 2; ++part) name = name.substr(0, name.rfind('-') == name.npos ? 0 : name.rfind('-'));
  if (pod.replica_set_uid.empty() || name.empty()) return std::nullopt;
  return RolloutKey{.ns = pod.ns, .name = std::string(name)};
}

/// Called with the lock held.
ClusterChange& ClusterCache::change_of(const WatchedKind& kind, const Name& name) {
  ObjectKey key = key_for(kind, name.first, name.second);
  return changes_.try_emplace(key, ClusterChange{.key = key}).first->second;
}

/// Called with the lock held. Before the first list there is nobody to tell: everything is new then.
void ClusterCache::changed(const WatchedKind& kind, const Name& name, std::optional<RolloutKey> rollout) {
  if (!listed_.contains(kind)) return;
  ClusterChange& change = change_of(kind, name);
  if (rollout) change.rollout = rollout;
}

/// Called with the lock held.
void ClusterCache::changed(const WatchedKind& kind, const Name& name, std::optional<Glimpse> now) {
  change_of(kind, name).seen = std::move(now);
}

void ClusterCache::wake_if_first(bool was_empty) {
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    if (was_empty && !changes_.empty()) wake = wake_;
  }
  if (wake) wake();
}

void ClusterCache::seen(const WatchedKind& kind, const Json& object) { take(kind, object, Source::Watch); }

void ClusterCache::answered(const WatchedKind& kind, const Json& object) { take(kind, object, Source::Answer); }

void ClusterCache::take(const WatchedKind& kind, const Json& object, Source source) {
  Name name{text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})};
  bool was_empty = false;
  if (kind == kReplicaSets) {
    ReplicaSetSummary summary = summarize_replica_set(object);
    std::lock_guard lock(mutex_);
    was_empty = changes_.empty();
    auto rollout = rollout_of(summary);
    if (put(kind, replica_sets_, object, std::move(summary), source)) changed(kind, name, rollout);
  } else if (kind == kPods) {
    PodSummary pod = summarize_pod(object);
    std::lock_guard lock(mutex_);
    was_empty = changes_.empty();
    auto rollout = rollout_of(pod);
    if (put(kind, pods_, object, std::move(pod), source)) changed(kind, name, rollout);
  } else if (kind == kRollouts) {
    RolloutObject summary = summarize_rollout(object, owner_, manager_);
    std::lock_guard lock(mutex_);
    was_empty = changes_.empty();
    if (put(kind, rollouts_, object, std::move(summary), source)) changed(kind, name, std::optional(rollout_at(name)));
  } else {
    const Json part = kept_part(kind, object, owner_);
    Glimpse now{.content = content_digest(part), .health = health_of(object)};
    KeptObject kept{.text = dump(part), .looks = looks_of(now)};
    kept.text.shrink_to_fit();
    std::lock_guard lock(mutex_);
    was_empty = changes_.empty();
    const auto rollout = experimenter(kind, name.first, kept.text);
    const std::string manager = manager_of(kind, name);
    const bool is_news = put(kind, objects_[kind], object, std::move(kept), source);
    index_manager(kind, name, manager);
    if (is_news) {
      changed(kind, name, std::move(now));
      if (rollout) changed(kind, name, rollout);
    }
  }
  wake_if_first(was_empty);
}

/// Called with the lock held. The rollout that a Service or DestinationRule says it is managed by; empty for none.
std::string ClusterCache::manager_of(const WatchedKind& kind, const Name& name) const {
  if (kind != kServices && kind != kDestinationRules) return "";
  const std::string* text = text_of(kind, name);
  if (!text || text->find(kManagedByAnnotation) == std::string::npos) return "";
  auto object = parse_json(*text);
  return object ? text_at(*object, {"metadata", "annotations", kManagedByAnnotation}) : "";
}

/// Called with the lock held, after the object changed; `before` is who managed it.
void ClusterCache::index_manager(const WatchedKind& kind, const Name& name, const std::string& before) {
  const std::string now = manager_of(kind, name);
  if (now == before) return;
  if (!before.empty()) managed_.erase({name.first, before, kind, name.second});
  if (!now.empty()) managed_.insert({name.first, now, kind, name.second});
}

/// Called with the lock held.
void ClusterCache::note_former(const Rollout& rollout, Observed& observed) const {
  const auto routes = route_objects(rollout);
  const auto first = managed_.lower_bound({rollout.key.ns, rollout.key.name, {}, ""});
  for (auto each = first; each != managed_.end(); ++each) {
    const auto& [ns, manager, kind, name] = *each;
    if (ns != rollout.key.ns || manager != rollout.key.name) return;
    const ObjectKey key = key_for(kind, ns, name);
    const bool is_named = std::any_of(routes.begin(), routes.end(), [&](const RouteObject& o) { return o.key == key; });
    const bool is_side = kind == kServices && (name == rollout.stable_service || name == rollout.canary_service);
    if (is_named || is_side) continue;
    auto object = parse_json(*text_of(kind, {ns, name}));
    if (object && kind == kServices) observed.former_services[name] = service_state(*object);
    if (object && kind == kDestinationRules) observed.former_rules[key] = *std::move(object);
  }
}

/// Called with the lock held; true when it was there.
bool ClusterCache::take_out(const WatchedKind& kind, const Name& name, const std::string& uid) {
  auto take_summary = [&](auto& store) {
    auto place = store.find(name);
    if (place == store.end()) return false;
    auto rollout = rollout_of(place->second.kept);
    if (!drop(store, name, uid)) return false;
    changed(kind, name, rollout);
    return true;
  };
  if (kind == kReplicaSets) return take_summary(replica_sets_);
  if (kind == kPods) return take_summary(pods_);
  if (kind == kRollouts) {
    if (!drop(rollouts_, name, uid)) return false;
    changed(kind, name, std::optional(rollout_at(name)));
    return true;
  }
  const std::string* text = text_of(kind, name);
  const auto rollout = text ? experimenter(kind, name.first, *text) : std::nullopt;
  const std::string manager = manager_of(kind, name);
  const auto store = objects_.find(kind);
  if (store == objects_.end() || !drop(store->second, name, uid)) return false;
  index_manager(kind, name, manager);
  changed(kind, name, std::optional<Glimpse>());
  if (rollout) changed(kind, name, rollout);
  return true;
}

void ClusterCache::deleted_by_us(const WatchedKind& kind, const std::string& ns, const std::string& name,
                                 const std::string& uid) {
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    was_empty = changes_.empty();
    if (!uid.empty()) ended_.emplace(uid, kind);
    // When the watch was faster, its end has been seen already and nothing older can come.
    if (!take_out(kind, {ns, name}, uid)) ended_.erase(uid);
  }
  wake_if_first(was_empty);
}

void ClusterCache::gone(const WatchedKind& kind, const Json& object) {
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    was_empty = changes_.empty();
    std::string uid = text_at(object, {"metadata", "uid"});
    ended_.erase(uid);
    watched_until(kind, version_of(object));
    take_out(kind, {text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})}, uid);
  }
  wake_if_first(was_empty);
}

/// Called with the lock held.
template <class Kept>
void ClusterCache::drop_unlisted(const WatchedKind& kind, Store<Kept>& store, uint64_t version,
                                 const std::unordered_set<std::string>& uids) {
  std::vector<Name> stale;
  for (const auto& [name, entry] : store)
    if (!uids.contains(entry.uid) && entry.version <= version) stale.push_back(name);
  for (const Name& name : stale) take_out(kind, name, "");
  std::erase_if(ended_, [&](const auto& end) { return end.second == kind && !uids.contains(end.first); });
}

void ClusterCache::listed(const WatchedKind& kind, const std::string& version,
                          const std::unordered_set<std::string>& uids) {
  {
    std::lock_guard lock(mutex_);
    uint64_t number = version_number(version);
    if (kind == kReplicaSets)
      drop_unlisted(kind, replica_sets_, number, uids);
    else if (kind == kPods)
      drop_unlisted(kind, pods_, number, uids);
    else if (kind == kRollouts)
      drop_unlisted(kind, rollouts_, number, uids);
    else
      drop_unlisted(kind, objects_[kind], number, uids);
    listed_.insert(kind);
  }
  wake();  // being ready is news too
}

std::optional<WatchedKind> ClusterCache::unlisted() const {
  std::lock_guard lock(mutex_);
  for (const WatchedKind& kind : {kReplicaSets, kPods, kServices, kVirtualServices, kRollouts})
    if (!listed_.contains(kind)) return kind;
  return std::nullopt;
}

bool ClusterCache::is_listed(const WatchedKind& kind) const {
  std::lock_guard lock(mutex_);
  return listed_.contains(kind);
}

void ClusterCache::forget(const WatchedKind& kind) {
  std::lock_guard lock(mutex_);
  listed_.erase(kind);
  objects_.erase(kind);
  std::erase_if(managed_, [&](const auto& managed) { return std::get<2>(managed) == kind; });
  std::erase_if(ended_, [&](const auto& end) { return end.second == kind; });
}

std::vector<PodSummary> ClusterCache::pods_of(const std::string& replica_set_uid) const {
  std::vector<PodSummary> pods;
  auto family = families_.find(replica_set_uid);
  if (family == families_.end()) return pods;
  for (const Pods::value_type* pod : family->second.pods) {
    pods.push_back(pod->second.kept);
    pods.back().uid = pod->second.uid;
  }
  std::sort(pods.begin(), pods.end(), [](const PodSummary& a, const PodSummary& b) { return a.name < b.name; });
  return pods;
}

/// Called with the lock held.
std::vector<const ReplicaSetSummary*> ClusterCache::adoptable(const Rollout& rollout) const {
  std::vector<const ReplicaSetSummary*> found;
  for (const std::string& name : unmarked_.candidates(rollout)) {
    const ReplicaSetSummary& candidate = replica_sets_.at({rollout.key.ns, name}).kept;
    if (may_adopt(candidate, rollout)) found.push_back(&candidate);
  }
  return found;
}

/// Called with the lock held. ReplicaSets that are named as ours would be and are not among ours.
std::vector<std::string> ClusterCache::names_taken(const RolloutKey& rollout, const std::vector<Workload>& ours) const {
  std::vector<std::string> out;
  const std::string prefix = rollout.name + "-";
  for (auto place = replica_sets_.lower_bound({rollout.ns, prefix});
       place != replica_sets_.end() && place->first.first == rollout.ns && place->first.second.starts_with(prefix);
       ++place) {
    const std::string& name = place->first.second;
    const bool is_ours = std::any_of(ours.begin(), ours.end(), [&](const Workload& w) { return w.name == name; });
    // Those of `<rollout>-<something>` have a name of their own.
    if (!is_ours && name.find('-', prefix.size()) == name.npos) out.push_back(name);
  }
  return out;
}

/// Called with the lock held; null when it is not there.
const std::string* ClusterCache::text_of(const WatchedKind& kind, const Name& name) const {
  auto store = objects_.find(kind);
  if (store == objects_.end()) return nullptr;
  auto place = store->second.find(name);
  return place == store->second.end() ? nullptr : &place->second.kept.text;
}

/// Called with the lock held.
void ClusterCache::note_experiment_services(const RolloutKey& rollout, Observed& observed) const {
  for (const Workload& w : observed.experiments) {
    const std::string* text = w.service.empty() ? nullptr : text_of(kServices, {rollout.ns, w.service});
    const auto object = text ? parse_json(*text) : Result<Json>(Json());
    if (!object || text_at(*object, {"metadata", "labels", kRolloutLabel}) != rollout.name ||
        text_at(*object, {"metadata", "labels", kExperimentLabel}).empty())
      continue;
    std::string& goes_with = observed.experiment_services[w.service];
    if (names_owner(*object, w.uid)) goes_with = w.name;
  }
}

Observed ClusterCache::observe(const Rollout& rollout, TimePoint now) const {
  Observed observed;
  std::vector<std::pair<ObjectKey, std::string>> routes;
  {
    std::lock_guard lock(mutex_);
    auto add = [&](const ReplicaSetSummary& summary, bool owned) {
      auto& kind = summary.experiment.empty() ? observed.workloads : observed.experiments;
      kind.push_back(workload_at(summary, pods_of(summary.workload.uid), owned, now));
    };
    if (auto marked = by_rollout_.find({rollout.key.ns, rollout.key.name}); marked != by_rollout_.end())
      for (const ReplicaSets::value_type* replica_set : marked->second)
        if (const ReplicaSetSummary& summary = replica_set->second.kept; is_owned(summary, rollout.key, owner_))
          add(summary, true);
    for (const ReplicaSetSummary* summary : adoptable(rollout)) add(*summary, false);
    observed.taken_names = names_taken(rollout.key, observed.workloads);
    for (const std::string& name : {rollout.stable_service, rollout.canary_service}) {
      if (const std::string* text = text_of(kServices, {rollout.key.ns, name}))
        if (auto object = parse_json(*text)) observed.services[name] = service_state(*object);
    }
    note_experiment_services(rollout.key, observed);
    note_former(rollout, observed);
    for (const RouteObject& route : route_objects(rollout))
      if (const std::string* text = text_of({route.key.group, route.key.kind}, {route.key.ns, route.key.name}))
        routes.emplace_back(route.key, *text);
    auto object = rollouts_.find({rollout.key.ns, rollout.key.name});
    if (object != rollouts_.end()) observed.object = object->second.kept;
  }
  for (auto* workloads : {&observed.workloads, &observed.experiments})
    std::sort(workloads->begin(), workloads->end(),
              [](const Workload& a, const Workload& b) { return a.name < b.name; });
  for (const auto& [key, text] : routes)
    if (auto object = parse_json(text)) observed.routes[key] = *std::move(object);
  return observed;
}

std::optional<Json> ClusterCache::find_object(const WatchedKind& kind, const std::string& ns,
                                              const std::string& name) const {
  std::string text;
  {
    std::lock_guard lock(mutex_);
    const std::string* kept = text_of(kind, {ns, name});
    if (!kept) return std::nullopt;
    text = *kept;
  }
  auto object = parse_json(text);
  return object ? std::optional<Json>(*std::move(object)) : std::nullopt;
}

std::vector<ClusterChange> ClusterCache::take_changes() {
  std::map<ObjectKey, ClusterChange> taken;
  {
    std::lock_guard lock(mutex_);
    taken.swap(changes_);
  }
  std::vector<ClusterChange> changes;
  for (auto& [key, change] : taken) changes.push_back(std::move(change));
  return changes;
}

void ClusterCache::wake() {
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    wake = wake_;
  }
  if (wake) wake();
}

void ClusterCache::on_change(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

}  // namespace reconciler
