#include "git/network_stream.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <git2.h>
#if __has_include(<git2/sys/errors.h>)
#include <git2/sys/errors.h>  // git_error_set_str moved there after 1.5
#endif
#include <git2/sys/stream.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "git/deadline.h"

namespace reconciler {
namespace {

// The first four members repeat libgit2's private git_socket_stream (1.5 to 1.9): its SSH transport casts to that.
struct Stream {
  git_stream parent;
  char* host;
  char* port;
  int socket;
  SSL_CTX* context;
  SSL* ssl;
};

Stream* self(git_stream* stream) { return reinterpret_cast<Stream*>(stream); }

int fail(const std::string& message, int code = -1) {
  git_error_set_str(GIT_ERROR_NET, message.c_str());
  return code;
}

bool is_out_of_time() { return Deadline::current() && Deadline::current()->has_fired(); }

/// Connects one non-blocking socket; zero or the errno.
int connect_until(int socket, const addrinfo& address, Deadline::Clock::time_point end) {
  if (::connect(socket, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Deadline::Clock::now()).count();
  pollfd waiting{socket, POLLOUT, 0};
  if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

/// Addresses at which clouds hand out credentials to whoever is on the machine. No repository lies there.
bool is_link_local(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    auto ip = ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr);
    return (ip & 0xffff0000u) == 0xa9fe0000u;  // 169.254.0.0/16
  }
  if (address.sa_family != AF_INET6) return false;
  const auto* ip = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr;
  constexpr unsigned char mapped[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 169, 254};
  constexpr unsigned char metadata[] = {0xfd, 0x00, 0x0e, 0xc2};  // fd00:ec2::254
  return (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) || std::memcmp(ip, mapped, sizeof mapped) == 0 ||
         std::memcmp(ip, metadata, sizeof metadata) == 0;
}

/// As getaddrinfo. The name localhost is this machine even where no resolver knows it, as in a container without
/// /etc/hosts (RFC 6761, 6.3).
int resolve(const char* host, const char* port, addrinfo** found) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  const int error = getaddrinfo(host, port, &hints, found);
  if (error == 0 || std::string_view(host) != "localhost") return error;
  return getaddrinfo("127.0.0.1", port, &hints, found);
}

int connect_tcp(git_stream* parent) {
  auto* stream = self(parent);
  auto* deadline = Deadline::current();
  auto end = Deadline::Clock::now() + (deadline ? deadline->settings().connect_timeout : Duration(10s));
  if (deadline) end = std::min(end, deadline->at());
  addrinfo* found = nullptr;
  if (int error = resolve(stream->host, stream->port, &found))  // the resolver has its own limit
    return fail(std::string("cannot resolve ") + stream->host + ": " + gai_strerror(error));
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, &freeaddrinfo);
  int error = ETIMEDOUT;
  for (auto* address = found; address && stream->socket < 0; address = address->ai_next) {
    if (is_link_local(*address->ai_addr))
      return fail(std::string(stream->host) + ": is a link-local or metadata address, which is not connected to");
    int socket = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (socket < 0) continue;
    error = connect_until(socket, *address, end);
    if (error == 0) {
      fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) & ~O_NONBLOCK);
      stream->socket = socket;
    } else {
      ::close(socket);
    }
  }
  if (stream->socket < 0)
    return fail(std::string("cannot connect to ") + stream->host + ":" + stream->port + ": " + strerror(error));
  if (deadline) deadline->attach(stream->socket);
  return 0;
}

bool load_tls_files(SSL_CTX* context, const ConnectionSettings& settings) {
  bool trusted = settings.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context) == 1
                                          : SSL_CTX_load_verify_file(context, settings.ca_file.c_str()) == 1;
  if (!trusted || settings.client_certificate_file.empty()) return trusted;
  return SSL_CTX_use_certificate_chain_file(context, settings.client_certificate_file.c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(context, settings.client_key_file.c_str(), SSL_FILETYPE_PEM) == 1;
}

void expect_host(SSL* ssl, const char* host) {
  unsigned char address[16];
  if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
  } else {
    SSL_set1_host(ssl, host);
    SSL_set_tlsext_host_name(ssl, host);
  }
}

