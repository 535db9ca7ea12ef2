// The pass over rollouts: observe, plan, record, act. A rollout is looked at when something about it changed or when
// time alone may change the answer, never because others did.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/backoff.h"
#include "daemon/desired_state.h"
#include "daemon/judge.h"
#include "daemon/options.h"
#include "daemon/rollout_reports.h"
#include "daemon/workers.h"
#include "ports.h"
#include "rollout/events.h"
#include "rollout/live_phase.h"
#include "rollout/plan.h"
#include "rollout/status.h"

namespace reconciler {

/// What became of one look at a rollout.
enum class Look { Unchanged, Transition, Act, Held, Failed };

/// A rollout whose manifest is gone, and who took it away.
struct Retirement {
  RolloutKey key;
  std::string commit;                  ///< empty when it is not known
  std::vector<std::string> requested;  ///< a line a commit
};

class RolloutRunner {
 public:
  struct Hooks {
    /// Transitions were recorded and want to be pushed.
    std::function<void(bool urgent)> recorded;
    /// A transition was recorded; for the log of a demo or a report.
    std::function<void(const RolloutKey&, const Decision&)> transition;
    /// Something happened to a rollout: recorded, done or failed. May be left out, as `looked`.
    std::function<void(const RolloutKey&, const Status&, const std::vector<RolloutEvent>&)> happened = nullptr;
    /// A rollout was observed and planned, in so much time.
    std::function<void(Look, Duration)> looked = nullptr;
    /// What the Rollout object in the cluster should say, nothing when it says so; null when no status is published.
    std::function<void(const RolloutKey&, std::optional<Json> status)> publish = nullptr;
    /// Somebody changed the Rollout object, or removed it.
    std::function<void(const RolloutKey&)> object_changed = nullptr;
  };

  RolloutRunner(const DaemonOptions& options, const DesiredState& desired, Judge& judge, GitRepository& git,
                Cluster& cluster, Clock& clock, Workers& workers, Hooks hooks);

  /// What was recorded last, at start. A file that cannot be read holds its rollout.
  void load_status(const RolloutKey& key, const std::string& path, const std::string& text);

  /// Somebody else decides from here on: what was recorded, and what went wrong, is no longer known.
  void forget_status();
  /// No action is being carried out.
  bool is_still() const { return busy_ == 0; }

  /// The manifest changed: `commit` is the newest that touched its file (nothing: look it up when it is needed),
  /// `requested` says who asked for what since the last good one. Nothing is planned before `release`.
  void manifest_changed(const RolloutKey& key, std::optional<CommitInfo> commit, std::vector<std::string> requested);
  /// Git asks for these no more: records that, a commit each, and forgets them. When they come back they start afresh.
  Result<void> retire(const std::vector<Retirement>& retired);
  /// `commit` brought it.
  void decision_changed(const RolloutKey& key, std::optional<RolloutDecision> decision, CommitInfo commit = {});
  /// Other freeze windows may be open from here on.
  void policy_changed();
  /// The objects that came with it, or that it routes through, are being applied: nothing is planned before `release`.
  void hold_back(const RolloutKey& key);
  void release(const RolloutKey& key);
  /// Something in the cluster that this rollout depends on changed.
  void touch(const RolloutKey& key);

  /// Looks at every rollout that is due. Plans first, then one record for all transitions, then their actions.
  void run_due(const std::string& head);
  Duration next_due() const;

  /// While locked, nothing is planned for it: somebody writes one of its objects.
  void lock(const RolloutKey& key);
  void unlock(const RolloutKey& key);
  bool is_busy(const RolloutKey& key) const;

  /// Nothing under way and nothing due now.
  bool idle() const;
  std::optional<Status> status(const RolloutKey& key) const;
  /// Those with a status.
  std::vector<RolloutKey> recorded() const;
  /// Every rollout that Git names.
  const RolloutReports& reports();
  /// Of the Rollout object in the cluster; empty when there is none.
  std::string object_uid(const RolloutKey& key) const;

