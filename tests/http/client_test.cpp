#include "http/client.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "http/raw_server.h"

#include "catch.h"

using namespace reconciler;

namespace {

std::unique_ptr<HttpClient> client_of(const RawServer& server, HttpClientSettings settings = {}) {
  settings.base_url = server.url();
  auto client = HttpClient::open(settings);
  REQUIRE(client);
  return *std::move(client);
}

HttpClientSettings with_token() {
  HttpClientSettings settings;
  settings.token = "s3cret";
  return settings;
}

HttpRequest get(const std::string& path) {
  HttpRequest request;
  request.path = path;
  return request;
}

/// Answers each request of each connection the same way.
std::function<void(RawConnection&)> always(const std::string& answer) {
  return [answer](RawConnection& connection) {
    while (!connection.read_request().empty()) connection.send(answer);
  };
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("an answer comes back whole, whatever its status", "[http]") {
  RawServer server(always(http_answer(418, "short and stout", "X-Kind: Teapot \r\n")));
  auto answer = client_of(server)->request(get("/pot"));
  REQUIRE(answer);
  CHECK(answer->status == 418);
  CHECK(answer->body == "short and stout");
  CHECK(answer->headers.at("x-kind") == "Teapot");
}

TEST_CASE("method, path, headers, token and body are sent", "[http]") {
  std::string seen;
  RawServer server([&](RawConnection& connection) {
    seen = connection.read_request();
    connection.send(http_answer(200, "{}"));
  });
  HttpRequest request = get("/a%20b?c=d");
  request.method = "PATCH";
  request.headers["Content-Type"] = "application/merge-patch+json";
  request.body = R"({"a":1})";
  REQUIRE(client_of(server, with_token())->request(request));
  CHECK(seen.starts_with("PATCH /a%20b?c=d HTTP/1.1\r\n"));
  CHECK(contains(seen, "Authorization: Bearer s3cret\r\n"));
  CHECK(contains(seen, "Content-Type: application/merge-patch+json\r\n"));
  CHECK(contains(seen, "User-Agent: serin\r\n"));
  CHECK_FALSE(contains(seen, "Expect:"));
  CHECK(seen.ends_with(R"({"a":1})"));
}

TEST_CASE("a redirect is an answer and is not followed", "[http]") {
  RawServer elsewhere(always(http_answer(200, "caught")));
  RawServer server(always(http_answer(302, "", "Location: " + elsewhere.url() + "/\r\n")));
  auto answer = client_of(server, with_token())->request(get("/"));
  REQUIRE(answer);
  CHECK(answer->status == 302);
  CHECK(elsewhere.connections() == 0);
}

TEST_CASE("a kept-alive connection is used again", "[http]") {
  RawServer server(always(http_answer(200, "")));
  auto client = client_of(server);
  for (int i = 0; i < 5; ++i) REQUIRE(client->request(get("/")));
  CHECK(server.connections() == 1);
}

TEST_CASE("a kept-alive connection that the server has closed does not fail the next call", "[http]") {
  RawServer server([](RawConnection& connection) {  // One request a connection, without saying so.
    if (connection.read_request().empty()) return;
    connection.send(http_answer(200, "once"));
  });
  auto client = client_of(server);
  HttpRequest patch = get("/");
  patch.method = "PATCH";
  patch.body = "{}";
  for (int i = 0; i < 3; ++i) {
    auto answer = client->request(patch);
    REQUIRE(answer);
    CHECK(answer->body == "once");
  }
}

TEST_CASE("a connection that dies over the second request is tried once more", "[http]") {
  std::atomic<int> requests = 0;
  RawServer server([&](RawConnection& connection) {
    connection.read_request();
    connection.send(http_answer(200, "first"));
    if (connection.read_request().empty()) return;
    ++requests;
    connection.reset();
  });
  auto client = client_of(server);
  REQUIRE(client->request(get("/")));
  auto answer = client->request(get("/"));
  REQUIRE(answer);
  CHECK(answer->body == "first");
  CHECK(requests == 1);
}

TEST_CASE("a server that never answers costs the deadline and no more", "[http]") {
  RawServer server([](RawConnection& connection) {
    connection.read_request();
    connection.wait_for_end();
  });
  HttpRequest request = get("/slow");
  request.timeout = 200ms;
  auto before = std::chrono::steady_clock::now();
  auto answer = client_of(server)->request(request);
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::Transient);
  CHECK(contains(answer.error().message, "no answer in time"));
  CHECK(std::chrono::steady_clock::now() - before < 5s);
}

TEST_CASE("a server that trickles costs the deadline and no more", "[http]") {
  RawServer server([](RawConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    for (int i = 0; i < 30; ++i) {
      connection.send("x");
      std::this_thread::sleep_for(20ms);
    }
  });
  HttpRequest request = get("/");
  request.timeout = 200ms;
  auto answer = client_of(server)->request(request);
  REQUIRE_FALSE(answer);
  CHECK(contains(answer.error().message, "no answer in time"));
}

TEST_CASE("an answer above the bound is an error and the client goes on", "[http]") {
  RawServer server(always(http_answer(200, std::string(100'000, 'x'))));
  auto client = client_of(server);
  HttpRequest request = get("/");
  request.response_bytes_max = 1000;
  auto answer = client->request(request);
  REQUIRE_FALSE(answer);
  CHECK(contains(answer.error().message, "larger than 1000 bytes"));
  CHECK(client->request(get("/")));
}

TEST_CASE("nobody listening is said without the query or the token", "[http]") {
  std::unique_ptr<HttpClient> client;
  {
    RawServer server(always(http_answer(200, "")));
    client = client_of(server, with_token());
  }
  auto answer = client->request(get("/here?key=private"));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().kind == ErrorKind::Transient);
  CHECK(contains(answer.error().message, "GET http://127.0.0.1:"));
  CHECK(contains(answer.error().message, "/here: "));
  CHECK_FALSE(contains(answer.error().message, "private"));
  CHECK_FALSE(contains(answer.error().message, "s3cret"));
}

TEST_CASE("a token file is read anew when it changes", "[http]") {
  auto folder = std::filesystem::temp_directory_path() / ("serin-token-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  auto file = folder / "token";
  std::ofstream(file) << "first\n";
  std::string seen;
  RawServer server([&](RawConnection& connection) {
    for (std::string request; !(request = connection.read_request()).empty();) {
      seen = request;
      connection.send(http_answer(200, ""));
    }
  });
  HttpClientSettings settings;
  settings.token_file = file;
  auto client = client_of(server, settings);

  REQUIRE(client->request(get("/")));
  CHECK(contains(seen, "Authorization: Bearer first\r\n"));
  std::ofstream(file) << "second\n";
  std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + 1s);
  REQUIRE(client->request(get("/")));
  CHECK(contains(seen, "Authorization: Bearer second\r\n"));
  std::filesystem::remove_all(folder);
  REQUIRE(client->request(get("/")));  // it may be on its way to be replaced
  CHECK(contains(seen, "Authorization: Bearer second\r\n"));
  CHECK(client_of(server, settings)->request(get("/")).error().kind == ErrorKind::Transient);
}

TEST_CASE("whoever makes tokens hears of a refusal", "[http]") {
  struct Tokens : TokenSource {
    int made = 0;
    std::string refusal;
    Result<std::string> token() override { return "t" + std::to_string(++made); }
    void refused(const std::string& token) override { refusal = token; }
  };
  RawServer server([&](RawConnection& connection) {
    for (std::string request; !(request = connection.read_request()).empty();)
      connection.send(http_answer(contains(request, "Bearer t1\r\n") ? 401 : 200, ""));
  });
  auto tokens = std::make_shared<Tokens>();
  HttpClientSettings settings;
  settings.token = "never sent";
  settings.tokens = tokens;
  auto client = client_of(server, settings);
  CHECK(client->request(get("/"))->status == 401);
  CHECK(tokens->refusal == "t1");
  CHECK(client->request(get("/"))->status == 200);
}

TEST_CASE("the lines of a stream arrive one by one, however they were cut", "[http]") {
  RawServer server([](RawConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    connection.send("4\r\none\n\r\n");
    connection.send("3\r\ntwo\r\n");
    connection.send("c\r\n and\nthree\n\n\r\n");
    connection.send("0\r\n\r\n");
  });
  std::vector<std::string> lines;
  auto end = client_of(server)->stream(get("/"), {}, [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  REQUIRE(end);
  CHECK(end->status == 200);
  CHECK(lines == std::vector<std::string>{"one", "two and", "three"});
}

TEST_CASE("a line is handed over although the stream stays open, and stopping ends it at once", "[http]") {
  RawServer server([](RawConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nfirst\n\r\n");
    connection.wait_for_end();
  });
  auto client = client_of(server);
  std::stop_source stop;
  std::atomic<bool> arrived = false;
  std::thread stopper([&] {
    while (!arrived) std::this_thread::sleep_for(1ms);
    stop.request_stop();
  });
  auto before = std::chrono::steady_clock::now();
  auto end = client->stream(get("/"), stop.get_token(), [&](std::string_view) { return arrived = true; });
  stopper.join();
  CHECK(end);
  CHECK(std::chrono::steady_clock::now() - before < 5s);
}

TEST_CASE("a reader that has enough ends the stream", "[http]") {
  RawServer server([](RawConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na\nb\n\r\n");
    CHECK(connection.wait_for_end());
  });
  int lines = 0;
  auto end = client_of(server)->stream(get("/"), {}, [&](std::string_view) { return ++lines < 1; });
  CHECK(end);
  CHECK(lines == 1);
}

TEST_CASE("a stream that falls silent or breaks is a transient error", "[http]") {
  RawServer silent([](RawConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n");
    connection.wait_for_end();
  });
  HttpClientSettings settings;
  settings.stream_idle = 1s;
  auto end = client_of(silent, settings)->stream(get("/"), {}, [](std::string_view) { return true; });
  REQUIRE_FALSE(end);
  CHECK(end.error().kind == ErrorKind::Transient);

  RawServer broken([](RawConnection& connection) {
    connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf of a li");
  });
  end = client_of(broken)->stream(get("/"), {}, [](std::string_view) { return true; });
  REQUIRE_FALSE(end);
  CHECK(end.error().kind == ErrorKind::Transient);
}

TEST_CASE("a stream that is refused comes back with its body", "[http]") {
  RawServer server(always(http_answer(410, R"({"kind":"Status"})")));
  auto end = client_of(server)->stream(get("/"), {}, [](std::string_view) { return true; });
  REQUIRE(end);
  CHECK(end->status == 410);
  CHECK(end->body == R"({"kind":"Status"})");
}

TEST_CASE("addresses and certificates that cannot be used are refused at once", "[http]") {
  auto refusal = [](HttpClientSettings settings) {
    auto client = HttpClient::open(std::move(settings));
    REQUIRE_FALSE(client);
    CHECK(client.error().kind == ErrorKind::Invalid);
    return client.error().message;
  };
  HttpClientSettings settings;
  for (const char* url : {"", "ftp://host", "127.0.0.1:80", "http://"}) {
    settings.base_url = url;
    refusal(settings);
  }
  settings.base_url = "https://user:hunter2@host";
  CHECK_FALSE(contains(refusal(settings), "hunter2"));
  settings.base_url = "https://host";
  settings.tls.ca = "no certificate";
  refusal(settings);
  settings.tls = {.ca = "", .certificate = "x", .key = ""};
  refusal(settings);
}

TEST_CASE("text is percent-encoded for a path or query", "[http]") {
  CHECK(percent_encoded("a-b._~Z9") == "a-b._~Z9");
  CHECK(percent_encoded("a b/c=d,e\xc3\xa9") == "a%20b%2Fc%3Dd%2Ce%C3%A9");
}
