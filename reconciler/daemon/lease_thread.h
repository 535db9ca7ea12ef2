#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "daemon/elector.h"

namespace reconciler {

/// Keeps an elector stepping on a thread of its own until it is stopped; then the lease is released.
class LeaseThread {
 public:
  explicit LeaseThread(Elector& elector, Clock& clock);
  ~LeaseThread() { stop(); }

  /// Ends the thread and releases the lease. Nothing may be written afterwards.
  void stop();

 private:
  void run(std::stop_token stop);

  Elector& elector_;
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any ended_;
  std::jthread thread_;
};

}  // namespace reconciler
