#include "daemon/lease_thread.h"

#include <algorithm>

namespace reconciler {

LeaseThread::LeaseThread(Elector& elector, Clock& clock)
    : elector_(elector), clock_(clock), thread_([this](std::stop_token stop) { run(stop); }) {}

void LeaseThread::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const Duration wait = std::max<Duration>(elector_.step() - clock_.monotonic(), 1ms);
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, stop, wait, [] { return false; });
  }
}

void LeaseThread::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  elector_.release();
}

}  // namespace reconciler
