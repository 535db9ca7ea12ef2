#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/time.h"

namespace reconciler {

/// Who carries a job out: Git's network calls have one thread, calls to the cluster a bounded pool, and what only tells
/// others what happened one thread that nothing waits for.
enum class Lane { Git, Cluster, Events };

/// Runs on the decision thread when the work is done.
using Completion = std::function<void()>;
/// Runs off the decision thread and returns what to do there with the result.
using Job = std::function<Completion()>;

/// Carries out I/O beside the decision thread.
class Workers {
 public:
  virtual ~Workers() = default;
  virtual void run(Lane lane, Job job) = 0;
};

/// Threads; completions wait until the decision thread takes them.
class ThreadWorkers : public Workers {
 public:
  explicit ThreadWorkers(int cluster_threads);
  ~ThreadWorkers() override;

  /// Waits for the jobs that have begun; what has not begun is dropped. Before what jobs refer to goes away.
  void stop();

  void run(Lane lane, Job job) override;

  /// Makes `wait` return. Safe from any thread.
  void wake();

  /// Waits until there is a completion, somebody called `wake`, or `longest` has passed; returns the completions.
  std::vector<Completion> wait(Duration longest);

 private:
  struct Queue {
    std::deque<Job> jobs;
    std::condition_variable ready;
  };
  Queue& queue_of(Lane lane);
  void work(Queue& queue);

  std::mutex mutex_;
  std::condition_variable done_;
  Queue git_, cluster_, events_;
  std::vector<Completion> completions_;
  bool woken_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace reconciler
