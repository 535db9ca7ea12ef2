// The Cluster port over a world in memory: the same cache, the same writes and the same answers as over HTTP, with
// watches that may lag behind the world.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "cluster/cache.h"
#include "cluster/writes.h"
#include "ports.h"
#include "sim/random.h"
#include "sim/sim_clock.h"
#include "sim/world.h"

namespace reconciler {

/// Whose write the world is carrying out at this moment; for those who watch over it.
struct Writer {
  bool is_serin = false;
  std::optional<RolloutKey> rollout;  ///< of an action; nothing while an object is applied
  int writes = 0;                     ///< calls of ours so far that were meant to change something
};

class SimCluster : public Cluster {
 public:
  /// `lag_longest`: how far each watch may lie behind; `listed_after`: when the first lists are there.
  SimCluster(World& world, Writer& writer, SimClock& clock, Random random, Duration lag_longest, Duration listed_after);
  ~SimCluster() override;
  SimCluster(const SimCluster&) = delete;
  SimCluster& operator=(const SimCluster&) = delete;

  /// Takes over what the watches have seen by now. True when something came.
  bool deliver();
  std::optional<Duration> next_due() const;

  Result<void> ready() override;
  void follow(const std::set<FollowedKind>& kinds) override;
  Result<Observed> observe(const Rollout& rollout, TimePoint now) override;
  Result<void> carry_out(const RolloutKey& rollout, const Action& action) override;
  Result<std::optional<Json>> read(const Json& manifest, ReadMode mode) override;
  Result<Json> apply(const Json& object, ApplyMode mode) override;
  Result<void> patch(const Json& manifest, const Json& patch) override;
  Result<void> remove(const Json& live) override;
  Result<void> ensure_namespace(const std::string& name) override;
  std::vector<ClusterChange> take_changes() override { return cache_.take_changes(); }
  void on_change(std::function<void()> wake) override { cache_.on_change(std::move(wake)); }

 private:
  struct News {
    Duration due;
    StoreEvent event;
  };
  /// One watch, as a reflector keeps it.
  struct Watch {
    WatchedKind kind;
    Selection selection = Selection::All;
    bool listed = false;
    std::deque<News> news = {};
    bool is_about(const ResourceType& type) const { return kind.group == type.group && kind.kind == type.kind; }
  };
  void list_all();
  void list(Watch& watch);
  void note(const StoreEvent& event);
  void remember(const ResourceType& type, const Json& object);
  Result<void> write(const KubernetesWrite& write);
  Result<void> evict(const RolloutKey& rollout, const EvictPods& action);
  Result<void> remove_at(const ResourcePath& path, const KubernetesWrite& write);
  Result<ResourcePath> path_of(const std::string& api_version, const std::string& kind, const std::string& ns,
                               const std::string& name) const;

  World& world_;
  Writer& writer_;
  SimClock& clock_;
  Random random_;
  const Duration lag_longest_;
  const Duration listed_at_;
  bool listed_ = false;
  ClusterCache cache_{"serin", "serin"};
  std::vector<Watch> watches_;  ///< of rollouts first, then of followed kinds
  int subscription_;
};

}  // namespace reconciler
