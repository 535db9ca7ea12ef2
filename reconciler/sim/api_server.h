// The world as a Kubernetes API over HTTP: paths, queries, bodies and watch streams on one side, the verbs of the
// world on the other. One mutex guards the world; every request first lets the controllers catch up with the clock.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "http/server.h"
#include "ports.h"
#include "sim/world.h"

namespace reconciler {

struct Watcher;

class ApiServer {
 public:
  ApiServer(World& world, Clock& clock);
  ~ApiServer();

  ServerAnswer answer(const ServerRequest& request);

  /// Runs the controllers up to now and tends the watches. Returns how long nothing will be due.
  Duration tick();
  /// Waits that long, or until a request made something due; from one thread of the owner's.
  void wait(Duration longest);
  /// Wakes `wait`.
  void wake();

  /// Runs `use` while nobody else touches the world, at the present time.
  void with_world(const std::function<void(World&)>& use);

 private:
  struct Call;
  ServerAnswer answer_resource(const ServerRequest& request, Call& call);
  ServerResponse read(const ServerRequest& request, const Call& call);
  ServerResponse write(const ServerRequest& request, const Call& call);
  ServerResponse remove(const ServerRequest& request, const Call& call);
  ServerResponse remove_all(const ServerRequest& request, const Call& call);
  ServerAnswer watch(const ServerRequest& request, const Call& call);
  void open_watch(const std::shared_ptr<Watcher>& watcher, std::shared_ptr<ServerStream> stream);
  void send_initial(Watcher& watcher);
  void on_event(const StoreEvent& event);
  void advance();
  /// After a write: what it asks of the controllers at once is done, the lock is given back.
  void settle(std::unique_lock<std::mutex>& lock);

  World& world_;
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  std::list<std::shared_ptr<Watcher>> watchers_;
  int subscription_ = 0;
};

}  // namespace reconciler
