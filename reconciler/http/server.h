// The HTTP server of the whole program: the embedded cluster's API, health, metrics and hooks. Everything a client can
// do is bounded: header and body size, the time for each part of a request, the number of connections, and what a
// slow reader may leave unread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace reconciler {

struct ServerRequest {
  std::string method;
  std::string target;                                      ///< as sent: `/api/v1/pods?limit=5`
  std::string path;                                        ///< percent-decoded
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded, in order
  std::map<std::string, std::string> headers;              ///< names in lower case
  std::string body;
  std::string remote;  ///< address of the client

  /// The first value of a query parameter; empty when it is absent.
  std::string parameter(std::string_view name) const;
  bool has_parameter(std::string_view name) const;
  /// A header by its lower-case name; empty when it is absent.
  std::string header(const std::string& name) const;
};

struct ServerResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
};

/// The sending end of a streamed response. May be used from any thread; every call returns at once.
class ServerStream {
 public:
  virtual ~ServerStream() = default;
  /// Queues bytes to be sent. False when the client is gone or has left too much unread: then it is cut off.
  virtual bool write(std::string_view bytes) = 0;
  /// Ends the response once everything queued is sent.
  virtual void finish() = 0;
  virtual bool is_closed() const = 0;
};

/// A response without a known end.
struct StreamedResponse {
  std::string content_type = "application/json";
  /// Called once the head is under way, from a thread of the server.
  std::function<void(std::shared_ptr<ServerStream>)> opened;
  /// Called once when the client went away or the stream ended.
  std::function<void()> closed;
};

using ServerAnswer = std::variant<ServerResponse, StreamedResponse>;

/// Called from several threads at once. Must not throw.
using ServerHandler = std::function<ServerAnswer(const ServerRequest&)>;

/// Asked with the header alone, before anything of the body is read: an answer is the last word of that connection.
/// Called as a handler is.
using ServerRefusal = std::function<std::optional<ServerResponse>(const ServerRequest&)>;

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  ///< zero: any free one
  size_t body_bytes_max = size_t{3} << 20;
  size_t header_bytes_max = size_t{32} << 10;
  Duration header_time = 10s;   ///< from its first byte to the end of the header
  Duration request_time = 30s;  ///< from its first byte to the end of the body
  Duration response_time = 60s;
  Duration idle_time = 120s;  ///< between the requests of a kept-alive connection
  size_t connections_max = 1024;
  size_t stream_bytes_max = size_t{16} << 20;  ///< unread by a stream's client
  Duration stream_stall_time = 30s;            ///< without reading anything of what waits for it
  int threads = 2;
  ServerRefusal refuse = {};  ///< none: every request is read
};

class HttpServer {
 public:
  /// Listens; `Transient` when the address cannot be bound.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, ServerHandler handler);
  /// Cuts off all clients and waits until no handler runs any more.
  ~HttpServer();

  uint16_t port() const;

  struct Listener;
  explicit HttpServer(std::unique_ptr<Listener> listener);  // for start()

 private:
  std::unique_ptr<Listener> listener_;
};

/// `%2F` and `+` (in a query) as the characters they stand for; malformed escapes stay as they are.
enum class PlusIs { Plus, Space };
std::string percent_decoded(std::string_view text, PlusIs plus);

}  // namespace reconciler
