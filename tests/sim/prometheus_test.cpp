#include "http/server_request.h"
#include "objects.h"
#include "sim/prometheus_api.h"
#include "sim/promql.h"

#include "catch.h"

using namespace reconciler;

namespace {

const TimePoint kStart = *parse_time("2026-11-20T09:00:00Z");

/// A canary with half its requests failing, 20 % of 100 requests a second.
struct Shop {
  World world{{.ready_after = 0ms, .now = kStart, .requests_per_second = 100}};

  Shop() {
    for (auto [name, image] : {std::pair("stable", "web:v1"), std::pair("canary", "web:v2-errors-50")}) {
      Json labels = {{"app", "web"}, {"version", name}};
      REQUIRE(world.create(at(world, "apps/v1", "ReplicaSet", "default"), replica_set(name, 2, labels, image)));
      REQUIRE(world.create(at(world, "v1", "Service", "default"), service(name, labels)));
    }
    REQUIRE(world.create(at(world, "networking.istio.io/v1", "VirtualService", "default"),
                         virtual_service("web", "stable", "canary", 20)));
    world.advance_to(kStart);
    world.advance_to(kStart + 60s);
  }

  ServerResponse get(const std::string& path_and_query) {
    ServerRequest request{.method = "GET", .target = path_and_query};
    split_target(request);
    return answer_prometheus(request, world);
  }

  /// The value of a query with one result.
  double value(const std::string& query) {
    ServerRequest request{.method = "GET", .path = "/prometheus/api/v1/query", .query = {{"query", query}}};
    Json answer = Json::parse(answer_prometheus(request, world).body);
    INFO(answer.dump());
    REQUIRE(answer["status"] == "success");
    Json result = answer["data"]["result"];
    if (answer["data"]["resultType"] == "vector") {
      REQUIRE(result.size() == 1);
      result = result[0]["value"];
    }
    return std::stod(result[1].get<std::string>());
  }
};

}  // namespace

TEST_CASE("queries of an analysis give the canary's success rate", "[prometheus]") {
  Shop shop;
  CHECK(shop.value("sum(rate(istio_requests_total{destination_service_name=\"canary\"}[30s]))") ==
        Approx(20).epsilon(0.01));
  CHECK(shop.value("sum(rate(istio_requests_total{destination_service=~\"canary.*\",response_code!~\"5.*\"}[30s])) / "
                   "sum(rate(istio_requests_total{destination_service=~\"canary.*\"}[30s]))") ==
        Approx(0.5).epsilon(0.01));
  CHECK(shop.value("sum(increase(istio_requests_total{destination_service_name=\"stable\"}[30s]))") ==
        Approx(2400).epsilon(0.01));
  CHECK(shop.value("sum(irate(istio_requests_total[30s]))") == Approx(100).epsilon(0.01));
  CHECK(shop.value("sum(istio_requests_total)") == 6000);
  CHECK(shop.value("histogram_quantile(0.9, sum by (le) (rate(istio_request_duration_milliseconds_bucket[30s])))") ==
        Approx(25).epsilon(0.05));
}

TEST_CASE("operators bind as in Prometheus", "[promql]") {
  Shop shop;
  CHECK(shop.value("1 + 2 * 3") == 7);
  CHECK(shop.value("2 ^ 3 ^ 2") == 512);
  CHECK(shop.value("-2 ^ 2") == -4);
  CHECK(shop.value("(1 + 2) * 3 % 5") == 4);
  CHECK(shop.value("1 < bool 2") == 1);
  CHECK(shop.value("scalar(vector(3))") == 3);
  CHECK(shop.value("count(istio_requests_total)") == 3);
  CHECK(shop.value("count(sum by (destination_service_name) (istio_requests_total) > 2000)") == 1);
  CHECK(shop.value("absent(nothing)") == 1);
  CHECK(shop.value("sum(istio_requests_total offset 30s)") == 3000);
  CHECK(shop.value("sum without (response_code, destination_version) (up)") == 1);
}

TEST_CASE("what cannot be read or computed is an error with a place", "[promql]") {
  Shop shop;
  for (auto query : {"sum(", "rate(up)", "up[5m", "up{a=}", "{", "a b", "foo(up)", "up == on(a) group_left up", "1 < 2",
                     "up{a=~\"(\"}", "rate(up[5m:1m])", "\"text\"", ""}) {
    ServerRequest request{.method = "GET", .path = "/prometheus/api/v1/query", .query = {{"query", query}}};
    auto response = answer_prometheus(request, shop.world);
    INFO(query << " " << response.body);
    CHECK((response.status == 400 || response.status == 422));
    CHECK(Json::parse(response.body)["status"] == "error");
  }
  CHECK_FALSE(parse_promql(std::string(5000, '(')));
  CHECK_FALSE(parse_promql(std::string(5000, '-')));
}

TEST_CASE("a range query has a value per step", "[prometheus]") {
  Shop shop;
  auto response = shop.get("/prometheus/api/v1/query_range?query=sum(istio_requests_total)&start=" +
                           std::to_string(kStart.time_since_epoch() / 1s) +
                           "&end=" + std::to_string((kStart + 30s).time_since_epoch() / 1s) + "&step=10s");
  Json answer = Json::parse(response.body);
  REQUIRE(answer["data"]["result"].size() == 1);
  Json values = answer["data"]["result"][0]["values"];
  REQUIRE(values.size() == 4);
  CHECK(values[3][1] == "3000");
}

TEST_CASE("a real Prometheus can scrape the counters", "[prometheus]") {
  Shop shop;
  std::string text = shop.get("/metrics").body;
  CHECK_THAT(text, ContainsSubstring("# TYPE istio_requests_total counter"));
  CHECK_THAT(text, ContainsSubstring("le=\"+Inf\""));
  CHECK_THAT(text, ContainsSubstring("response_code=\"500\""));
}
