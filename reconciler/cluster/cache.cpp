#include "cluster/cache.h"

#include <algorithm>
#include <charconv>

namespace reconciler {

namespace {

/// resourceVersions are opaque by contract and ascending numbers in practice; 0 stands for one that is not.
uint64_t version_number(std::string_view text) {
  uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

uint64_t version_of(const Json& object) { return version_number(text_at(object, {"metadata", "resourceVersion"})); }

std::string kept_text(const Json& object) { return dump(without_managed_fields(object)); }

}  // namespace

/// Called with the lock held; true when the object is new or another than before.
template <class Kept>
bool ClusterCache::put(Store<Kept>& store, const Json& object, Kept kept) {
  Name name{text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})};
  Entry<Kept> entry{
      .uid = text_at(object, {"metadata", "uid"}), .version = version_of(object), .kept = std::move(kept)};
  if (ended_.contains(entry.uid)) return false;
  auto place = store.find(name);
  if (place != store.end()) {
    bool is_news = entry.version == 0 || entry.version > place->second.version;
    if (!is_news) return false;
    bool differs = place->second.uid != entry.uid || !(place->second.kept == entry.kept);
    unindex(place->second);
    place->second = std::move(entry);
    index(place->second);
    return differs;
  }
  auto added = store.emplace(std::move(name), std::move(entry)).first;
  index(added->second);
  return true;
}

/// Called with the lock held; true when it was there. An empty uid means whichever it is.
template <class Kept>
bool ClusterCache::drop(Store<Kept>& store, const Name& name, const std::string& uid) {
  auto place = store.find(name);
  if (place == store.end() || (!uid.empty() && place->second.uid != uid)) return false;
  unindex(place->second);
  store.erase(place);
  return true;
}

void ClusterCache::index(const Entry<ReplicaSetSummary>& entry) {
  const ReplicaSetSummary& summary = entry.kept;
  replica_set_by_uid_[entry.uid] = {summary.ns, summary.workload.name};
  if (!summary.rollout.empty()) by_rollout_[{summary.ns, summary.rollout}].insert(summary.workload.name);
  unmarked_.add(summary);
}

void ClusterCache::unindex(const Entry<ReplicaSetSummary>& entry) {
  const ReplicaSetSummary& summary = entry.kept;
  replica_set_by_uid_.erase(entry.uid);
  unmarked_.remove(summary);
  auto place = by_rollout_.find({summary.ns, summary.rollout});
  if (place == by_rollout_.end()) return;
  place->second.erase(summary.workload.name);
  if (place->second.empty()) by_rollout_.erase(place);
}

void ClusterCache::index(const Entry<PodSummary>& entry) {
  const PodSummary& pod = entry.kept;
  if (!pod.replica_set_uid.empty()) pods_by_replica_set_[pod.replica_set_uid].insert({pod.ns, pod.name});
}

void ClusterCache::unindex(const Entry<PodSummary>& entry) {
  const PodSummary& pod = entry.kept;
  auto place = pods_by_replica_set_.find(pod.replica_set_uid);
  if (place == pods_by_replica_set_.end()) return;
  place->second.erase({pod.ns, pod.name});
  if (place->second.empty()) pods_by_replica_set_.erase(place);
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
  auto owner = replica_set_by_uid_.find(pod.replica_set_uid);
  if (owner != replica_set_by_uid_.end()) return rollout_of(replica_sets_.at(owner->second).kept);
  std::string_view name = pod.name;
  for (int part = 0; part < 2; ++part) name = name.substr(0, name.rfind('-') == name.npos ? 0 : name.rfind('-'));
  if (pod.replica_set_uid.empty() || name.empty()) return std::nullopt;
  return RolloutKey{.ns = pod.ns, .name = std::string(name)};
}

