#include "sim/sim_workers.h"

#include <algorithm>

namespace reconciler {

void SimWorkers::run(Lane lane, Job job) {
  tasks_.push_back({lane, clock_.monotonic() + draw_delay(), std::move(job), {}});
}

Duration SimWorkers::draw_delay() {
  if (delays_.longest == 0ms) return 0ms;
  if (random_.chance(delays_.slow_chance)) return random_.between(0ms, delays_.slow_longest);
  return random_.between(0ms, delays_.longest);
}

/// Git's thread does one job after the other.
bool SimWorkers::may_run(size_t index) const {
  if (tasks_[index].due > clock_.passed()) return false;
  if (tasks_[index].lane != Lane::Git || !tasks_[index].job) return true;
  return std::none_of(tasks_.begin(), tasks_.begin() + std::ptrdiff_t(index),
                      [](const Task& earlier) { return earlier.lane == Lane::Git && earlier.job; });
}

bool SimWorkers::run_one() {
  std::vector<size_t> due;
  for (size_t i = 0; i < tasks_.size(); ++i)
    if (may_run(i)) due.push_back(i);
  if (due.empty()) return false;
  const size_t chosen = delays_.longest == 0ms ? due.front() : random_.pick(due);
  if (tasks_[chosen].job) {
    Job job = std::exchange(tasks_[chosen].job, {});
    // A job may end the process, so nothing of the list is held while it runs.
    Completion completion = job();
    tasks_[chosen].completion = std::move(completion);
    tasks_[chosen].due = clock_.passed() + draw_delay();
    return true;
  }
  Completion completion = std::move(tasks_[chosen].completion);
  tasks_.erase(tasks_.begin() + std::ptrdiff_t(chosen));
  completion();
  return true;
}

std::optional<Duration> SimWorkers::next_due() const {
  std::optional<Duration> next;
  for (const Task& task : tasks_)
    if (!next || task.due < *next) next = task.due;
  return next;
}

}  // namespace reconciler
