// Removes from the cluster what Git names no more, as `plan_prune` allows: each object is looked at once more before it
// is deleted, in the order of apply reversed. What is held, refused or failed stays in the inventory.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/backoff.h"
#include "daemon/rollout_runner.h"
#include "daemon/workers.h"
#include "objects/prune.h"
#include "ports.h"

namespace reconciler {

/// What others may see of pruning.
struct PruneReport {
  std::string waiting;                      ///< why nothing is pruned just now although something is stale
  std::map<ObjectKey, std::string> held;    ///< until people release it
  std::map<ObjectKey, std::string> failed;  ///< the deletion was refused or failed; it is tried again
  std::map<std::pair<std::string, std::string>, size_t> total;  ///< by kind and result, since the start
};

class Pruner {
 public:
  struct Hooks {
    /// What would be harmed if this went, and what people can do; empty when nothing would.
    std::function<std::string(const InventoryEntry&)> needed_for;
    /// Does Git name an object?
    std::function<bool(const ObjectKey&)> named;
    /// Records that these rollouts are gone: nothing of them is left.
    std::function<Result<void>(const std::vector<Retirement>&)> retire;
    /// What is left to do for one of them; nothing while it must wait.
    std::function<std::optional<std::vector<Action>>(const InventoryEntry&)> removal;
    /// Around the actions for a rollout, so that nobody plans for it meanwhile.
    std::function<void(const RolloutKey&)> begin, end;
    /// It was deleted, and Git names it again.
    std::function<void(const ObjectKey&)> lost;
  };

  Pruner(std::string owner, Inventory& inventory, Cluster& cluster, Clock& clock, Workers& workers, Hooks hooks);

  /// Git names an object of the inventory no more. `by` tells, for a Rollout, who took it away.
  void missing(const ObjectKey& key, Retirement by);
  /// Git names it, or names it again.
  void named(const ObjectKey& key);
  /// People released those of the stale objects that this concerns.
  void release(const std::function<bool(const ObjectKey&)>& concerned);
  /// Something that decisions rest on may have changed: look again.
  void look_again() { replan_ = true; }
  void live_changed(const ObjectKey& key);

  /// Goes on. `obstacle` says why nothing may be deleted now; empty: nothing is in the way.
  void run_due(const std::string& obstacle);
  Duration next_due() const;

  bool has_stale() const { return !stale_.empty(); }
  /// Nothing is under way.
  bool is_still() const { return in_flight_ == 0; }
  /// Starts over, when it is still.
  void forget();
  bool is_removing(const ObjectKey& key) const;
  /// Nothing can be done now.
  bool idle() const { return in_flight_ == 0 && (stale_.empty() || !waiting_.empty() || (todo_.empty() && !replan_)); }
  PruneReport report() const;

 private:
  struct Item {
    Retirement by;
    bool released = false;
    bool approved = false;
    bool in_flight = false;
    bool named_again = false;
    std::string held, trouble;
    Backoff backoff{1s, 2.0, 1min};
    std::optional<Duration> again;
  };
  using Place = std::pair<int, ObjectKey>;

  static Place place_of(const ObjectKey& key);
  void replan();
  void hold(const ObjectKey& key, const std::string& why);
  void say_held(const PrunePlan& plan);
  void start();
  void start_deletion(const ObjectKey& key, Item& item);
  enum class Left { Nothing, Something };
  Left start_removal(const ObjectKey& key, Item& item);
  void retire(const std::vector<ObjectKey>& gone);
  void finish(const ObjectKey& key, const LiveVerdict& verdict, const Result<void>& deleted);
  void finish_removal(const ObjectKey& key, const Result<void>& done);
  void done(const ObjectKey& key, const std::string& result);
  void fail(const ObjectKey& key, Item& item, const std::string& why);
  void retry(const ObjectKey& key, Item& item, Duration wait);

  const std::string owner_;
  Inventory& inventory_;
  Cluster& cluster_;
  Clock& clock_;
  Workers& workers_;
  Hooks hooks_;
  std::map<ObjectKey, Item> stale_;
  std::set<Place> todo_;  ///< approved, in the order of removal
  std::set<std::pair<Duration, ObjectKey>> retries_;
  std::set<std::string> said_;  ///< reasons of holds that were logged
  std::map<std::pair<std::string, std::string>, size_t> total_;
  std::string waiting_;
  bool replan_ = false;
  int in_flight_ = 0;
  int rank_in_flight_ = 0;
};

}  // namespace reconciler
