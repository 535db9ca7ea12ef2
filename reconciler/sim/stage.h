// Everything a run of the program needs, in memory: the remote repository, the disk, the cluster, the clock, and the
// process while it lives. Whoever owns it moves time; nothing here waits.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/daemon.h"
#include "sim/faults.h"
#include "sim/faulty_cluster.h"
#include "sim/faulty_git.h"
#include "sim/sim_clock.h"
#include "sim/sim_cluster.h"
#include "sim/sim_git.h"
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
};

class Stage {
 public:
  explicit Stage(StageOptions options);

  SimClock clock;
  SimRemote remote;
  SimClone disk;
  World world;
  Writer writer;
  Faults faults;

  /// Called when status commits became durable, when they were pushed, and when a starting process reads them.
  std::function<void(const SimCommit&)> on_record;
  std::function<void()> on_pushed;
  std::function<void(const std::vector<std::pair<std::string, std::string>>&)> on_read_status;
  /// Called in the middle of a push: somebody may be faster.
  std::function<void()> on_pushing;
  std::function<void(const RolloutKey&, const Decision&)> on_transition;

  void start();
  /// The process is gone at this moment; the disk, the remote and the cluster stay.
  void kill();
  bool alive() const { return process_ != nullptr; }
  Daemon& daemon();

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
  const StageOptions options_;
  Random random_;
  std::unique_ptr<Process> process_;

 public:
  ~Stage();
};

}  // namespace reconciler
