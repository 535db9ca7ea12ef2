// Everything a run of the program needs, in memory: the remote repository, the cluster, the clock, and one or more
// seats: machines with a disk each, on which the process lives and dies. Whoever owns it moves time; nothing here
// waits.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/daemon.h"
#include "sim/faults.h"
#include "sim/faulty_cluster.h"
#include "sim/faulty_git.h"
#include "sim/sim_clock.h"
#include "sim/sim_cluster.h"
#include "sim/sim_git.h"
#include "sim/sim_inventory.h"
#include "sim/sim_workers.h"
#include "sim/world.h"

namespace reconciler {

struct StageOptions {
  uint64_t seed = 1;
  TimePoint start = std::chrono::sys_days(std::chrono::year{2026} / 11 / 22) + 10h;
  Duration ready_after = 2s;    ///< of a pod
  Duration interval = 60s;      ///< between polls
  Duration watch_lag = 0ms;     ///< how far watches may lie behind
  Duration listed_after = 0ms;  ///< from the start of the process until its caches are filled
  Delays delays = {};           ///< of jobs and answers
  FaultMix faults = {};
  /// Published: the cluster knows Rollouts, and the program keeps them there.
  RolloutObjects rollout_objects = RolloutObjects::LeftOut;
  size_t seats = 1;  ///< more than one: they elect a leader
};

class Stage {
 public:
  explicit Stage(StageOptions options);

  SimClock clock;
  SimRemote remote;
  World world;
  Writer writer;
  Faults faults;

  /// Called when status commits became durable, when they were pushed or dropped, and when a starting process reads
  /// them; `acting` says whose.
  std::function<void(const SimCommit&)> on_record, on_dropped;
  std::function<void()> on_pushed;
  std::function<void(const std::vector<std::pair<std::string, std::string>>&)> on_read_status;
  /// Called in the middle of a push: somebody may be faster.
  std::function<void()> on_pushing;
  std::function<void(const RolloutKey&, const Decision&)> on_transition;

  size_t seats() const { return seats_.size(); }
  bool elects() const { return seats_.size() > 1; }
  /// Whose code runs, or ran last.
  size_t acting() const { return acting_; }
  static std::string identity(size_t seat) { return "seat-" + std::to_string(seat); }

  void start(size_t seat = 0);
  /// The process is gone at this moment; the disk, the remote and the cluster stay.
  void kill(size_t seat = 0);
  void lose_disk(size_t seat = 0) { seats_[seat].disk = {}; }
  const SimClone& disk(size_t seat = 0) const { return seats_[seat].disk; }
  /// The process does nothing until then, and does not know.
  void pause(size_t seat, Duration until) { seats_[seat].paused_until = until; }
  /// The lease cannot be reached from there; everything else can.
  void cut_off(size_t seat) { seats_[seat].cut_off = true; }
  /// Nobody is paused or cut off any more.
  void set_free();

  bool alive(size_t seat = 0) const { return seats_[seat].process != nullptr; }
  Daemon& daemon_on(size_t seat);
  /// The one that decides, else any that lives.
  Daemon& daemon();
  /// Its seat.
  size_t leader() const;

  /// Time passes for the clock and for the world.
  void pass_time_until(Duration passed);

  /// A hook: somebody pushed, the program need not wait for its interval.
  void poll_soon();

  /// Does one thing that is due now; false when nothing is. Throws ProcessKilled when a fault ends the process.
  bool act();
  /// When anything is due next; nothing when only people can change the world.
  std::optional<Duration> next_due() const;

 private:
  struct Process;
  struct Seat {
    SimClone disk;
    std::unique_ptr<Process> process;
    Duration paused_until{0};
    bool cut_off = false;
  };
  bool act(Seat& seat);

  const StageOptions options_;
  Random random_;
  std::vector<Seat> seats_;
  size_t acting_ = 0;

 public:
  ~Stage();
};

}  // namespace reconciler
