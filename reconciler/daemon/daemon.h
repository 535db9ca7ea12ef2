// The loop: what changed, what is due, one pass. It joins what Git asks for, the objects, the rollouts and the schedule
// of Git; each of those knows nothing of the others.
//
//   poll -> head moved? -> changed files -> desired state -> objects applied -> rollouts planned -> recorded -> acted
//                                            cluster event ------------------------^
//
// Up to the desired state every daemon goes; the rest is the leader's. Whoever becomes it asks Git once more, reads
// what was recorded last and looks at everything; whoever loses it forgets what was recorded and goes on following.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "daemon/desired_state.h"
#include "daemon/event_recorder.h"
#include "daemon/git_sync.h"
#include "daemon/inventory_keeper.h"
#include "daemon/judge.h"
#include "daemon/leadership.h"
#include "daemon/object_applier.h"
#include "daemon/object_report.h"
#include "daemon/options.h"
#include "daemon/pruner.h"
#include "daemon/rollout_runner.h"
#include "daemon/status_publisher.h"
#include "daemon/workers.h"
#include "objects/autoscalers.h"
#include "ports.h"

namespace reconciler {

/// Everything as it is now, for people and for exit codes.
struct Report {
  std::string head;
  std::string git_trouble;      ///< the repository cannot be followed, or not be pushed to
  std::string cluster_trouble;  ///< the caches are not filled
  Leadership::Standing leadership;
  size_t unpushed = 0;
  RolloutReports rollouts;
  ObjectReport objects;
  std::vector<Problem> problems;  ///< files that cannot be read
  PruneReport prune;
  bool in_sync() const;
};

/// How a commit is named as the cause of something: `abc1234 Raise the limit (Ann <ann@example.com>)`.
std::string request_line(const CommitInfo& commit);

class Daemon {
 public:
  /// `leadership` outlives it; what `git`, `cluster` and `inventory` write must ask it first (daemon/leader_ports.h).
  Daemon(DaemonOptions options, GitRepository& git, Cluster& cluster, InventoryStore& inventory, Clock& clock,
         Workers& workers, Leadership& leadership);

  /// Called on the decision thread after each recorded transition.
  std::function<void(const RolloutKey&, const Decision&)> on_transition;
  /// The same for what happened to a rollout, actions included.
  std::function<void(const RolloutKey&, const Status&, const std::vector<RolloutEvent>&)> on_events;
  /// Called after each look at a rollout with the time it took.
  std::function<void(Look, Duration)> on_look;

  /// Does everything that is due now and returns when to be called again, on the monotonic clock. Completions and
  /// changes of the cluster in between are reasons to call it at once.
  Duration step();

  /// Every rollout is Healthy, Degraded or Paused, every object was tried, everything is pushed or refused.
  bool at_rest();
  Report report();
  /// The commit whose manifests are in force; empty before the first.
  const std::string& head() const { return head_; }

  /// Both sides were read once and decisions are made: it leads.
  bool begun() const { return begun_; }
  /// Both sides were read once, and who decides is known.
  bool ready() const { return following_ && (begun_ || leadership_.standing().is_known()); }
  Leadership::Standing leadership() const { return leadership_.standing(); }
  void poll_soon() { sync_.poll_soon(); }

 private:
  void on_head(const std::string& commit);
  bool follow();
  bool take_over(const Leadership::Standing& now);
  bool read_status();
  void step_down();
  bool take_manifests(const std::string& from, const std::string& to);
  bool is_manifest(const TreeChange& change) const;
  std::vector<ManifestFile> read_files(std::span<const TreeChange> changes) const;
  std::optional<Rollout> last_good_of(const RolloutKey& key, const std::string& path, const std::string& to) const;
  void take_file(const TreeChange& change, ManifestFile file, const std::string& from, const std::string& to,
                 DesiredState::Touched& touched);
  void take_inventory(const DesiredState::Touched& touched, const std::string& from, const std::string& to);
  Retirement retirement(const RolloutKey& key, const std::string& from, const std::string& to) const;
  void begin_inventory();
  bool finish_removals();
  bool is_mine(const ObjectKey& key) const;
  bool take_entry(const ObjectKey& key);
  void release_pruned(const std::vector<CommitInfo>& commits, const std::string& to,
                      const std::function<bool(const ObjectKey&)>& concerned);
  struct Named {
    std::set<ObjectKey> objects;
    std::set<std::string> refused_in;  ///< namespaces with a Rollout that does not say what its routers make
  };
  std::optional<Named> named_between(const std::vector<std::string>& commits) const;
  std::string prune_obstacle() const;
  std::string needed_for(const InventoryEntry& entry) const;
  std::optional<std::vector<Action>> removal(const InventoryEntry& entry);
  std::optional<Observed> remains(const InventoryEntry& entry) const;
  Pruner::Hooks pruning();
  void take_policy(const std::vector<TreeChange>& changes, const std::string& to);
  void take_decisions(const std::vector<TreeChange>& changes, const std::string& to);
  void note_requests(const DesiredState::Touched& touched, const std::string& from, const std::string& to);
  void follow_kinds();
  void note_live_autoscaler(const ClusterChange& change);
  void note_autoscaler(Autoscalers::Source source, const ObjectKey& key, const std::optional<Json>& object);
  bool is_cluster_ready();
  void take_cluster_changes();
  void release_waiting();
  bool is_plain(const ObjectKey& key) const;
  std::optional<PreparedObject> prepare(const ObjectKey& key, const Json& manifest);
  std::optional<PreparedObject> prepare_view(const ObjectKey& key, const Json& manifest);
  void see_changed_object(const RolloutKey& key);
  bool is_own_file(const std::string& path) const;
  bool owns(const ObjectKey& key) const;

  const DaemonOptions options_;
  GitRepository& git_;
  Cluster& cluster_;
  Clock& clock_;
  Leadership& leadership_;
  DesiredState desired_;
  Autoscalers autoscalers_;
  EventRecorder events_;
  StatusPublisher publisher_;
  Judge judge_;
  RolloutRunner rollouts_;
  InventoryKeeper keeper_;
  Pruner pruner_;
  ObjectApplier objects_;
  GitSync sync_;

  std::string head_;
  std::string manifest_commit_;  ///< the newest one taken over that changed a manifest: history is searched from here
  std::string trouble_;          ///< why the newest commit is not in force
  std::string cluster_trouble_ = "not asked yet";
  size_t searches_ = 0;     ///< for the last good content of what was refused at the start
  bool following_ = false;  ///< manifests are read
  bool begun_ = false;      ///< status files are read, too: this daemon leads
  uint64_t term_ = 0;       ///< the last one that was noticed
  Duration won_at_{0};      ///< when that was
  std::set<FollowedKind> followed_;
  std::set<RolloutKey> waiting_for_objects_;
  std::map<RolloutKey, std::string> last_path_;       ///< of rollouts that the files just read named before
  std::map<ObjectKey, std::set<RolloutKey>> locked_;  ///< by objects being written; Git may ask for others by the end
};

}  // namespace reconciler
