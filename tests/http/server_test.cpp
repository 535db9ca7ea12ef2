#include "http/server.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "http/raw_client.h"

#include "catch.h"

using namespace reconciler;

namespace {

std::unique_ptr<HttpServer> serve(ServerHandler handler, HttpServerOptions options = {}) {
  auto server = HttpServer::start(options, std::move(handler));
  REQUIRE(server);
  return std::move(*server);
}

ServerAnswer echo(const ServerRequest& request) {
  std::string query;
  for (const auto& [name, value] : request.query) query += name + "=" + value + ";";
  return ServerResponse{.body = request.method + " " + request.path + " " + query + " " + request.body};
}

const std::string kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

}  // namespace

TEST_CASE("a request arrives decoded, and the connection is kept", "[server]") {
  auto server = serve(echo);
  RawClient client(server->port());
  REQUIRE(client.send("GET /a%20b?x=1%262&y=a+b HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK_THAT(client.read_until("b; "), ContainsSubstring("GET /a b x=1&2;y=a b;"));
  REQUIRE(client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"));
  CHECK_THAT(client.read_until("hello"), ContainsSubstring("POST /p  hello"));
  REQUIRE(
      client.send("POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"));
  CHECK_THAT(client.read_until("abcde"), ContainsSubstring("POST /c  abcde"));
}

TEST_CASE("requests sent in one go are answered in order", "[server]") {
  auto server = serve(echo);
  RawClient client(server->port());
  REQUIRE(client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  std::string answer = client.read_until("GET /2");
  CHECK(answer.find("GET /1") < answer.find("GET /2"));
  CHECK(client.is_closed());
}

TEST_CASE("what is malformed or too large is refused", "[server]") {
  auto server = serve(echo, {.body_bytes_max = 1000, .header_bytes_max = 4096});
  auto answer = [&](const std::string& bytes) {
    RawClient client(server->port());
    client.send(bytes);  // the server may answer and close before everything is sent
    std::string text = client.read_until("\r\n");
    CHECK(client.is_closed());
    return text.substr(0, 12);
  };
  CHECK(answer("NONSENSE\r\n\r\n") == "HTTP/1.1 400");
  CHECK(answer("GET / HTTP/9.9\r\n\r\n") == "HTTP/1.1 400");
  CHECK(answer("GET / HTTP/1.1\r\nX: " + std::string(5000, 'a') + "\r\n\r\n") == "HTTP/1.1 431");
  CHECK(answer("POST / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n") == "HTTP/1.1 413");
  CHECK(answer("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFF\r\n" + std::string(5000, 'a')) ==
        "HTTP/1.1 413");
  CHECK(answer("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n") == "HTTP/1.1 400");
  RawClient after(server->port());
  REQUIRE(after.send(kGet));
  CHECK_THAT(after.read_until("GET /"), ContainsSubstring("200 OK"));
}

TEST_CASE("half-sent requests and idle connections are closed in time, while others are served", "[server]") {
  auto server = serve(echo, {.header_time = 300ms, .request_time = 300ms, .idle_time = 300ms});
  RawClient silent(server->port()), half_header(server->port()), half_body(server->port());
  REQUIRE(half_header.send("GET / HTTP/1.1\r\nHo"));
  REQUIRE(half_body.send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"));
  RawClient good(server->port());
  REQUIRE(good.send(kGet));
  CHECK_THAT(good.read_until("GET /"), ContainsSubstring("200 OK"));
  CHECK(silent.is_closed());
  CHECK(half_header.is_closed());
  CHECK(half_body.is_closed());
  CHECK(good.is_closed());
}

TEST_CASE("no more connections than the bound are served", "[server]") {
  auto server = serve(echo, {.connections_max = 2});
  RawClient first(server->port());
  RawClient second(server->port());
  for (RawClient* client : {&first, &second}) {
    REQUIRE(client->send(kGet));
    client->read_until("GET /");
  }
  RawClient third(server->port());
  CHECK(third.is_closed());
  REQUIRE(first.send(kGet));
}

TEST_CASE("a client is told to go on before it sends a large body", "[server]") {
  auto server = serve(echo);
  RawClient client(server->port());
  REQUIRE(client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"));
  CHECK_THAT(client.read_until("\r\n\r\n"), ContainsSubstring("HTTP/1.1 100 Continue"));
  REQUIRE(client.send("body"));
  CHECK_THAT(client.read_until("body"), ContainsSubstring("POST /  body"));
}

namespace {

/// A handler whose streams the test holds in its hands.
struct Streams {
  std::mutex mutex;
  std::condition_variable changed;
  std::shared_ptr<ServerStream> stream;
  bool closed = false;

  ServerHandler handler() {
    return [this](const ServerRequest&) -> ServerAnswer {
      return StreamedResponse{.opened =
                                  [this](std::shared_ptr<ServerStream> opened) {
                                    std::lock_guard lock(mutex);
                                    stream = std::move(opened);
                                    changed.notify_all();
                                  },
                              .closed =
                                  [this] {
                                    std::lock_guard lock(mutex);
                                    closed = true;
                                    changed.notify_all();
                                  }};
    };
  }
  std::shared_ptr<ServerStream> opened() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(10), [&] { return stream != nullptr; });
    return stream;
  }
  bool was_closed() {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(10), [&] { return closed; });
  }
};

}  // namespace

TEST_CASE("a stream carries lines as they come and ends when it is finished", "[server]") {
  Streams streams;
  auto server = serve(streams.handler());
  RawClient client(server->port());
  REQUIRE(client.send(kGet));
  auto stream = streams.opened();
  REQUIRE(stream);
  CHECK(stream->write("one\n"));
  CHECK_THAT(client.read_until("one\n"), ContainsSubstring("Transfer-Encoding: chunked"));
  std::thread writer([&] { CHECK(stream->write("two\n")); });
  writer.join();
  CHECK_THAT(client.read_until("two\n"), ContainsSubstring("4\r\ntwo\n"));
  stream->finish();
  CHECK_THAT(client.read_until("0\r\n\r\n"), ContainsSubstring("0\r\n\r\n"));
  CHECK(client.is_closed());
  CHECK(streams.was_closed());
  CHECK_FALSE(stream->write("three\n"));
}

TEST_CASE("a stream learns that its client went away", "[server]") {
  Streams streams;
  auto server = serve(streams.handler());
  {
    RawClient client(server->port());
    REQUIRE(client.send(kGet));
    REQUIRE(streams.opened());
  }
  CHECK(streams.was_closed());
  CHECK(streams.opened()->is_closed());
}

TEST_CASE("a reader that does not read is cut off", "[server]") {
  Streams streams;
  auto server = serve(streams.handler(), {.stream_bytes_max = size_t{1} << 20});
  RawClient client(server->port(), 4096);
  REQUIRE(client.send(kGet));
  auto stream = streams.opened();
  REQUIRE(stream);
  std::string line(100000, 'x');
  bool refused = false;
  for (int i = 0; i < 1000 && !refused; ++i) refused = !stream->write(line);
  CHECK(refused);
  CHECK(streams.was_closed());
}

TEST_CASE("a server stops with clients connected and streams open", "[server]") {
  Streams streams;
  auto server = serve(streams.handler());
  RawClient idle(server->port()), streaming(server->port());
  REQUIRE(streaming.send(kGet));
  REQUIRE(streams.opened());
  server.reset();
  CHECK(idle.is_closed());
  CHECK(streaming.is_closed());
  CHECK(streams.was_closed());
}

TEST_CASE("an address in use is an error", "[server]") {
  auto server = serve(echo);
  auto second = HttpServer::start({.port = server->port()}, echo);
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().message, ContainsSubstring("Address already in use"));
}
