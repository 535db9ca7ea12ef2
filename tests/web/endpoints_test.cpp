#include "web/endpoints.h"

#include "daemon/system_clock.h"
#include "http/raw_client.h"

#include "catch.h"

using namespace reconciler;

namespace {

std::string answer(const Endpoints& endpoints, const std::string& request_line) {
  RawClient client(endpoints.port());
  REQUIRE(client.send(request_line + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  client.is_closed();
  return client.read_until("");
}

std::unique_ptr<Endpoints> started(Clock& clock) {
  auto endpoints = Endpoints::start({.version = "1.2.3"}, clock);
  REQUIRE(endpoints);
  return std::move(*endpoints);
}

}  // namespace

TEST_CASE("endpoints answer from what was published last", "[web]") {
  SystemClock clock;
  auto endpoints = started(clock);
  CHECK_THAT(answer(*endpoints, "GET /livez"), ContainsSubstring("200 OK"));
  CHECK_THAT(answer(*endpoints, "GET /readyz"), ContainsSubstring("503"));
  CHECK(endpoints->report_is_due());
  Report report;
  report.head = "3f1c0d2e";
  endpoints->publish(report);
  CHECK_FALSE(endpoints->report_is_due());
  CHECK_THAT(answer(*endpoints, "GET /readyz"), ContainsSubstring("200 OK"));
  CHECK_THAT(answer(*endpoints, "GET /metrics"), ContainsSubstring("serin_git_head_info{commit=\"3f1c0d2e\"} 1"));
  CHECK_THAT(answer(*endpoints, "GET /status.json"), ContainsSubstring("\"head\":\"3f1c0d2e\""));
}

TEST_CASE("endpoints only read", "[web]") {
  SystemClock clock;
  auto endpoints = started(clock);
  CHECK_THAT(answer(*endpoints, "POST /livez"), ContainsSubstring("405"));
  CHECK_THAT(answer(*endpoints, "GET /nowhere"), ContainsSubstring("404"));
}

TEST_CASE("an address in use is said", "[web]") {
  SystemClock clock;
  auto first = started(clock);
  auto second = Endpoints::start({.port = first->port()}, clock);
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().message, ContainsSubstring(std::to_string(first->port())));
}
