#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace reconciler {

/// SIGTERM and SIGINT ask to stop. `block` comes before any other thread is made, so that all of them leave the
/// signals to this. When the program has not ended `kStopSeconds` after the first signal, it ends at once: what is
/// recorded is durable.
class StopSignals {
 public:
  static constexpr int kStopSeconds = 18;

  static void block();

  /// `wake` is called, on a thread of its own, when a signal came.
  explicit StopSignals(std::function<void()> wake);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  bool stopping() const { return stopping_; }

 private:
  void listen();
  std::function<void()> wake_;
  std::atomic<bool> stopping_ = false, ending_ = false;
  std::thread thread_;
};

}  // namespace reconciler
