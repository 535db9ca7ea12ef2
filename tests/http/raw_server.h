#pragma once

#include <atomic>
#include <functional>
#include <list>
#include <string>
#include <thread>

namespace reconciler {

/// One accepted connection of a server that behaves as badly as a test wants.
class RawConnection {
 public:
  explicit RawConnection(int socket) : socket_(socket) {}
  /// The next request, head and body; empty when the client has gone.
  std::string read_request();
  void send(const std::string& bytes);
  /// Waits until the client goes away; false when it does not within ten seconds.
  bool wait_for_end();
  /// Closes with a reset instead of an end.
  void reset();

 private:
  int socket_;
  std::string rest_;
};

/// Listens on a port of its own on loopback and serves each connection on a thread of its own.
class RawServer {
 public:
  explicit RawServer(std::function<void(RawConnection&)> serve);
  ~RawServer();
  std::string url() const;
  int connections() const { return accepted_; }

 private:
  void accept_all();

  std::function<void(RawConnection&)> serve_;
  int socket_ = -1;
  int port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::atomic<bool> ending_ = false;
  std::list<std::thread> serving_;
  std::thread accepting_;
};

std::string http_answer(int status, const std::string& body, const std::string& more_headers = "");

}  // namespace reconciler
