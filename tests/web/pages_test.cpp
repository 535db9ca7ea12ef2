#include "web/pages.h"

#include "catch.h"

using namespace reconciler;

namespace {

Report report_of_a_canary() {
  Status status;
  status.phase = Phase::Paused;
  status.stable = Revision{"5d8f7c9b4", "r.example.com/checkout:v1", {}};
  status.canary = Revision{"6d4c9f7b8d", "r.example.com/checkout:\"v2\"", {}};
  status.step = StepPosition{1, 8, {}, "h"};
  status.weight = 20;
  Report report;
  report.head = "3f1c0d2e";
  report.leadership = {.leads = true, .term = 1, .leader = "a"};
  report.rollouts = {
      {.key = {"shop", "checkout"}, .status = std::make_shared<Status>(status), .why = "pausing for 5m"}};
  return report;
}

Published published(Report report) {
  return {.report = std::make_shared<const Report>(std::move(report)),
          .since_beat = 1s,
          .version = "1.2.3",
          .repo = "/srv/shop.git",
          .since_good_poll = 10s};
}

int status_at(std::string_view path, const Published& known) {
  std::optional<Page> page = page_at(path, known);
  return page ? page->status : 404;
}

}  // namespace

TEST_CASE("a follower is ready when it knows whom it follows", "[web]") {
  Report report = report_of_a_canary();
  report.leadership = {.leader = "b"};
  CHECK(status_at("/readyz", published(report)) == 200);
  CHECK(page_at("/metrics", published(report))->body.find("\nserin_leader 0\n") != std::string::npos);
  CHECK(report_json(report)["leader"] == "b");
  report.leadership = {.trouble = "read Lease serin/serin-serin: forbidden"};
  CHECK(status_at("/readyz", published(report)) == 503);
  CHECK(page_at("/readyz", published(report))->body.find("forbidden") != std::string::npos);
  report.leadership = {.leads = true, .term = 1, .leader = "a"};
  CHECK(page_at("/metrics", published(report))->body.find("\nserin_leader 1\n") != std::string::npos);
}

TEST_CASE("a loop that turns is alive, one that hangs is not", "[web]") {
  Published known = published(report_of_a_canary());
  CHECK(status_at("/healthz", known) == 200);
  CHECK(status_at("/livez", known) == 200);
  known.since_beat = 61s;
  CHECK(status_at("/livez", known) == 503);
  CHECK(status_at("/readyz", known) == 503);
}

TEST_CASE("ready means that git and the cluster are known", "[web]") {
  CHECK(status_at("/readyz", {.since_beat = 1s}) == 503);
  CHECK(status_at("/readyz", published(report_of_a_canary())) == 200);
  Report no_cluster = report_of_a_canary();
  no_cluster.cluster_trouble = "connection refused";
  CHECK(page_at("/readyz", published(no_cluster))->body == "cluster: connection refused\n");
  Published known = published(report_of_a_canary());
  known.health.api_trouble = "connection refused";
  CHECK(page_at("/readyz", known)->body == "cluster: connection refused\n");
  known.health = {.record_trouble = "no space left on device"};
  CHECK(page_at("/readyz", known)->body == "status cannot be recorded: no space left on device\n");
}

TEST_CASE("a repository that is away for a moment does not make it unready, one that stays away does", "[web]") {
  Report no_git = report_of_a_canary();
  no_git.git_trouble = "unreachable";
  Published known = published(no_git);
  CHECK(status_at("/readyz", known) == 200);
  known.since_good_poll = 181s;
  CHECK(page_at("/readyz", known)->body == "git: the last good poll is 3m1s old\n");
  known.since_good_poll.reset();
  CHECK(status_at("/readyz", known) == 503);
}

TEST_CASE("metrics tell phase, weight, step and images, escaped", "[web]") {
  std::string text = metrics_text(published(report_of_a_canary()));
  CHECK_THAT(text, ContainsSubstring("serin_build_info{version=\"1.2.3\"} 1\n"));
  CHECK_THAT(text, ContainsSubstring("serin_git_push_queue{repo=\"/srv/shop.git\"} 0\n"));
  CHECK_THAT(text, ContainsSubstring("serin_rollout_phase{namespace=\"shop\",name=\"checkout\",phase=\"Paused\"} 1\n"));
  CHECK_THAT(text, ContainsSubstring("serin_rollout_weight{namespace=\"shop\",name=\"checkout\"} 20\n"));
  CHECK_THAT(text, ContainsSubstring("role=\"canary\",image=\"r.example.com/checkout:\\\"v2\\\"\"} 1\n"));
  CHECK_THAT(metrics_text({.version = "1.2.3"}), ContainsSubstring("serin_build_info"));
}

TEST_CASE("the report as JSON", "[web]") {
  Json json = report_json(report_of_a_canary());
  CHECK(json["head"] == "3f1c0d2e");
  CHECK(json["inSync"] == true);
  CHECK(json["rollouts"][0]["canary"]["revision"] == "6d4c9f7b8d");
  CHECK(json["rollouts"][0]["why"] == "pausing for 5m");
}

TEST_CASE("other paths are not served", "[web]") {
  for (const char* path : {"/", "/metrics/", "/status", "/../etc/passwd"})
    CHECK_FALSE(page_at(path, published(report_of_a_canary())));
}