 private:
  /// What was said about a commit, last.
  struct Judged {
    std::string about;  ///< everything that the verdict depends on
    std::shared_ptr<const Verdict> verdict;
    bool is_asked = false;
    std::string trouble;  ///< why it cannot be found out
  };
  /// A decision file, and who brought it.
  struct Decided {
    RolloutDecision file;
    CommitInfo commit;
    Judged judged;
  };
  enum class About { Decision, Trailers };
  struct Tracked {
    SharedStatus status;
    std::string unreadable;                    ///< why its status file cannot be read
    std::shared_ptr<const CommitInfo> commit;  ///< the newest that touched its file; null while not looked up
    std::vector<std::string> requested;
    std::unique_ptr<Decided> decided;  ///< null without a decision file
    Judged trailers;
    int busy = 0;
    bool again = false;      ///< became due while busy
    bool held_back = false;  ///< its objects come first
    bool parked = false;     ///< an action was refused: wait for a change
    Duration not_before{0};
    std::optional<Duration> timer;
    Backoff backoff{1s, 2.0, 1min};
    Backoff conflict_backoff{100ms, 2.0, 1min};
    /// What workloadRef names, as it was last read in the cluster; an empty object when it does not exist there.
    std::optional<Json> workload;
    Duration workload_read{0};
    std::string why, trouble;
    bool frozen = false;
    LivePhase live;
    std::optional<RolloutObject> object;  ///< as seen last, without its status
    bool settled = false;
  };
  struct Planned {
    RolloutKey key;
    Decision decision;
    std::optional<StatusWrite> write;
    std::optional<Json> view = std::nullopt;  ///< of the Rollout object, when it does not say so yet
  };

  struct Seen {
    Rollout desired;
    Observed live;
  };

  std::optional<Planned> look_at(const RolloutKey& key, Tracked& tracked, const std::string& head);
  std::optional<Rollout> followed(const RolloutKey& key, Tracked& tracked, Rollout rollout);
  std::optional<Seen> see(const RolloutKey& key, Tracked& tracked, const Rollout& from, TimePoint now);
  void read_workload(const RolloutKey& key, Tracked& tracked, const Json& identity);
  std::optional<Planned> plan_one(const RolloutKey& key, Tracked& tracked, const std::string& head);
  static std::string trouble_of(const Tracked& tracked, const Decision& decision);
  static Judged* judged_of(Tracked& tracked, About what);
  std::shared_ptr<const Verdict> judge(const RolloutKey& key, Tracked& tracked, About what,
                                       const Judge::Question& question);
  std::optional<RolloutDecision> judged_decision(const RolloutKey& key, Tracked& tracked, const Rollout& desired,
                                                 const std::string& head);
  bool note_trailers(const RolloutKey& key, Tracked& tracked, Rollout& desired, const std::string& head);
  const CommitInfo& deploy_commit(const RolloutKey& key, Tracked& tracked, const std::string& head);
  std::optional<Planned> refuse(const RolloutKey& key, Tracked& tracked, const std::string& head);
  Duration gathered_at() const;
  void note_object(const RolloutKey& key, Tracked& tracked, std::optional<RolloutObject> seen);
  std::optional<Json> view_of_refusal(const RolloutKey& key, const std::string& why);
  std::optional<Planned> keep_as_it_was(const RolloutKey& key, Tracked& tracked, const std::string& refused);
  bool record(std::vector<Planned>& plans);
  void take_over(Planned& planned);
  void act(const RolloutKey& key, Tracked& tracked, std::vector<Action> actions);
  void tell_done(const RolloutKey& key, const std::vector<Action>& actions, size_t done, const Result<void>& result);
  void finish(const RolloutKey& key, const Result<void>& result, const std::string& what);
  void forget(const RolloutKey& key);
  void say(const RolloutKey& key, Tracked& tracked, const std::string& trouble);
  void set_timer(const RolloutKey& key, Tracked& tracked, std::optional<Duration> due);
  CommitInfo look_up_commit(const RolloutKey& key, const std::string& head) const;
  std::string status_path(const RolloutKey& key) const;
  RolloutReport report(const RolloutKey& key, const Tracked& tracked) const;

  const DaemonOptions& options_;
  const DesiredState& desired_;
  Judge& judge_;
  GitRepository& git_;
  Cluster& cluster_;
  Clock& clock_;
  Workers& workers_;
  Hooks hooks_;
  std::map<RolloutKey, Tracked> tracked_;
  std::set<RolloutKey> due_;
  std::set<std::pair<Duration, RolloutKey>> timers_;
  RolloutReports reports_;
  std::set<RolloutKey> unreported_;  ///< whose report may have changed
  int busy_ = 0;
  Duration recorded_at_{-1h};
};

}  // namespace reconciler
