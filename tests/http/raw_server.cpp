#include "http/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/check.h"

namespace reconciler {

std::string RawConnection::read_request() {
  for (;;) {
    size_t head = rest_.find("\r\n\r\n");
    if (head != rest_.npos) {
      size_t length = 0;
      size_t at = rest_.find("Content-Length: ");
      if (at != rest_.npos && at < head) length = static_cast<size_t>(std::atol(rest_.c_str() + at + 16));
      if (rest_.size() >= head + 4 + length) {
        std::string request = rest_.substr(0, head + 4 + length);
        rest_.erase(0, request.size());
        return request;
      }
    }
    char block[4096];
    ssize_t count = ::recv(socket_, block, sizeof block, 0);
    if (count <= 0) return "";
    rest_.append(block, static_cast<size_t>(count));
  }
}

void RawConnection::send(const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    ssize_t count = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;
    sent += static_cast<size_t>(count);
  }
}

bool RawConnection::wait_for_end() {
  pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
  char byte;
  return ::poll(&ready, 1, 10'000) == 1 && ::recv(socket_, &byte, 1, 0) <= 0;
}

void RawConnection::reset() {
  linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

RawServer::RawServer(std::function<void(RawConnection&)> serve) : serve_(std::move(serve)) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(socket_ >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  CHECK(::listen(socket_, 64) == 0);
  socklen_t size = sizeof address;
  CHECK(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { accept_all(); });
}

void RawServer::accept_all() {
  for (;;) {
    int socket = ::accept(socket_, nullptr, nullptr);
    if (socket < 0 || ending_) {
      if (socket >= 0) ::close(socket);
      return;
    }
    ++accepted_;
    serving_.emplace_back([this, socket] {
      RawConnection connection(socket);
      serve_(connection);
      ::close(socket);
    });
  }
}

RawServer::~RawServer() {
  ending_ = true;
  ::shutdown(socket_, SHUT_RDWR);
  accepting_.join();
  ::close(socket_);
  for (std::thread& thread : serving_) thread.join();
}

std::string RawServer::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

std::string http_answer(int status, const std::string& body, const std::string& more_headers) {
  return "HTTP/1.1 " + std::to_string(status) + " Words\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         more_headers + "\r\n" + body;
}

}  // namespace reconciler
