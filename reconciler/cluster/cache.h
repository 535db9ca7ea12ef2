// What is known of the cluster without asking: the objects that rollouts are made of, kept small and found by rollout,
// and those of every followed kind, kept whole and found by name.
// Filled by watches and by the answers to our own writes; the newest version of an object wins, whichever way it came.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/object_key.h"
#include "cluster/convert.h"
#include "cluster/rollout_object.h"
#include "cluster/unmarked.h"
#include "cluster/watched_kind.h"
#include "ports.h"

namespace reconciler {

class ClusterCache {
 public:
  /// `manager`: our field manager, by which we know our own writes.
  explicit ClusterCache(std::string owner, std::string manager = "serin")
      : owner_(std::move(owner)), manager_(std::move(manager)) {}

  /// Keeps the object unless a newer version, or its end, is known already.
  void seen(const WatchedKind& kind, const Json& object);

  /// The same for the answer to a write of ours. It may come after the watch has seen the object's end, and then it
  /// brings nothing back.
  void answered(const WatchedKind& kind, const Json& object);

  /// Forgets the object; older news of it that come later are ignored until the watch has seen its end too.
  void deleted_by_us(const WatchedKind& kind, const std::string& ns, const std::string& name, const std::string& uid);

  /// The watch saw its end.
  void gone(const WatchedKind& kind, const Json& object);

  /// A list at `version` is complete: what is not in it and not newer is gone.
  void listed(const WatchedKind& kind, const std::string& version, const std::unordered_set<std::string>& uids);

  /// Has every kind that rollouts are made of been listed once? Else the first one that has not.
  std::optional<WatchedKind> unlisted() const;
  bool is_listed(const WatchedKind& kind) const;

  /// Nobody follows the kind any more.
  void forget(const WatchedKind& kind);

  Observed observe(const Rollout& rollout, TimePoint now) const;

  /// The object as it was last seen, of the kinds that are kept whole.
  std::optional<Json> find_object(const WatchedKind& kind, const std::string& ns, const std::string& name) const;

  std::vector<ClusterChange> take_changes();
  void on_change(std::function<void()> wake);
  /// Something beside the objects changed that whoever waits may want to know.
  void wake();

 private:
  using Name = std::pair<std::string, std::string>;  // namespace, name

  /// What is kept of an object that is kept whole.
  struct KeptObject {
    std::string text;    // compact JSON
    uint64_t looks = 0;  // digest of its content and health: an object that looks the same is no news
    bool operator==(const KeptObject& other) const { return looks == other.looks; }
  };

  /// One object: its identity, and what is kept of it.
  template <class Kept>
  struct Entry {
    std::string uid;
    uint64_t version = 0;
    Kept kept;
  };
  template <class Kept>
  using Store = std::map<Name, Entry<Kept>>;

  enum class Source { Watch, Answer };

  void take(const WatchedKind& kind, const Json& object, Source source);
  bool came_too_late(const WatchedKind& kind, uint64_t version, Source source) const;
  void watched_until(const WatchedKind& kind, uint64_t version);
  template <class Kept>
  bool put(const WatchedKind& kind, Store<Kept>& store, const Json& object, Kept kept, Source source);
  template <class Kept>
  bool drop(Store<Kept>& store, const Name& name, const std::string& uid);
  template <class Kept>
  void drop_unlisted(const WatchedKind& kind, Store<Kept>& store, uint64_t version,
                     const std::unordered_set<std::string>& uids);

  using ReplicaSets = Store<ReplicaSetSummary>;
  using Pods = Store<PodSummary>;
  /// A ReplicaSet and its pods, whichever of them is known.
  struct Family {
    const ReplicaSets::value_type* replica_set = nullptr;
    std::vector<const Pods::value_type*> pods;
  };

  void index(const ReplicaSets::value_type& kept);
  void unindex(const ReplicaSets::value_type& kept);
  void index(const Pods::value_type& kept);
  void unindex(const Pods::value_type& kept);
  void index(const Store<KeptObject>::value_type&) {}
  void unindex(const Store<KeptObject>::value_type&) {}
  void index(const Store<RolloutObject>::value_type&) {}
  void unindex(const Store<RolloutObject>::value_type&) {}
  template <class Change>
  void change_family(const std::string& uid, Change change);

  bool take_out(const WatchedKind& kind, const Name& name, const std::string& uid);
  void changed(const WatchedKind& kind, const Name& name, std::optional<RolloutKey> rollout);
  void changed(const WatchedKind& kind, const Name& name, std::optional<Glimpse> now);
  ClusterChange& change_of(const WatchedKind& kind, const Name& name);
  std::optional<RolloutKey> rollout_of(const ReplicaSetSummary& replica_set) const;
  std::optional<RolloutKey> rollout_of(const PodSummary& pod) const;
  const std::string* text_of(const WatchedKind& kind, const Name& name) const;
  std::vector<PodSummary> pods_of(const std::string& replica_set_uid) const;
  std::vector<std::string> names_taken(const RolloutKey& rollout, const std::vector<Workload>& ours) const;
  std::string manager_of(const WatchedKind& kind, const Name& name) const;
  void index_manager(const WatchedKind& kind, const Name& name, const std::string& before);
  void note_former(const Rollout& rollout, Observed& observed) const;
  void note_experiment_services(const RolloutKey& rollout, Observed& observed) const;
  std::vector<const ReplicaSetSummary*> adoptable(const Rollout& rollout) const;
  void wake_if_first(bool was_empty);

  const std::string owner_;
  const std::string manager_;
  mutable std::mutex mutex_;
  ReplicaSets replica_sets_;
  Pods pods_;
  Store<RolloutObject> rollouts_;
  std::map<WatchedKind, Store<KeptObject>> objects_;
  std::set<WatchedKind> listed_;
  std::map<WatchedKind, uint64_t> watched_until_;       // the newest version that the watch of each kind has shown
  std::unordered_map<std::string, WatchedKind> ended_;  // uids we deleted, until the watch has shown their end

  std::map<Name, std::vector<const ReplicaSets::value_type*>> by_rollout_;
  UnmarkedIndex unmarked_;
  std::unordered_map<std::string, Family> families_;                                  // by the uid of the ReplicaSet
  std::set<std::tuple<std::string, std::string, WatchedKind, std::string>> managed_;  // namespace, rollout, kind, name

  std::map<ObjectKey, ClusterChange> changes_;
  std::function<void()> wake_;
};

}  // namespace reconciler
