#include <utility>  // Boost.Asio 1.74 needs it before itself in C++20

#include "http/server.h"

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "base/format.h"
#include "base/log.h"
#include "base/text.h"
#include "http/server_request.h"

namespace reconciler {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

namespace {

/// What a client that was refused may still send before its connection is cut off: were it cut off at once, the answer
/// would be lost with it.
constexpr size_t kUnreadBytesMax = 1 << 20;
constexpr Duration kUnreadTime = 2s;

class Connection;

/// What all connections share. It outlives them: the threads are joined before it goes.
struct Shared {
  HttpServerOptions options;
  ServerHandler handler;
  std::mutex mutex;
  std::set<std::shared_ptr<Connection>> open;  // guarded by mutex
  bool stopping = false;                       // guarded by mutex

  bool admit(const std::shared_ptr<Connection>& connection) {
    std::lock_guard lock(mutex);
    return !stopping && open.size() < options.connections_max && open.insert(connection).second;
  }
  void forget(const std::shared_ptr<Connection>& connection) {
    std::lock_guard lock(mutex);
    open.erase(connection);
  }
};

/// One client. All its work runs on one strand, so its members need no lock but for what a stream's writers touch.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, Shared& shared)
      : shared_(shared), stream_(std::move(socket)), stall_(stream_.get_executor()) {
    beast::error_code ignored;  // a lost client shows at the first read
    stream_.socket().set_option(tcp::no_delay(true), ignored);
    auto peer = stream_.socket().remote_endpoint(ignored);
    remote_ = peer.address().to_string(ignored);
  }

