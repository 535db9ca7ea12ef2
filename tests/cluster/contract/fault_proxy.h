#pragma once

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <thread>

namespace reconciler {

/// A wire that fails on demand: forwards TCP connections on loopback to another port there.
class FaultProxy {
 public:
  explicit FaultProxy(int to_port);
  ~FaultProxy();
  int port() const { return port_; }

  /// From now on nothing gets through on open and on new connections, and nobody is told.
  void stall() { mode_ = Mode::Stall; }
  /// New connections work again; those that were open stay silent for ever.
  void heal_for_new();
  /// Cuts the open connections; from then on new ones are closed at once. Nothing is open when this returns.
  void refuse();
  /// Open connections are reset, new ones work.
  void cut();
  /// All is well again for new connections.
  void heal();
  /// The next requests never arrive and are answered with this instead. For HTTP without TLS.
  void answer_next(int count, const std::string& answer);
  /// How many of those are left.
  int answers_left() const { return answers_left_; }

 private:
  enum class Mode { Pass, Stall, Refuse };
  bool is_silent(int generation) const { return mode_ == Mode::Stall || generation <= silenced_; }
  void accept_all();
  void forward(int client, int generation);
  bool take_request(int client, int server, std::string& kept);
  bool take_answer();

  const int to_port_;
  int socket_ = -1;
  int port_ = 0;
  std::atomic<Mode> mode_ = Mode::Pass;
  std::atomic<int> generation_ = 0;  ///< connections of an older one are reset
  std::atomic<int> silenced_ = -1;   ///< connections of this generation or an older one are silent
  std::atomic<int> open_ = 0;
  std::atomic<bool> ending_ = false;
  std::mutex mutex_;
  std::string answer_;
  std::atomic<int> answers_left_ = 0;
  std::list<std::thread> forwarding_;
  std::thread accepting_;
};

}  // namespace reconciler
