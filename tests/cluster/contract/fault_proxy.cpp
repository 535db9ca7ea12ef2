#include "cluster/contract/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

namespace reconciler {

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void close_with_reset(int socket) {
  linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(socket);
}

/// Moves what has come from one side to the other; false at its end.
bool pump(int from, int to) {
  char block[16384];
  ssize_t count = ::recv(from, block, sizeof block, 0);
  for (ssize_t sent = 0; sent < count;) {
    ssize_t more = ::send(to, block + sent, static_cast<size_t>(count - sent), MSG_NOSIGNAL);
    if (more <= 0) return false;
    sent += more;
  }
  return count > 0;
}

bool send_all(int to, const std::string& bytes) {
  return ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL) == ssize_t(bytes.size());
}

/// Head and body are there.
bool is_whole(const std::string& request) {
  const size_t end = request.find("\r\n\r\n");
  if (end == request.npos) return false;
  const size_t length = request.find("Content-Length: ");
  const size_t body = length < end ? std::stoul(request.substr(length + 16)) : 0;
  return request.size() >= end + 4 + body;
}

}  // namespace

FaultProxy::FaultProxy(int to_port) : to_port_(to_port) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  CHECK(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  CHECK(::listen(socket_, 64) == 0);
  CHECK(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

FaultProxy::~FaultProxy() {
  ending_ = true;
  ::shutdown(socket_, SHUT_RDWR);
  accepting_.join();
  ::close(socket_);
  for (std::thread& thread : forwarding_) thread.join();
}

void FaultProxy::refuse() {
  mode_ = Mode::Refuse;
  ++generation_;
  while (open_ > 0) ::poll(nullptr, 0, 1);
}

void FaultProxy::cut() { ++generation_; }

void FaultProxy::heal() { mode_ = Mode::Pass; }

void FaultProxy::answer_next(int count, const std::string& answer) {
  std::lock_guard lock(mutex_);
  answer_ = answer;
  answers_left_ = count;
}

bool FaultProxy::take_answer() {
  std::lock_guard lock(mutex_);
  if (answers_left_ == 0) return false;
  --answers_left_;
  return true;
}

/// Moves what the client says on, or answers in the server's place. `kept`: the part of a request that is not moved on.
bool FaultProxy::take_request(int client, int server, std::string& kept) {
  if (kept.empty() && !take_answer()) return pump(client, server);
  char block[16384];
  const ssize_t count = ::recv(client, block, sizeof block, 0);
  if (count <= 0) return false;
  kept.append(block, size_t(count));
  if (!is_whole(kept)) return true;
  kept.clear();
  std::lock_guard lock(mutex_);
  return send_all(client, answer_);
}

void FaultProxy::heal_for_new() {
  silenced_ = generation_.load();
  ++generation_;
  mode_ = Mode::Pass;
}

void FaultProxy::accept_all() {
  for (;;) {
    int client = ::accept(socket_, nullptr, nullptr);
    if (client < 0 || ending_) {
      if (client >= 0) ::close(client);
      return;
    }
    if (mode_ == Mode::Refuse) {
      close_with_reset(client);
      continue;
    }
    ++open_;
    forwarding_.emplace_back([this, client, generation = generation_.load()] { forward(client, generation); });
  }
}

void FaultProxy::forward(int client, int generation) {
  int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(to_port_);
  bool is_open = ::connect(server, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  int at_once = 1;
  std::string kept;
  ::setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  while (is_open && !ending_ && (generation == generation_ || generation <= silenced_)) {
    pollfd ready[2] = {{.fd = client, .events = POLLIN, .revents = 0}, {.fd = server, .events = POLLIN, .revents = 0}};
    if (is_silent(generation)) {
      ::poll(nullptr, 0, 10);
      continue;
    }
    if (::poll(ready, 2, 10) < 0) break;
    if (is_silent(generation)) continue;  // what has come since then is lost too
    if (ready[0].revents != 0) is_open = take_request(client, server, kept);
    if (is_open && ready[1].revents != 0) is_open = pump(server, client);
  }
  ::close(server);
  close_with_reset(client);
  --open_;
}

}  // namespace reconciler
