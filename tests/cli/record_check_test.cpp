#include "cli/record_check.h"

#include "catch.h"
#include "manifest/status_file.h"
#include "rollout/plan.h"
#include "rollout/succession.h"

using namespace reconciler;

namespace {

const RolloutKey kTill{.ns = "shop", .name = "till"};
constexpr const char* kSerin = "Serin <serin@localhost>";

TimePoint minute(int n) { return *parse_time("2026-11-22T10:00:00Z") + n * 1min; }

Status stable_v1() {
  return {.phase = Phase::Healthy,
          .commit = "1111111111111111111111111111111111111111",
          .stable = Revision{.hash = "v1", .image = "r/till:v1", .since = minute(0)},
          .step = StepPosition{.index = 4, .count = 4, .since = minute(0), .hash = "steps"}};
}

Status canary_v2(int index, int weight) {
  Status status = stable_v1();
  status.phase = Phase::Progressing;
  status.canary = Revision{.hash = "v2", .image = "r/till:v2", .since = minute(10)};
  status.step = StepPosition{.index = index, .count = 4, .since = minute(10 + index), .hash = "steps"};
  status.weight = weight;
  return status;
}

/// The commit that the daemon makes of a transition.
StatusCommit commit_of(int when, const Status& status, const std::string& subject) {
  Rollout rollout{.key = kTill};
  Decision decision{.status = status, .subject = subject, .why = "because"};
  return {.info = {.id = "c" + std::to_string(when),
                   .author = kSerin,
                   .time = minute(when),
                   .message = commit_message(rollout, decision, "default", {})},
          .files = {{"status/default/shop/till.yaml", write_status(kTill, status)}},
          .other_paths = {}};
}

std::vector<StatusCommit> good_history() {
  return {commit_of(1, stable_v1(), "promoted v1"), commit_of(10, canary_v2(0, 0), "deploying v2 (step 0/4)"),
          commit_of(11, canary_v2(1, 20), "canary 20% (step 1/4)"),
          commit_of(12, canary_v2(2, 20), "canary 20% (step 2/4)")};
}

std::vector<std::string> findings(const std::vector<StatusCommit>& history) {
  RecordCheck check("status", kSerin);
  for (const StatusCommit& commit : history) check.look_at(commit);
  std::vector<std::string> out;
  for (const Finding& f : check.findings()) out.push_back(f.commit + " " + f.about + ": " + f.what);
  return out;
}

}  // namespace

TEST_CASE("a whole history has no finding", "[verify]") { CHECK(findings(good_history()).empty()); }

TEST_CASE("a commit left out is a gap, named at the one after it", "[verify]") {
  auto history = good_history();
  history.erase(history.begin() + 2);
  CHECK(findings(history) == std::vector<std::string>{"c12 shop/till: gap: step 2/4 follows step 0/4"});
}

TEST_CASE("a person's edit is named with the person", "[verify]") {
  auto history = good_history();
  history[2].info.author = "Mallory <m@example.com>";
  history[2].info.message = "Tidy up\n";
  CHECK(findings(history).front() == "c11 status/default/shop/till.yaml: edited by Mallory <m@example.com>: Tidy up");
}

TEST_CASE("a message of a status commit on a commit without a status file is forged", "[verify]") {
  auto history = good_history();
  history.push_back(commit_of(13, canary_v2(3, 50), "canary 50% (step 3/4)"));
  history.back().files.clear();
  CHECK(findings(history) ==
        std::vector<std::string>{"c13 shop/till: forged: a status commit that changes no status file"});
}

TEST_CASE("a status commit by somebody else is forged", "[verify]") {
  auto history = good_history();
  history[3].info.author = "Mallory <m@example.com>";
  CHECK(findings(history) == std::vector<std::string>{"c12 status/default/shop/till.yaml: forged: a status commit by "
                                                      "Mallory <m@example.com>"});
}

TEST_CASE("a message that contradicts its file is found", "[verify]") {
  auto history = good_history();
  history[2].files[0].content = write_status(kTill, canary_v2(1, 80));
  CHECK(findings(history).front() == "c11 shop/till: the message says weight '20', the file says '80'");
}

TEST_CASE("a file that is not canonical, and one that cannot be read, are found", "[verify]") {
  auto history = good_history();
  history[1].files[0].content = "# hello\n" + *history[1].files[0].content;
  CHECK(findings(history) == std::vector<std::string>{"c10 shop/till: the file is not as Serin writes it"});
  history = good_history();
  history.resize(1);
  history[0].files[0].content = "nonsense: [";
  CHECK(findings(history).size() == 1);
}

TEST_CASE("a status commit touches its own file and nothing else", "[verify]") {
  auto history = good_history();
  history[1].other_paths = {"shop/till.yaml"};
  history[2].files.push_back({"status/default/shop/checkout.yaml", history[2].files[0].content});
  CHECK(findings(history) ==
        std::vector<std::string>{
            "c10 shop/till: a status commit that changes shop/till.yaml as well",
            "c11 shop/till: a status commit about shop/till that changes status/default/shop/checkout.yaml"});
}

TEST_CASE("a run of an experiment is told whole, and one that comes back to life is a gap", "[verify][standalone]") {
  Status run{.phase = Phase::Progressing, .run = ExperimentRun{"spec1", minute(1), "", false}};
  std::vector<StatusCommit> history = {commit_of(1, run, "experiment started")};
  run.experiment = minute(2);
  history.push_back(commit_of(2, run, "experiment running"));
  run.phase = Phase::Healthy;
  run.run->ended = "its 5m are over";
  history.push_back(commit_of(7, run, "experiment succeeded"));
  CHECK(findings(history).empty());
  run.phase = Phase::Progressing;
  run.run->ended.clear();
  history.push_back(commit_of(8, run, "experiment running"));
  CHECK(findings(history) == std::vector<std::string>{"c8 shop/till: gap: the run of experiment spec1 was over"});
}

TEST_CASE("time does not run backwards", "[verify]") {
  auto history = good_history();
  history[3].info.time = minute(5);
  CHECK(findings(history) == std::vector<std::string>{"c12 shop/till: decided before the transition that it follows"});
}

TEST_CASE("a revision becomes stable only as a canary past its last step", "[succession]") {
  Status promoted = stable_v1();
  promoted.stable = Revision{.hash = "v2", .image = "r/till:v2", .since = minute(20)};
  CHECK(broken_succession(canary_v2(4, 100), promoted).empty());
  CHECK(broken_succession(canary_v2(2, 20), promoted) == "revision v2 became stable at step 2/4");
  CHECK(broken_succession(stable_v1(), promoted) == "revision v2 is stable all of a sudden; it was no canary before");
}

TEST_CASE("a decision may skip steps, and a run that is given up goes back", "[succession]") {
  Status full = canary_v2(4, 20);
  full.decision = CarriedOut{.verb = Verb::PromoteFull, .revision = "v2", .at = minute(12)};
  CHECK(broken_succession(canary_v2(1, 20), full).empty());
  CHECK_FALSE(broken_succession(canary_v2(1, 20), canary_v2(4, 20)).empty());
  Status returning = canary_v2(0, 0);
  returning.returning = "errors";
  CHECK(broken_succession(canary_v2(3, 40), returning).empty());
  CHECK(broken_succession(std::nullopt, canary_v2(2, 20)) == "the history begins at step 2/4");
}