/// Called with the lock held. Before the first list there is nobody to tell: everything is new then.
void ClusterCache::changed(WatchedKind kind, const Name& name, std::optional<RolloutKey> rollout) {
  if (!listed_.contains(kind)) return;
  if (kind == WatchedKind::Rollout) rollout = RolloutKey{name.first, name.second};
  ObjectKey key = key_for(kind, name.first, name.second);
  auto [place, added] = changes_.try_emplace(key, ClusterChange{.key = key, .rollout = rollout});
  if (!added && rollout) place->second.rollout = rollout;
}

void ClusterCache::wake_if_first(bool was_empty) {
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    if (was_empty && !changes_.empty()) wake = wake_;
  }
  if (wake) wake();
}

void ClusterCache::seen(WatchedKind kind, const Json& object) {
  Name name{text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})};
  bool was_empty = false;
  auto take = [&](auto& store, auto kept) {
    auto rollout = rollout_of(kept);
    std::lock_guard lock(mutex_);
    was_empty = changes_.empty();
    if (put(store, object, std::move(kept))) changed(kind, name, rollout);
  };
  switch (kind) {
    case WatchedKind::ReplicaSet: take(replica_sets_, summarize_replica_set(object)); break;
    case WatchedKind::Service: take(services_, kept_text(object)); break;
    case WatchedKind::VirtualService: take(virtual_services_, kept_text(object)); break;
    case WatchedKind::Rollout: take(rollouts_, summarize_rollout(object, owner_, manager_)); break;
    case WatchedKind::Pod: {
      PodSummary pod = summarize_pod(object);
      std::lock_guard lock(mutex_);
      was_empty = changes_.empty();
      auto rollout = rollout_of(pod);
      if (put(pods_, object, std::move(pod))) changed(kind, name, rollout);
    }
  }
  wake_if_first(was_empty);
}

/// Called with the lock held; true when it was there.
bool ClusterCache::forget(WatchedKind kind, const Name& name, const std::string& uid) {
  auto take_out = [&](auto& store) {
    auto place = store.find(name);
    if (place == store.end()) return false;
    auto rollout = rollout_of(place->second.kept);
    if (!drop(store, name, uid)) return false;
    changed(kind, name, rollout);
    return true;
  };
  switch (kind) {
    case WatchedKind::ReplicaSet: return take_out(replica_sets_);
    case WatchedKind::Pod: return take_out(pods_);
    case WatchedKind::Service: return take_out(services_);
    case WatchedKind::VirtualService: return take_out(virtual_services_);
    case WatchedKind::Rollout: return take_out(rollouts_);
  }
  unreachable();
}

void ClusterCache::deleted_by_us(WatchedKind kind, const std::string& ns, const std::string& name,
                                 const std::string& uid) {
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    was_empty = changes_.empty();
    if (!uid.empty()) ended_.emplace(uid, kind);
    // When the watch was faster, its end has been seen already and nothing older can come.
    if (!forget(kind, {ns, name}, uid)) ended_.erase(uid);
  }
  wake_if_first(was_empty);
}

