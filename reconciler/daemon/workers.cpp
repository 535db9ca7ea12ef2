#include "daemon/workers.h"

#include <utility>

#include "base/check.h"

namespace reconciler {

ThreadWorkers::ThreadWorkers(int cluster_threads) {
  threads_.emplace_back([this] { work(git_); });
  threads_.emplace_back([this] { work(events_); });
  for (int i = 0; i < cluster_threads; ++i) threads_.emplace_back([this] { work(cluster_); });
}

ThreadWorkers::~ThreadWorkers() { stop(); }

void ThreadWorkers::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  git_.ready.notify_all();
  cluster_.ready.notify_all();
  events_.ready.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

ThreadWorkers::Queue& ThreadWorkers::queue_of(Lane lane) {
  switch (lane) {
    case Lane::Git: return git_;
    case Lane::Cluster: return cluster_;
    case Lane::Events: return events_;
  }
  unreachable();
}

void ThreadWorkers::run(Lane lane, Job job) {
  Queue& queue = queue_of(lane);
  {
    std::lock_guard lock(mutex_);
    queue.jobs.push_back(std::move(job));
  }
  queue.ready.notify_one();
}

void ThreadWorkers::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  done_.notify_one();
}

std::vector<Completion> ThreadWorkers::wait(Duration longest) {
  std::unique_lock lock(mutex_);
  done_.wait_for(lock, longest, [this] { return woken_ || !completions_.empty(); });
  woken_ = false;
  return std::exchange(completions_, {});
}

void ThreadWorkers::work(Queue& queue) {
  std::unique_lock lock(mutex_);
  for (;;) {
    queue.ready.wait(lock, [&] { return stopping_ || !queue.jobs.empty(); });
    if (stopping_) return;
    Job job = std::move(queue.jobs.front());
    queue.jobs.pop_front();
    lock.unlock();
    Completion completion = job();
    lock.lock();
    completions_.push_back(std::move(completion));
    done_.notify_one();
  }
}

}  // namespace reconciler
