#include "rollout/forecast.h"

#include "base/format.h"
#include "rollout/builders.h"

#include "catch.h"

using namespace reconciler;

namespace {

Status stable_at(const std::string& tag) {
  Status status;
  status.phase = Phase::Healthy;
  status.stable = Revision{"hash" + tag, "example.com/till:" + tag, at(0)};
  status.step = StepPosition{4, 4, at(0), "steps4"};
  return status;
}

std::vector<std::string> subjects(const Forecast& forecast) {
  std::vector<std::string> out;
  for (const ForecastStep& step : forecast.steps)
    out.push_back(format("+{} {}", format_duration(step.after), step.subject));
  return out;
}

}  // namespace

TEST_CASE("a changed image is forecast step by step, with the pauses", "[forecast]") {
  Forecast result = forecast(rollout("v2"), stable_at("v1"), at(100));
  CHECK(result.held.empty());
  CHECK(subjects(result) == std::vector<std::string>{
                                "+0s deploying v2 (step 0/4)",
                                "+0s canary 20% (step 1/4)",
                                "+1m canary 20% (step 2/4)",
                                "+1m canary 60% (step 3/4)",
                                "+2m canary 60% (step 4/4)",
                                "+2m canary 100% (step 4/4)",
                                "+2m promoting v2 (step 4/4)",
                                "+2m promoted v2",
                            });
}

TEST_CASE("what runs already is no change", "[forecast]") {
  CHECK(forecast(rollout("v1"), stable_at("v1"), at(100)) == Forecast{});
}

TEST_CASE("an experiment is forecast with its time, and with the person who ends it", "[forecast]") {
  Experiment experiment{.templates = {{.name = "base", .weight = 10, .has_service = true}}, .duration = 120s};
  const Forecast timed = forecast(rollout("v2", {SetWeight{20}, experiment}), stable_at("v1"), at(100));
  CHECK(timed.held.empty());
  const auto said = subjects(timed);
  CHECK(std::find(said.begin(), said.end(), "+0s experimenting at 20% (step 1/2)") != said.end());
  CHECK(said.back() == "+2m promoted v2");
  experiment.duration.reset();
  const Forecast open = forecast(rollout("v2", {SetWeight{20}, experiment}), stable_at("v1"), at(100));
  CHECK(subjects(open).back() == "+0s promoted v2");
  CHECK(std::count_if(open.steps.begin(), open.steps.end(), [](auto& s) { return s.waits_for_person; }) == 1);
}

TEST_CASE("a first deploy takes no steps", "[forecast]") {
  Forecast result = forecast(rollout("v1"), std::nullopt, at(100));
  REQUIRE(result.steps.size() == 2);
  CHECK(result.steps.back().subject == "promoted v1");
  CHECK(result.steps.back().after == 0s);
}

TEST_CASE("returning to a recent stable revision skips the steps", "[forecast]") {
  Status status = stable_at("v2");
  status.previous = {Revision{"hashv1", "example.com/till:v1", at(0)}};
  Forecast result = forecast(rollout("v1"), status, at(100));
  REQUIRE_FALSE(result.steps.empty());
  CHECK(result.steps.back().subject == "promoted v1");
  CHECK(result.steps.back().after == 0s);
}

TEST_CASE("a revert in mid-canary goes back at once", "[forecast]") {
  Status status = stable_at("v1");
  status.phase = Phase::Paused;
  status.canary = Revision{"hashv2", "example.com/till:v2", at(50)};
  status.step = StepPosition{1, 4, at(60), "steps4"};
  status.weight = 20;
  Forecast result = forecast(rollout("v1"), status, at(61));
  REQUIRE_FALSE(result.steps.empty());
  CHECK(result.steps.front().weight == 0);
  CHECK(result.steps.back().subject.starts_with("rolled back to v1"));
  CHECK(result.steps.back().after == 0s);
}

TEST_CASE("an indefinite pause waits for a person, and the rest is told too", "[forecast]") {
  Forecast result =
      forecast(rollout("v2", {SetWeight{50}, Pause{}, SetWeight{80}, Pause{30s}}), stable_at("v1"), at(100));
  std::vector<bool> waits;
  for (const ForecastStep& step : result.steps) waits.push_back(step.waits_for_person);
  CHECK(std::count(waits.begin(), waits.end(), true) == 1);
  CHECK(result.steps[1].waits_for_person);
  CHECK(result.steps.back().subject == "promoted v2");
  CHECK(result.steps.back().after == 30s);
}

TEST_CASE("what was rejected is not started again", "[forecast]") {
  Status status = stable_at("v1");
  status.phase = Phase::Degraded;
  status.rejected = {{.hash = "hashv2", .image = "example.com/till:v2", .at = at(10), .why = "errors"}};
  CHECK(forecast(rollout("v2"), status, at(100)).steps.empty());
}

TEST_CASE("a paused rollout stays where it is", "[forecast]") {
  Rollout paused = rollout("v2");
  paused.paused = true;
  Forecast result = forecast(paused, stable_at("v1"), at(100));
  CHECK(std::none_of(result.steps.begin(), result.steps.end(), [](auto& step) { return step.weight > 0; }));
}
