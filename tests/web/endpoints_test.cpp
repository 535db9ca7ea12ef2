#include "web/endpoints.h"

#include "daemon/system_clock.h"
#include "http/raw_client.h"
#include "sim/sim_git.h"

#include "catch.h"

using namespace reconciler;

namespace {

std::string answer(const Endpoints& endpoints, const std::string& request_line) {
  RawClient client(endpoints.port());
  REQUIRE(client.send(request_line + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  client.is_closed();
  return client.read_until("");
}

/// Everything the endpoints read, over a repository that answers to nothing.
struct Known {
  SystemClock clock;
  Measurements measurements;
  Reachability health;
  SimRemote remote;
  SimClone clone;
  SimGit repository{remote, clone};
  MeasuredGit git{repository, clock, measurements, health, {"https://git.example.com/shop", "main"}};

  Known() { remote.commit("main", {}, {}, "Begin"); }

  Result<std::unique_ptr<Endpoints>> start(uint16_t port = 0, std::function<void()> wake = nullptr) {
    return Endpoints::start({.port = port, .version = "1.2.3", .wake = std::move(wake)}, {measurements, health, git},
                            clock);
  }
};

}  // namespace

TEST_CASE("endpoints answer from what was published last", "[web]") {
  Known known;
  auto endpoints = *known.start();
  CHECK_THAT(answer(*endpoints, "GET /livez"), ContainsSubstring("200 OK"));
  CHECK_THAT(answer(*endpoints, "GET /readyz"), ContainsSubstring("503"));
  Report report;
  report.head = "3f1c0d2e";
  report.leadership.leads = true;
  endpoints->publish(report);
  CHECK_THAT(answer(*endpoints, "GET /readyz"), ContainsSubstring("no poll has succeeded yet"));
  REQUIRE(known.git.poll());
  CHECK_THAT(answer(*endpoints, "GET /readyz"), ContainsSubstring("200 OK"));
  CHECK_THAT(answer(*endpoints, "GET /metrics"),
             ContainsSubstring(
                 "serin_git_head_info{repo=\"https://git.example.com/shop\",ref=\"main\",commit=\"3f1c0d2e\"} 1"));
  CHECK_THAT(answer(*endpoints, "GET /status.json"), ContainsSubstring("\"head\":\"3f1c0d2e\""));
}

TEST_CASE("a report is made for whoever asks, and for nobody else", "[web]") {
  Known known;
  Endpoints* endpoints = nullptr;
  std::unique_ptr<Endpoints> started = *known.start(0, [&] { endpoints->publish({.head = "abc"}); });
  endpoints = started.get();
  CHECK_FALSE(endpoints->report_is_wanted());
  CHECK_THAT(answer(*endpoints, "GET /livez"), ContainsSubstring("200 OK"));
  CHECK_FALSE(endpoints->report_is_wanted());
  CHECK_THAT(answer(*endpoints, "GET /status.json"), ContainsSubstring("\"head\":\"abc\""));
}

TEST_CASE("endpoints only read", "[web]") {
  Known known;
  auto endpoints = *known.start();
  CHECK_THAT(answer(*endpoints, "POST /livez"), ContainsSubstring("405"));
  CHECK_THAT(answer(*endpoints, "GET /nowhere"), ContainsSubstring("404"));
}

TEST_CASE("an address in use is said", "[web]") {
  Known known;
  auto first = *known.start();
  auto second = known.start(first->port());
  REQUIRE_FALSE(second);
  CHECK_THAT(second.error().message, ContainsSubstring(std::to_string(first->port())));
}