int connect_tls(git_stream* parent) {
  auto* stream = self(parent);
  if (connect_tcp(parent) < 0) return -1;
  auto settings = Deadline::current() ? Deadline::current()->settings() : ConnectionSettings{};
  stream->context = SSL_CTX_new(TLS_client_method());
  if (!stream->context) return fail("cannot set up TLS");
  SSL_CTX_set_min_proto_version(stream->context, TLS1_2_VERSION);
  SSL_CTX_set_verify(stream->context, SSL_VERIFY_PEER, nullptr);
  // Without this callback an encrypted key would ask for its passphrase on the terminal.
  SSL_CTX_set_default_passwd_cb(stream->context, [](char*, int, int, void*) { return 0; });
  if (!load_tls_files(stream->context, settings)) return fail("cannot load the TLS files (CA or client certificate)");
  stream->ssl = SSL_new(stream->context);
  if (!stream->ssl) return fail("cannot set up TLS");
  expect_host(stream->ssl, stream->host);
  SSL_set_fd(stream->ssl, stream->socket);
  ERR_clear_error();
  if (SSL_connect(stream->ssl) == 1) return 0;
  if (is_out_of_time()) return fail("the TLS handshake took too long");
  long verdict = SSL_get_verify_result(stream->ssl);
  if (verdict != X509_V_OK)
    return fail(std::string("certificate refused: ") + X509_verify_cert_error_string(verdict), GIT_ECERTIFICATE);
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  return fail(std::string("TLS handshake failed: ") + (reason ? reason : "connection closed"));
}

ssize_t read_some(git_stream* parent, void* buffer, size_t size) {
  auto* stream = self(parent);
  if (auto* deadline = Deadline::current()) deadline->attach(stream->socket);
  ssize_t count = -1;
  if (stream->ssl) {
    int got = SSL_read(stream->ssl, buffer, static_cast<int>(std::min<size_t>(size, 1 << 20)));
    count = got > 0 ? got : SSL_get_error(stream->ssl, got) == SSL_ERROR_ZERO_RETURN ? 0 : -1;
  } else {
    do count = ::recv(stream->socket, buffer, size, 0);
    while (count < 0 && errno == EINTR);
  }
  return count < 0 || (count == 0 && is_out_of_time()) ? fail("the connection was lost") : count;
}

ssize_t write_some(git_stream* parent, const char* buffer, size_t size, int) {
  auto* stream = self(parent);
  if (auto* deadline = Deadline::current()) deadline->attach(stream->socket);
  ssize_t count = -1;
  if (stream->ssl) {
    count = SSL_write(stream->ssl, buffer, static_cast<int>(std::min<size_t>(size, 1 << 20)));
  } else {
    do count = ::send(stream->socket, buffer, size, MSG_NOSIGNAL);
    while (count < 0 && errno == EINTR);
  }
  return count > 0 ? count : fail("the connection was lost");
}

int close_stream(git_stream* parent) {
  auto* stream = self(parent);
  SSL_free(stream->ssl);
  SSL_CTX_free(stream->context);
  stream->ssl = nullptr;
  stream->context = nullptr;
  if (stream->socket >= 0) {
    if (auto* deadline = Deadline::current()) deadline->detach(stream->socket);
    ::close(stream->socket);
    stream->socket = -1;
  }
  return 0;
}

void free_stream(git_stream* parent) {
  close_stream(parent);
  free(self(parent)->host);
  free(self(parent)->port);
  free(parent);
}

enum class Security { Plain, Tls };

template <Security security>
int make_stream(git_stream** out, const char* host, const char* port) {
  // By malloc, because libgit2's C code frees what it casts to; members by name, because 1.7 added two.
  auto* stream = static_cast<Stream*>(calloc(1, sizeof(Stream)));
  if (!stream) return fail("out of memory");
  stream->parent.version = GIT_STREAM_VERSION;
  stream->parent.encrypted = security == Security::Tls;
  stream->parent.connect = security == Security::Tls ? connect_tls : connect_tcp;
  stream->parent.read = read_some;
  stream->parent.write = write_some;
  stream->parent.close = close_stream;
  stream->parent.free = free_stream;
  stream->host = strdup(host);
  stream->port = strdup(port);
  stream->socket = -1;
  *out = &stream->parent;
  return 0;
}

}  // namespace

void install_network_streams() {
  git_stream_registration plain{};
  plain.version = GIT_STREAM_VERSION;
  plain.init = make_stream<Security::Plain>;
  git_stream_register(GIT_STREAM_STANDARD, &plain);
  git_stream_registration tls{};
  tls.version = GIT_STREAM_VERSION;
  tls.init = make_stream<Security::Tls>;
  git_stream_register(GIT_STREAM_TLS, &tls);
}

}  // namespace reconciler