  void start() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->await_request(); });
  }

  void close() {
    asio::dispatch(stream_.get_executor(), [self = shared_from_this()] { self->end(); });
  }

  /// From any thread.
  bool queue(std::string_view bytes) {
    std::lock_guard lock(queue_mutex_);
    if (ended_ || finishing_) return false;
    if (queued_.size() + bytes.size() > shared_.options.stream_bytes_max) {
      ended_ = true;
      log_debug("a slow reader is cut off", {{"remote", remote_}});
      asio::post(stream_.get_executor(), [self = shared_from_this()] { self->end(); });
      return false;
    }
    queued_ += bytes;
    if (!std::exchange(flushing_, true))
      asio::post(stream_.get_executor(), [self = shared_from_this()] { self->flush(); });
    return true;
  }

  void finish() {
    std::lock_guard lock(queue_mutex_);
    if (ended_ || std::exchange(finishing_, true)) return;
    if (!std::exchange(flushing_, true))
      asio::post(stream_.get_executor(), [self = shared_from_this()] { self->flush(); });
  }

  bool is_closed() {
    std::lock_guard lock(queue_mutex_);
    return ended_ || finishing_;
  }

 private:
  /// The wait for the next request is bounded by another time than the request itself.
  void await_request() {
    parser_.emplace();
    parser_->header_limit(uint32_t(shared_.options.header_bytes_max));
    parser_->body_limit(shared_.options.body_bytes_max);
    if (buffer_.size() > 0) return read_header();
    stream_.expires_after(shared_.options.idle_time);
    stream_.async_read_some(buffer_.prepare(8192), [self = shared_from_this()](beast::error_code error, size_t bytes) {
      if (error) return self->end();
      self->buffer_.commit(bytes);
      self->read_header();
    });
  }

  void read_header() {
    const auto now = std::chrono::steady_clock::now();
    request_end_ = now + shared_.options.request_time;
    stream_.expires_at(std::min(now + shared_.options.header_time, request_end_));
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](beast::error_code error, size_t) { self->on_header(error); });
  }

  void on_header(beast::error_code error) {
    if (error) return refuse(error);
    stream_.expires_at(request_end_);
    if (shared_.options.refuse)
      if (auto refusal = shared_.options.refuse(request_head())) return send(std::move(*refusal), LastAnswer::Unread);
    if (beast::iequals(parser_->get()[http::field::expect], "100-continue")) {
      static const std::string kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      asio::async_write(
          stream_, asio::buffer(kContinue),
          [self = shared_from_this()](beast::error_code failed, size_t) { failed ? self->end() : self->read_body(); });
      return;
    }
    read_body();
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, size_t) {
      error ? self->refuse(error) : self->answer();
    });
  }

  /// Malformed or too large: one answer, then the connection is over.
  void refuse(beast::error_code error) {
    if (error == http::error::body_limit)
      return send({413, "text/plain", "request body too large\n"}, LastAnswer::Unread);
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      return send({431, "text/plain", "request header too large\n"}, LastAnswer::Unread);
    // Everything from the parser but the end of the stream is the client's fault.
    bool parsing = error.category() == make_error_code(http::error::bad_method).category();
    if (parsing && error != http::error::end_of_stream && error != http::error::partial_message)
      return send({400, "text/plain", "malformed request\n"}, LastAnswer::Unread);
    end();
  }

  ServerRequest request_head() const {
    const auto& message = parser_->get();
    ServerRequest request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    request.remote = remote_;
    for (const auto& field : message)
      request.headers.emplace(lower_case(std::string_view(field.name_string().data(), field.name_string().size())),
                              std::string(field.value()));
    split_target(request);
    return request;
  }

  void answer() {
    auto& message = parser_->get();
    ServerRequest request = request_head();
    request.body = std::move(message.body());
    head_only_ = message.method() == http::verb::head;
    ServerAnswer answer = shared_.handler(request);
    if (auto* whole = std::get_if<ServerResponse>(&answer))
      return send(std::move(*whole), message.keep_alive() ? LastAnswer::No : LastAnswer::Yes);
    open_stream(std::move(std::get<StreamedResponse>(answer)));
  }

  enum class LastAnswer { No, Yes, Unread };  ///< Unread: and something of the request was not read

  void send(ServerResponse answer, LastAnswer last) {
    response_.emplace(http::int_to_status(unsigned(answer.status)), 11);
    response_->result(unsigned(answer.status));
    response_->set(http::field::content_type, answer.content_type);
    for (const auto& [name, value] : answer.headers) response_->set(name, value);
    response_->keep_alive(last == LastAnswer::No);
    size_t length = answer.body.size();
    if (!head_only_) response_->body() = std::move(answer.body);
    response_->content_length(length);
    stream_.expires_after(shared_.options.response_time);
    http::async_write(stream_, *response_, [self = shared_from_this(), last](beast::error_code error, size_t) {
      self->response_.reset();
      if (error || last == LastAnswer::Yes) return self->end();
      if (last == LastAnswer::Unread) return self->hang_up();
      self->await_request();
    });
  }

  /// Says that nothing follows, and waits a little for the client to notice.
  void hang_up() {
    beast::error_code ignored;  // it may be gone already
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kUnreadTime);
    discard(kUnreadBytesMax);
  }

  void discard(size_t left) {
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(8192),
                            [self = shared_from_this(), left](beast::error_code error, size_t n) {
                              if (error || n >= left) return self->end();
                              self->discard(left - n);
                            });
  }

  void open_stream(StreamedResponse answer);

  void write_head(std::function<void(std::shared_ptr<ServerStream>)> opened, std::shared_ptr<ServerStream> handle) {
    stream_.expires_never();
    guard_stall();
    asio::async_write(stream_, asio::buffer(sending_),
                      [self = shared_from_this(), opened = std::move(opened), handle = std::move(handle)](
                          beast::error_code error, size_t) {
                        self->stall_.cancel();
                        if (error) return self->end();
                        self->watch_client();
                        {
                          std::lock_guard lock(self->queue_mutex_);
                          if (self->ended_) return;
                          self->flushing_ = false;
                        }
                        if (opened) opened(handle);
                      });
  }

  /// Nothing is expected from the client any more: whatever arrives says that it is gone.
  void watch_client() {
    stream_.async_read_some(asio::buffer(&unexpected_, 1),
                            [self = shared_from_this()](beast::error_code, size_t) { self->end(); });
  }

  void guard_stall() {
    stall_.expires_after(shared_.options.stream_stall_time);
    stall_.async_wait([self = shared_from_this()](beast::error_code cancelled) {
      if (!cancelled) self->end();
    });
  }

  void flush() {
    {
      std::lock_guard lock(queue_mutex_);
      if (ended_) return;
      if (queued_.empty() && !finishing_) {
        flushing_ = false;
        return;
      }
      bool last = queued_.empty();
      sending_ = last ? "0\r\n\r\n" : as_chunk(queued_);
      queued_.clear();
      last_chunk_ = last;
    }
    guard_stall();
    asio::async_write(stream_, asio::buffer(sending_), [self = shared_from_this()](beast::error_code error, size_t) {
      self->stall_.cancel();
      if (error || self->last_chunk_) return self->end();
      self->flush();
    });
  }

  void end() {
    std::function<void()> closed;
    {
      std::lock_guard lock(queue_mutex_);
      ended_ = true;
      queued_.clear();
      closed = std::exchange(closed_, nullptr);
    }
    stall_.cancel();
    beast::error_code ignored;  // it may be closed already
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
    shared_.forget(shared_from_this());
    if (closed) closed();
  }

  Shared& shared_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::optional<http::response<http::string_body>> response_;
  asio::steady_timer stall_;
  std::chrono::steady_clock::time_point request_end_;
  std::string remote_;
  std::string sending_;
  char unexpected_ = 0;
  bool head_only_ = false;
  bool last_chunk_ = false;

  std::mutex queue_mutex_;
  std::string queued_;            // guarded, as all below
  bool flushing_ = true;          // a write is under way, or the head is
  bool finishing_ = false;        // nothing more may be queued
  bool ended_ = false;            // the client is gone
  std::function<void()> closed_;  // owed to the handler
};

