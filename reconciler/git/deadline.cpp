#include "git/deadline.h"

#include <sys/socket.h>

#include <utility>

#include "base/check.h"

namespace reconciler {
namespace {

Deadline*& current_deadline() {
  thread_local Deadline* deadline = nullptr;
  return deadline;
}

}  // namespace

Deadline::Deadline(Duration limit, ConnectionSettings settings)
    : at_(Clock::now() + limit), settings_(std::move(settings)) {
  CHECK(!current_deadline());
  current_deadline() = this;
  watchdog_ = std::thread([this] { watch(); });
}

Deadline::~Deadline() {
  {
    std::lock_guard lock(mutex_);
    done_ = true;
  }
  ended_.notify_all();
  watchdog_.join();
  current_deadline() = nullptr;
}

void Deadline::watch() {
  std::unique_lock lock(mutex_);
  if (ended_.wait_until(lock, at_, [this] { return done_; })) return;
  fired_ = true;
  if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
}

bool Deadline::has_fired() {
  std::lock_guard lock(mutex_);
  return fired_;
}

void Deadline::attach(int socket) {
  std::lock_guard lock(mutex_);
  socket_ = socket;
  if (fired_) ::shutdown(socket, SHUT_RDWR);
}

void Deadline::detach(int socket) {
  std::lock_guard lock(mutex_);
  if (socket_ == socket) socket_ = -1;
}

Deadline* Deadline::current() { return current_deadline(); }

}  // namespace reconciler
