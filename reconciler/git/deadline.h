// libgit2 waits for ever in `recv`. A Deadline ends one network operation from outside: when time is up, its watchdog
// shuts the socket down, and every blocked call returns.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "base/time.h"

namespace reconciler {

/// What the streams of one operation need to know.
struct ConnectionSettings {
  Duration connect_timeout = 10s;
  std::string ca_file;  ///< empty: the system's
  std::string client_certificate_file;
  std::string client_key_file;
};

/// One network operation of this thread. The streams of libgit2 that are opened while it lives belong to it.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  Deadline(Duration limit, ConnectionSettings settings);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  /// Whether time ran out; ask this first when a call failed.
  bool has_fired();

  Clock::time_point at() const { return at_; }
  const ConnectionSettings& settings() const { return settings_; }

  /// The socket that the watchdog shuts down, from now on.
  void attach(int socket);
  /// The socket is about to be closed.
  void detach(int socket);

  /// The operation this thread is in; null outside of one.
  static Deadline* current();

 private:
  void watch();

  const Clock::time_point at_;
  const ConnectionSettings settings_;
  std::mutex mutex_;
  std::condition_variable ended_;
  int socket_ = -1;
  bool done_ = false;
  bool fired_ = false;
  std::thread watchdog_;
};

}  // namespace reconciler
