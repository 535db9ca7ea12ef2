// Watches over the invariants of design.md 8 from outside: it sees each write to the world as it happens and each
// status commit as it becomes durable, and judges them by itself, not by what the engine thinks of them.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "rollout/status.h"
#include "sim/cluster_view.h"
#include "sim/people.h"
#include "sim/stage.h"

namespace reconciler {

class Watchman {
 public:
  /// `head`: the commit whose manifests the program has in force; empty before the first.
  Watchman(Stage& stage, const People& people);
  ~Watchman();

  /// What was seen to be wrong, oldest first.
  const std::vector<std::string>& alarms() const { return alarms_; }
  void alarm(std::string what);

  /// Objects of ours that are left although Git names them no more.
  std::set<ObjectKey> leftovers(const std::string& commit) const { return leftovers(people_.named_at(commit)); }

  /// People or chance moved pods, routes or Services of this rollout: for a while they are not as the program knows.
  void disturbed(const RolloutKey& rollout);
  /// The disk of that seat is gone: what was not pushed is lost, and that is allowed.
  void disk_lost(size_t seat);
  /// The process reads what was recorded.
  void status_read(const std::vector<std::pair<std::string, std::string>>& files);
  void recorded(const SimCommit& commit);
  void dropped(const SimCommit& commit);
  void pushed();
  /// After each pass.
  void passed(const std::string& head);

  int transitions() const { return transitions_; }
  std::optional<Status> status(const RolloutKey& rollout) const;

 private:
  struct Known {
    std::optional<Status> status;
    std::set<std::string> rejected;     ///< revisions that may not get traffic until that lapses
    std::set<std::string> subjects;     ///< of this run
    std::optional<Duration> disturbed;  ///< when
    bool disturbed_in_run = false;
  };
  void on_event(const StoreEvent& event);
  void check_lease(const std::string& what);
  void check_takeover(const std::vector<std::pair<std::string, std::string>>& files);
  void check_traffic(const RolloutKey& rollout, const RolloutView& before, const RolloutView& after);
  void check_experiment_traffic(const RolloutKey& rollout, const RolloutView& before, const RolloutView& after);
  void check_experiment_set(const RolloutKey& rollout, const StoreEvent& event);
  void check_standalone_set(const RolloutKey& rollout, const StoreEvent& event);
  void check_run(const RolloutKey& rollout, const Status& before, const Status& next, const SimCommit& record);
  void check_extra_route(const RolloutKey& rollout, const RolloutView& before, const RolloutView& after);
  bool is_gone(const RolloutKey& rollout) const;
  void check_deletion(const StoreEvent& event);
  void check_removal(const RolloutKey& rollout, const std::string& hash, const std::string& name);
  std::string not_deletable(const ObjectKey& key) const;
  void note_what_may_go(const std::string& head);
  std::set<ObjectKey> leftovers(const Named& named) const;
  void check_replica_set(const RolloutKey& rollout, const StoreEvent& event);
  void check_retired(const RolloutKey& rollout, Known& known, const std::string& subject);
  void check_transition(const RolloutKey& rollout, Known& known, const Status& next, const std::string& subject);
  void check_policy(const Status& before, const Status& next, const SimCommit& record);
  void check_freeze(const RolloutKey& rollout, const Status& before, const Status& next, const SimCommit& record);
  bool leads_to_pause(const RolloutKey& rollout, int index) const;
  void keep_rejections(const RolloutKey& key, Known& known);
  std::optional<Status> parsed(const std::string& path, const std::string& text);
  void check_switch(const RolloutKey& rollout, const RolloutView& before, const RolloutView& after);
  void check_kept(const RolloutKey& rollout, const RolloutView& now, const std::string& hash, int from, int to);
  bool is_blue_green(const RolloutKey& rollout) const;
  void check_limits(const RolloutKey& rollout, const RolloutView& now, const std::string& name, int from, int to);
  /// What the manifests ask for that the program may be acting on.
  std::vector<const Rollout*> wanted_lately(const RolloutKey& rollout) const;
  int replicas_wanted(const RolloutKey& rollout) const;
  int pods_needed(const RolloutKey& rollout, int share, bool is_stable) const;
  bool is_disturbed(const Known& known) const;

  Stage& stage_;
  const People& people_;
  int subscription_;
  std::vector<std::string> alarms_;
  std::map<RolloutKey, Known> known_;
  std::map<std::string, std::optional<Status>> parsed_;
  /// By seat: serials of recorded commits that are not pushed, in order.
  std::vector<std::vector<int>> expected_;
  std::optional<size_t> decides_;  ///< the seat that read what was recorded last
  std::string pushed_tip_;
  std::vector<std::pair<Duration, std::string>> heads_;  ///< in force since; the last few
  std::set<ObjectKey> may_go_;                           ///< few enough were gone at once
  bool deleted_ = false;                                 ///< something, since the last look
  bool may_forget_ = false;                              ///< the disk was lost since the last start
  int transitions_ = 0;
};

}  // namespace reconciler