void ClusterCache::gone(WatchedKind kind, const Json& object) {
  bool was_empty = false;
  {
    std::lock_guard lock(mutex_);
    was_empty = changes_.empty();
    std::string uid = text_at(object, {"metadata", "uid"});
    ended_.erase(uid);
    forget(kind, {text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"})}, uid);
  }
  wake_if_first(was_empty);
}

/// Called with the lock held.
template <class Kept>
void ClusterCache::drop_unlisted(WatchedKind kind, Store<Kept>& store, uint64_t version,
                                 const std::unordered_set<std::string>& uids) {
  std::vector<Name> stale;
  for (const auto& [name, entry] : store)
    if (!uids.contains(entry.uid) && entry.version <= version) stale.push_back(name);
  for (const Name& name : stale) forget(kind, name, "");
  std::erase_if(ended_, [&](const auto& end) { return end.second == kind && !uids.contains(end.first); });
}

void ClusterCache::listed(WatchedKind kind, const std::string& version, const std::unordered_set<std::string>& uids) {
  std::function<void()> wake;
  {
    std::lock_guard lock(mutex_);
    uint64_t number = version_number(version);
    switch (kind) {
      case WatchedKind::ReplicaSet: drop_unlisted(kind, replica_sets_, number, uids); break;
      case WatchedKind::Pod: drop_unlisted(kind, pods_, number, uids); break;
      case WatchedKind::Service: drop_unlisted(kind, services_, number, uids); break;
      case WatchedKind::VirtualService: drop_unlisted(kind, virtual_services_, number, uids); break;
      case WatchedKind::Rollout: drop_unlisted(kind, rollouts_, number, uids); break;
    }
    listed_.insert(kind);
    wake = wake_;  // being ready is news too
  }
  if (wake) wake();
}

std::optional<WatchedKind> ClusterCache::unlisted() const {
  std::lock_guard lock(mutex_);
  for (WatchedKind kind : {WatchedKind::ReplicaSet, WatchedKind::Pod, WatchedKind::Service, WatchedKind::VirtualService,
                           WatchedKind::Rollout})
    if (!listed_.contains(kind)) return kind;
  return std::nullopt;
}

std::vector<PodSummary> ClusterCache::pods_of(const std::string& replica_set_uid) const {
  std::vector<PodSummary> pods;
  auto names = pods_by_replica_set_.find(replica_set_uid);
  if (names == pods_by_replica_set_.end()) return pods;
  for (const Name& name : names->second) {
    const Entry<PodSummary>& entry = pods_.at(name);
    pods.push_back(entry.kept);
    pods.back().uid = entry.uid;
  }
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

Observed ClusterCache::observe(const Rollout& rollout, TimePoint now) const {
  Observed observed;
  std::string virtual_service;
  {
    std::lock_guard lock(mutex_);
    auto add = [&](const ReplicaSetSummary& summary, bool owned) {
      observed.workloads.push_back(workload_at(summary, pods_of(summary.workload.uid), owned, now));
    };
    if (auto names = by_rollout_.find({rollout.key.ns, rollout.key.name}); names != by_rollout_.end())
      for (const std::string& name : names->second) {
        const ReplicaSetSummary& summary = replica_sets_.at({rollout.key.ns, name}).kept;
        if (is_owned(summary, rollout.key, owner_)) add(summary, true);
      }
    for (const ReplicaSetSummary* summary : adoptable(rollout)) add(*summary, false);
    observed.taken_names = names_taken(rollout.key, observed.workloads);
    for (const std::string& name : {rollout.stable_service, rollout.canary_service}) {
      auto service = services_.find({rollout.key.ns, name});
      if (service != services_.end())
        if (auto object = parse_json(service->second.kept)) observed.services[name] = service_state(*object);
    }
    const std::string& ns = rollout.istio.ns.empty() ? rollout.key.ns : rollout.istio.ns;
    auto routing = virtual_services_.find({ns, rollout.istio.virtual_service});
    if (routing != virtual_services_.end()) virtual_service = routing->second.kept;
    auto object = rollouts_.find({rollout.key.ns, rollout.key.name});
    if (object != rollouts_.end()) observed.object = object->second.kept;
  }
  std::sort(observed.workloads.begin(), observed.workloads.end(),
            [](const Workload& a, const Workload& b) { return a.name < b.name; });
  if (!virtual_service.empty())
    if (auto object = parse_json(virtual_service)) observed.virtual_service = *std::move(object);
  return observed;
}

std::optional<Json> ClusterCache::find_object(WatchedKind kind, const std::string& ns, const std::string& name) const {
  std::string text;
  {
    std::lock_guard lock(mutex_);
    CHECK(kind == WatchedKind::Service || kind == WatchedKind::VirtualService);
    const Store<std::string>& store = kind == WatchedKind::Service ? services_ : virtual_services_;
    auto place = store.find({ns, name});
    if (place == store.end()) return std::nullopt;
    text = place->second.kept;
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

void ClusterCache::on_change(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

}  // namespace reconciler
