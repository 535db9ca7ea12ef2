#include "web/measurements.h"

#include "sim/sim_clock.h"
#include "web/measured_http.h"

#include "catch.h"

using namespace reconciler;

namespace {

std::string text_of(const Measurements& measurements) {
  Exposition out;
  measurements.write(out);
  return out.take();
}

/// Answers everything with one status.
class OneAnswer : public HttpClient {
 public:
  explicit OneAnswer(Result<HttpResponse> answer) : answer_(std::move(answer)) {}
  Result<HttpResponse> request(const HttpRequest&) override { return answer_; }
  Result<HttpResponse> stream(const HttpRequest&, std::stop_token,
                              const std::function<bool(std::string_view)>&) override {
    return answer_;
  }

 private:
  Result<HttpResponse> answer_;
};

}  // namespace

TEST_CASE("a counter adds up by labels", "[web]") {
  Measurements measurements;
  measurements.add(Measure::GitPolls, {{"repo", "a\"b"}, {"result", "success"}});
  measurements.add(Measure::GitPolls, {{"repo", "a\"b"}, {"result", "success"}});
  CHECK_THAT(text_of(measurements), ContainsSubstring("# TYPE serin_git_poll_total counter\n"));
  CHECK_THAT(text_of(measurements), ContainsSubstring("serin_git_poll_total{repo=\"a\\\"b\",result=\"success\"} 2\n"));
}

TEST_CASE("the buckets of a histogram hold everything below them", "[web]") {
  Measurements measurements;
  for (Duration time : {Duration(3ms), Duration(5ms), Duration(2s), Duration(20min)})
    measurements.time(Measure::QueueWaitSeconds, {}, time);
  const std::string text = text_of(measurements);
  CHECK_THAT(text, ContainsSubstring("serin_queue_wait_seconds_bucket{le=\"0.005\"} 2\n"));
  CHECK_THAT(text, ContainsSubstring("serin_queue_wait_seconds_bucket{le=\"1\"} 2\n"));
  CHECK_THAT(text, ContainsSubstring("serin_queue_wait_seconds_bucket{le=\"2.5\"} 3\n"));
  CHECK_THAT(text, ContainsSubstring("serin_queue_wait_seconds_bucket{le=\"600\"} 3\n"));
  CHECK_THAT(text, ContainsSubstring("serin_queue_wait_seconds_bucket{le=\"+Inf\"} 4\n"));
  CHECK_THAT(text, ContainsSubstring("serin_queue_wait_seconds_count 4\n"));
}

TEST_CASE("a request is named as Kubernetes names it", "[web]") {
  CHECK(kube_verb({.path = "/api/v1/services?limit=500"}) == "list");
  CHECK(kube_verb({.path = "/api/v1/namespaces/shop/services"}) == "list");
  CHECK(kube_verb({.path = "/api/v1/namespaces/shop/services/till"}) == "get");
  CHECK(kube_verb({.path = "/api/v1/namespaces/shop"}) == "get");
  CHECK(kube_verb({.path = "/apis/apps/v1/replicasets"}) == "list");
  CHECK(kube_verb({.path = "/apis/apps/v1/namespaces/shop/replicasets/till-1"}) == "get");
  CHECK(kube_verb({.path = "/apis/apps/v1"}) == "get");
  CHECK(kube_verb({.method = "PATCH", .headers = {{"Content-Type", "application/apply-patch+yaml"}}}) == "apply");
  CHECK(kube_verb({.method = "PATCH", .headers = {{"Content-Type", "application/json-patch+json"}}}) == "patch");
}

TEST_CASE("requests are counted by verb and code, and tell whether the server is there", "[web]") {
  SimClock clock{TimePoint(0s)};
  Measurements measurements;
  Reachability health;
  MeasuredHttp throttled(std::make_unique<OneAnswer>(HttpResponse{429, {{"retry-after", "3"}}, ""}), clock,
                         measurements, health);
  CHECK(throttled.request({.path = "/api/v1/pods"}));
  CHECK_THAT(text_of(measurements), ContainsSubstring("serin_kube_requests_total{verb=\"list\",code=\"429\"} 1\n"));
  CHECK_THAT(text_of(measurements), ContainsSubstring("serin_kube_throttle_seconds_total 3\n"));
  CHECK(health.facts().api_trouble.empty());
  MeasuredHttp dead(std::make_unique<OneAnswer>(transient("connection refused")), clock, measurements, health);
  CHECK_FALSE(dead.request({.method = "POST"}));
  CHECK_THAT(text_of(measurements), ContainsSubstring("serin_kube_requests_total{verb=\"create\",code=\"none\"} 1\n"));
  CHECK(health.facts().api_trouble == "connection refused");
}
