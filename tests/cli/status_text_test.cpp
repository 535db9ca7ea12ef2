#include "cli/status_text.h"

#include "cli/table.h"

#include "catch.h"

using namespace reconciler;

namespace {

TimePoint at(std::string_view text) { return parse_time(text).value(); }

StatusEntry in_canary() {
  Status status;
  status.phase = Phase::Paused;
  status.commit = "3f1c0d2e44";
  status.stable = Revision{"5d8f7c9b4", "r.example.com/checkout:v1", at("2026-11-20T09:14:03Z")};
  status.canary = Revision{"6d4c9f7b8d", "r.example.com/checkout:v2", at("2026-11-22T10:00:02Z")};
  status.step = StepPosition{1, 8, at("2026-11-22T10:00:20Z"), "h"};
  status.weight = 20;
  status.rejected = {{.hash = "7c5d8b9f6",
                      .image = "r.example.com/checkout:v1.9",
                      .at = at("2026-11-19T16:02:11Z"),
                      .why = "success rate 81% < 95%",
                      .lapsed = true}};
  return {.cluster = "default", .rollout = {.ns = "shop", .name = "checkout"}, .status = status, .last = std::nullopt};
}

StatusEntry healthy() {
  Status status;
  status.phase = Phase::Healthy;
  status.stable = Revision{"84c5bd6d7b", "r.example.com/till:v7", at("2026-11-02T08:40:00Z")};
  return {.cluster = "default", .rollout = {.ns = "shop", .name = "till"}, .status = status, .last = std::nullopt};
}

}  // namespace

TEST_CASE("columns are as wide as they must be, counted in characters", "[status]") {
  CHECK(table_text({{"A", "B", "C"}, {"wörd", "x", ""}, {"1234", "yy", "z"}}) ==
        "A     B   C\n"
        "wörd  x\n"
        "1234  yy  z\n");
}

TEST_CASE("the table has a line for each rollout", "[status]") {
  CHECK(status_table({in_canary(), healthy()}, at("2026-11-22T10:02:00Z")) ==
        "ROLLOUT        PHASE    STEP  WEIGHT  STABLE  CANARY  SINCE\n"
        "shop/checkout  Paused   1/8   20%     v1      v2      1m40s\n"
        "shop/till      Healthy  -     0%      v7      -       20d\n");
}

TEST_CASE("a blue-green update shows its preview where a canary has steps", "[status]") {
  StatusEntry entry = in_canary();
  entry.status.step.reset();
  entry.status.weight = 0;
  entry.status.preview = Preview{at("2026-11-22T10:00:20Z")};
  CHECK_THAT(status_table({entry}, at("2026-11-22T10:02:00Z")), ContainsSubstring("Paused  preview  0%      v1"));
  CHECK_THAT(status_tree(entry, at("2026-11-22T10:02:00Z")),
             ContainsSubstring("preview   waits to be accepted since 2026-11-22T10:00:20Z"));
  CHECK(status_json({entry})["rollouts"][0]["preview"]["accepted"] == false);
  entry.status.preview->accepted = true;
  CHECK_THAT(status_table({entry}, at("2026-11-22T10:02:00Z")), ContainsSubstring("accepted"));
}

TEST_CASE("an experiment by itself shows its run", "[status][standalone]") {
  StatusEntry entry = healthy();
  entry.rollout.name = "ab";
  entry.status = {.phase = Phase::Progressing,
                  .run = ExperimentRun{"6d4c9f7b8d", at("2026-11-22T10:00:00Z"), "", false}};
  const TimePoint now = at("2026-11-22T10:02:00Z");
  CHECK_THAT(status_table({entry}, now),
             ContainsSubstring("shop/ab  Progressing  starting  0%      -       -       2m"));
  entry.status.experiment = at("2026-11-22T10:01:00Z");
  CHECK_THAT(status_table({entry}, now), ContainsSubstring("running  0%      -       -       1m"));
  CHECK(serving_text(entry.status) == "nothing");
  entry.status.run->ended = "no progress for 10m";
  entry.status.run->failed = true;
  CHECK_THAT(status_table({entry}, now), ContainsSubstring("ended"));
  CHECK_THAT(status_tree(entry, now),
             ContainsSubstring("run       6d4c9f7b8d  since 2026-11-22T10:00:00Z  failed: no progress for 10m"));
  const Json json = status_json({entry})["rollouts"][0];
  CHECK(json["run"]["failed"] == true);
  CHECK(json["experiment"]["since"] == "2026-11-22T10:01:00Z");
}

TEST_CASE("several clusters get a column", "[status]") {
  StatusEntry other = healthy();
  other.cluster = "west";
  CHECK_THAT(status_table({in_canary(), other}, at("2026-11-22T10:02:00Z")), ContainsSubstring("west     shop/till"));
}

TEST_CASE("the tree shows both revisions, what was rejected and who asked", "[status]") {
  CHECK(
      status_tree(in_canary(), at("2026-11-22T10:02:00Z")) ==
      "shop/checkout  Paused  step 1/8  for 1m40s  (cluster default)\n"
      "├─ canary    20% of traffic  6d4c9f7b8d  r.example.com/checkout:v2  since 2026-11-22T10:00:02Z\n"
      "├─ stable    80% of traffic  5d8f7c9b4  r.example.com/checkout:v1  since 2026-11-20T09:14:03Z\n"
      "├─ rejected  7c5d8b9f6  r.example.com/checkout:v1.9  at 2026-11-19T16:02:11Z (lapsed): success rate 81% < 95%\n"
      "└─ commit    3f1c0d2e44\n");
}

TEST_CASE("what served is told in shares that sum to 100", "[status]") {
  CHECK(serving_text(in_canary().status) == "80% r.example.com/checkout:v1, 20% r.example.com/checkout:v2");
  CHECK(serving_text(healthy().status) == "100% r.example.com/till:v7");
  StatusEntry all = in_canary();
  all.status.weight = 100;
  CHECK(serving_text(all.status) == "100% r.example.com/checkout:v2");
  CHECK(serving_text(Status{}) == "nothing");
  StatusEntry fine = in_canary();
  fine.status.weight = 5;
  fine.status.whole = 1000;
  CHECK(serving_text(fine.status) == "99.5% r.example.com/checkout:v1, 0.5% r.example.com/checkout:v2");
  CHECK_THAT(status_table({fine}, at("2026-11-22T10:02:00Z")), ContainsSubstring("1/8   5 of 1000  v1"));
  CHECK_THAT(status_tree(fine, at("2026-11-22T10:02:00Z")), ContainsSubstring("canary    0.5% of traffic"));
  CHECK(status_json({fine})["rollouts"][0]["weightOf"] == 1000);
  CHECK(serving_json({fine}, at("2026-11-22T10:02:00Z"))["rollouts"][0]["served"][1]["percent"] == 0.5);
}

TEST_CASE("JSON has the shares as numbers", "[status]") {
  Json json = serving_json({in_canary()}, at("2026-11-22T10:02:00Z"));
  CHECK(json["at"] == "2026-11-22T10:02:00Z");
  CHECK(json["rollouts"][0]["served"][1]["percent"] == 20);
  CHECK(status_json({healthy()})["rollouts"][0]["phase"] == "Healthy");
}