class StreamHandle : public ServerStream {
 public:
  explicit StreamHandle(std::weak_ptr<Connection> connection) : connection_(std::move(connection)) {}
  bool write(std::string_view bytes) override {
    auto connection = connection_.lock();
    return connection && (bytes.empty() || connection->queue(bytes));
  }
  void finish() override {
    if (auto connection = connection_.lock()) connection->finish();
  }
  bool is_closed() const override {
    auto connection = connection_.lock();
    return !connection || connection->is_closed();
  }

 private:
  std::weak_ptr<Connection> connection_;
};

void Connection::open_stream(StreamedResponse answer) {
  sending_ = "HTTP/1.1 200 OK\r\nContent-Type: " + answer.content_type +
             "\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
  {
    std::lock_guard lock(queue_mutex_);
    closed_ = std::move(answer.closed);
  }
  write_head(std::move(answer.opened), std::make_shared<StreamHandle>(weak_from_this()));
}

}  // namespace

struct HttpServer::Listener {
  Listener(HttpServerOptions options, ServerHandler handler)
      : shared{.options = std::move(options), .handler = std::move(handler), .mutex = {}, .open = {}},
        acceptor(io),
        retry(io) {}

  ~Listener() {
    std::set<std::shared_ptr<Connection>> open;
    {
      std::lock_guard lock(shared.mutex);
      shared.stopping = true;
      open = shared.open;
    }
    asio::post(io, [this] {
      beast::error_code ignored;  // nothing is left to tell
      acceptor.close(ignored);
      retry.cancel();
    });
    for (const auto& connection : open) connection->close();
    open.clear();
    work.reset();
    for (std::thread& thread : threads) thread.join();
  }

  void accept() {
    acceptor.async_accept(asio::make_strand(io), [this](beast::error_code error, tcp::socket socket) {
      if (!acceptor.is_open()) return;
      if (!error) {
        auto connection = std::make_shared<Connection>(std::move(socket), shared);
        if (shared.admit(connection)) connection->start();
        return accept();
      }
      // No descriptors left: those who are here go on, new ones wait.
      retry.expires_after(100ms);
      retry.async_wait([this](beast::error_code cancelled) {
        if (!cancelled && acceptor.is_open()) accept();
      });
    });
  }

  Shared shared;
  asio::io_context io;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{asio::make_work_guard(io)};
  tcp::acceptor acceptor;
  asio::steady_timer retry;
  std::vector<std::thread> threads;
  uint16_t port = 0;
};

HttpServer::HttpServer(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
HttpServer::~HttpServer() = default;
uint16_t HttpServer::port() const { return listener_->port; }

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, ServerHandler handler) {
  std::string where = format("{}:{}", options.address, options.port);
  beast::error_code error;
  auto address = asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, error);
  if (error) return invalid(format("listen on {}: not an IP address", where));
  tcp::endpoint endpoint(address, options.port);
  auto listener = std::make_unique<Listener>(std::move(options), std::move(handler));
  tcp::acceptor& acceptor = listener->acceptor;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return transient(format("listen on {}: {}", where, error.message()));
  listener->port = acceptor.local_endpoint().port();
  listener->accept();
  for (int i = 0; i < listener->shared.options.threads; ++i)
    listener->threads.emplace_back([&io = listener->io] { io.run(); });
  return std::make_unique<HttpServer>(std::move(listener));
}

}  // namespace reconciler
