#include "daemon/rollout_reports.h"

#include <map>
#include <random>

#include "catch.h"

using namespace reconciler;

namespace {

RolloutReport report(int number, Phase phase, std::string trouble = "") {
  Status status;
  status.phase = phase;
  return {.key = {"shop", "app-" + std::to_string(number)},
          .status = std::make_shared<Status>(status),
          .trouble = std::move(trouble)};
}

std::map<RolloutKey, std::string> troubles(const RolloutReports& reports) {
  std::map<RolloutKey, std::string> out;
  for (const RolloutReport& each : reports) out[each.key] = each.trouble;
  return out;
}

}  // namespace

TEST_CASE("reports are kept in order however they come and go", "[reports]") {
  RolloutReports reports;
  std::map<RolloutKey, std::string> expected;
  std::minstd_rand random(7);
  for (int i = 0; i < 5000; ++i) {
    RolloutReport next = report(int(random() % 700), Phase::Healthy, std::to_string(i));
    if (random() % 3 == 0) {
      reports.erase(next.key);
      expected.erase(next.key);
    } else {
      expected[next.key] = next.trouble;
      reports.put(std::move(next));
    }
    REQUIRE(reports.size() == expected.size());
  }
  CHECK(troubles(reports) == expected);
  CHECK(std::is_sorted(reports.begin(), reports.end(), [](auto& a, auto& b) { return a.key < b.key; }));
  for (const auto& [key, trouble] : expected) reports.erase(key);
  CHECK(reports.size() == 0);
  CHECK(reports.begin() == reports.end());
}

TEST_CASE("a copy stays as it was", "[reports]") {
  RolloutReports reports;
  for (int i = 0; i < 300; ++i) reports.put(report(i, Phase::Healthy));
  const RolloutReports before = reports;
  reports.put(report(7, Phase::Degraded, "broken"));
  reports.erase({"shop", "app-8"});
  CHECK(before.size() == 300);
  CHECK(troubles(before)[{"shop", "app-7"}].empty());
  CHECK(troubles(reports)[{"shop", "app-7"}] == "broken");
  CHECK(before.counts() == RolloutCounts{});
  CHECK(reports.counts() == RolloutCounts{.in_trouble = 1});
}

TEST_CASE("reports are counted by what they say", "[reports]") {
  RolloutReports reports{
      report(1, Phase::Healthy),  report(2, Phase::Progressing),         report(3, Phase::Paused),
      report(4, Phase::Degraded), report(5, Phase::Progressing, "held"), RolloutReport{.key = {"shop", "new"}}};
  CHECK(reports.counts() == RolloutCounts{.under_way = 3, .in_trouble = 2, .unknown = 1, .at_work = 2});
}
