#include "cli/deployments.h"

#include "catch.h"
#include "cli/audit_text.h"

using namespace reconciler;

namespace {

TimePoint minute(int n) { return *parse_time("2026-11-22T10:00:00Z") + n * 1min; }

Recorded told(int when, std::string subject, std::string revision, std::string weight = "0", std::string why = "") {
  return {.commit = {.id = "c", .author = "Serin <serin@localhost>", .time = minute(when), .message = ""},
          .rollout = {.ns = "shop", .name = "till"},
          .cluster = "default",
          .subject = std::move(subject),
          .why = std::move(why),
          .phase = "Progressing",
          .weight = std::move(weight),
          .revision = revision,
          .image = "r/till:" + revision,
          .requested = "request-" + revision};
}

std::vector<Deployment> deployments(const std::vector<Recorded>& story) {
  DeploymentLog log;
  for (const Recorded& each : story) log.add(each);
  return log.take();
}

const std::vector<Recorded> kFirst = {told(0, "deploying v1", "v1"), told(1, "promoted v1", "v1")};

std::vector<Recorded> after_first(const std::vector<Recorded>& more) {
  std::vector<Recorded> all = kFirst;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

TEST_CASE("a promoted deployment says from what to what, and when it was exposed", "[audit]") {
  auto all = deployments(after_first({told(10, "deploying v2 (step 0/2)", "v2"),
                                      told(12, "canary 20% (step 1/2)", "v2", "20"), told(20, "promoted v2", "v2")}));
  REQUIRE(all.size() == 2);
  CHECK(all[0].from.empty());
  CHECK(all[1].from == "r/till:v1");
  CHECK(all[1].outcome == Outcome::Promoted);
  CHECK(all[1].exposed == minute(12));
  CHECK(all[1].ended == minute(20));
  CHECK(all[1].commit == "request-v2");
}

TEST_CASE("a canary that lost its traffic has failed and is restored", "[audit]") {
  auto all = deployments(after_first({told(10, "deploying v2 (step 0/2)", "v2"), told(12, "canary 20%", "v2", "20"),
                                      told(15, "returning to v1: too many errors", "v2", "0", "too many errors"),
                                      told(16, "rolled back to v1: too many errors", "v1", "0", "too many errors")}));
  REQUIRE(all.size() == 2);
  CHECK(all[1].outcome == Outcome::RolledBack);
  CHECK(all[1].why == "too many errors");
  CHECK(all[1].restored == minute(16));
}

TEST_CASE("bringing an earlier version back makes a failure of the one before", "[audit]") {
  auto all = deployments(
      after_first({told(10, "deploying v2", "v2"), told(12, "canary 20%", "v2", "20"), told(20, "promoted v2", "v2"),
                   told(30, "deploying v1 (step 2/2)", "v1"), told(31, "promoted v1", "v1")}));
  REQUIRE(all.size() == 3);
  CHECK(all[1].outcome == Outcome::Reverted);
  CHECK(all[1].restored == minute(31));
  CHECK(all[2].outcome == Outcome::Promoted);
}

TEST_CASE("another version before the end supersedes; what has not ended is running", "[audit]") {
  auto all = deployments(after_first({told(10, "deploying v2", "v2"), told(12, "deploying v3", "v3")}));
  REQUIRE(all.size() == 3);
  CHECK(all[1].outcome == Outcome::Superseded);
  CHECK(all[1].ended == minute(12));
  CHECK(all[2].outcome == Outcome::Running);
  CHECK_FALSE(all[2].ended);
}

TEST_CASE("an approval is found in the status, once", "[audit]") {
  Recorded approved = told(12, "canary 20% (step 2/4)", "v2", "20");
  approved.status = Status{};
  approved.status->decision = CarriedOut{
      .verb = Verb::Promote, .revision = "v2", .step = 1, .by = "Bo <bo@example.com>", .commit = "d", .at = minute(12)};
  auto all = deployments(after_first({told(10, "deploying v2", "v2"), approved, approved}));
  CHECK(all[1].approved_by == std::vector<std::string>{"Bo <bo@example.com>"});
}

TEST_CASE("the four figures are those of the deployments", "[audit]") {
  auto all = deployments(after_first({told(10, "deploying v2", "v2"), told(12, "canary 20%", "v2", "20"),
                                      told(20, "promoted v2", "v2"), told(30, "deploying v3", "v3"),
                                      told(32, "canary 20%", "v3", "20"), told(36, "rolled back to v2", "v2")}));
  for (Deployment& d : all) d.committed = d.began - 2min;
  DeliveryFigures figures = figures_of(all, minute(0), minute(0) + 24h);
  CHECK(figures.deployments == 3);
  CHECK(figures.per_day == Approx(3.0));
  CHECK(figures.lead_time == 7min + 30s);  // the median of 3 and 12 minutes
  CHECK(figures.change_failure_rate == Approx(1.0 / 3));
  CHECK(figures.time_to_restore == 4min);
  CHECK_FALSE(figures_of({}, minute(0), minute(1)).lead_time);
  CHECK_FALSE(figures_of(all, minute(0), minute(60)).per_day);
}

TEST_CASE("a cell of CSV is neither a formula nor a line break", "[audit]") {
  auto all = deployments({told(0, "deploying v1", "v1")});
  all[0].author = "=cmd \"x\", <a@b>";
  const std::string csv = audit_csv({all, {}});
  CHECK_THAT(csv, ContainsSubstring("\"'=cmd \"\"x\"\", <a@b>\""));
  CHECK_THAT(csv, ContainsSubstring("default,shop,till,v1,r/till:v1,,request-v1,"));
}
