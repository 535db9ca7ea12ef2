// Workers without threads: a job has its effect at one moment of virtual time and its completion at a later one, in an
// order that the seed chooses. Git's lane keeps its order, as its one thread does.
#pragma once

#include <optional>
#include <vector>

#include "daemon/workers.h"
#include "sim/random.h"
#include "sim/sim_clock.h"

namespace reconciler {

/// How long jobs wait and answers take.
struct Delays {
  Duration longest{0};       ///< of an ordinary wait; 0: everything at once, in order
  double slow_chance = 0;    ///< of a job that takes much longer
  Duration slow_longest{0};  ///< how much
};

class SimWorkers : public Workers {
 public:
  SimWorkers(SimClock& clock, Random random, Delays delays) : clock_(clock), random_(random), delays_(delays) {}

  void run(Lane lane, Job job) override;

  /// Does one thing that is due now, a job or a completion; false when nothing is.
  bool run_one();
  /// When something is due next.
  std::optional<Duration> next_due() const;
  bool idle() const { return tasks_.empty(); }

 private:
  struct Task {
    Lane lane;
    Duration due;
    Job job;                ///< empty once it is done
    Completion completion;  ///< empty before
  };
  bool may_run(size_t index) const;
  Duration draw_delay();

  SimClock& clock_;
  Random random_;
  const Delays delays_;
  std::vector<Task> tasks_;
};

}  // namespace reconciler
