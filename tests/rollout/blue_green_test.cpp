#include <functional>

#include "base/format.h"
#include "rollout/builders.h"
#include "rollout/live_phase.h"
#include "rollout/published_status.h"
#include "rollout/succession.h"
#include "rollout/target.h"

#include "catch.h"

using namespace reconciler;
using Subjects = std::vector<std::string>;

namespace {

Rollout blue_green(const std::string& tag, BlueGreen rule = {}) {
  Rollout r = rollout(tag, {});
  r.routing = {};
  r.blue_green = rule;
  r.stable_service = "till-active";
  r.canary_service = "till-preview";
  r.pod_labels = {{"app", "till"}};
  return r;
}

/// A person accepts.
constexpr BlueGreen kManual{.auto_promotion = false};

/// Nothing runs yet; the Services exist.
Cluster1 empty_cluster() {
  Cluster1 c;
  c.live.services = {{"till-active", {}}, {"till-preview", {}}};
  c.live.routes.clear();
  return c;
}

Cluster1 running_blue_green(const std::string& tag) {
  Cluster1 c = empty_cluster();
  c.rest(blue_green(tag), at(0));
  c.take_history();
  return c;
}

std::string active(const Cluster1& c) { return c.live.services.at("till-active").hash; }
std::string shown(const Cluster1& c) { return c.live.services.at("till-preview").hash; }

/// `v1 x5 v2 x5`
std::string all_pods(const Cluster1& c) {
  std::string out;
  for (const Workload& w : c.live.workloads)
    if (w.replicas > 0) out += format("{}{} x{}", out.empty() ? "" : " ", w.hash.substr(4), w.replicas);
  return out;
}

Rollout decided(Rollout r, Verb verb) {
  r.decision = RolloutDecision{.verb = verb, .revision = r.hash, .commit = std::string(to_text(verb))};
  return r;
}

/// The pods of a revision do not become ready.
void ail(Cluster1& c, const std::string& hash) {
  Workload& w = c.workload(hash);
  w.ready = w.available = 0;
}

}  // namespace

TEST_CASE("a blue-green rollout has these pods and Services in each status", "[target][blue_green]") {
  const Revision v1{"hashv1", "", {}}, v2{"hashv2", "", {}};
  struct Row {
    const char* situation;
    Status status;
    std::map<std::string, int> pods;
    std::string active, preview;
  };
  const Row rows[] = {
      {"nothing yet", {}, {}, "", ""},
      {"a first deploy", {.canary = v2}, {{"hashv2", 5}}, "hashv2", "hashv2"},
      {"at rest", {.stable = v2}, {{"hashv2", 5}}, "hashv2", "hashv2"},
      {"coming up", {.stable = v1, .canary = v2}, {{"hashv1", 5}, {"hashv2", 2}}, "hashv1", "hashv2"},
      {"previewing",
       {.stable = v1, .canary = v2, .preview = Preview{}},
       {{"hashv1", 5}, {"hashv2", 2}},
       "hashv1",
       "hashv2"},
      {"accepted",
       {.stable = v1, .canary = v2, .preview = Preview{{}, true}},
       {{"hashv1", 5}, {"hashv2", 5}},
       "hashv1",
       "hashv2"},
      {"Git asks for the old one again",
       {.stable = v1, .canary = v2, .returning = "because"},
       {{"hashv1", 5}},
       "hashv1",
       "hashv1"},
      {"aborted",
       {.stable = v1, .canary = v2, .returning = "because", .rejected = {{.hash = "hashv2"}}},
       {{"hashv1", 5}},
       "hashv1",
       "hashv2"},
      {"aborted some time ago", {.stable = v1, .rejected = {{.hash = "hashv2"}}}, {{"hashv1", 5}}, "hashv1", "hashv2"},
  };
  for (const Row& row : rows) {
    INFO(row.situation);
    const Target t = target(blue_green("v2", {.preview_replicas = 2}), row.status);
    CHECK(t.replicas == row.pods);
    CHECK(t.stable_service == row.active);
    CHECK(t.canary_service == row.preview);
    CHECK(t.weight == 0);
  }
}

TEST_CASE("a first blue-green deploy leads both Services to it once all pods are there", "[advance][blue_green]") {
  Cluster1 c = empty_cluster();
  c.pass(blue_green("v1", kManual), at(0));
  c.pass(blue_green("v1", kManual), at(0));
  CHECK(shown(c) == "hashv1");
  CHECK(active(c).empty());
  CHECK(c.last.why == "waiting for 5 of 5 pods");
  c.rest(blue_green("v1", kManual), at(1));
  CHECK(active(c) == "hashv1");
  CHECK(c.take_history() == Subjects{"deploying v1", "promoted v1"});
  CHECK(c.last.settled);
}

TEST_CASE("blue-green switches as a whole, and the old pods stay for their delay", "[advance][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2"), at(100), false);
  CHECK(all_pods(c) == "v1 x5 v2 x5");
  CHECK(active(c) == "hashv1");
  CHECK(shown(c) == "hashv2");
  CHECK(c.last.why == "waiting for 5 of 5 preview pods");
  c.rest(blue_green("v2"), at(105));
  CHECK(c.take_history() == Subjects{"deploying v2", "promoting v2", "promoted v2"});
  CHECK(active(c) == "hashv2");
  CHECK(all_pods(c) == "v1 x5 v2 x5");
  CHECK(c.workload("hashv1").scale_down_deadline == at(135));
  CHECK(c.last.look_again == at(135));
  c.rest(blue_green("v2"), at(136));
  CHECK(all_pods(c) == "v2 x5");
  CHECK(c.take_history().empty());
}

TEST_CASE("a preview waits until somebody accepts it", "[advance][blue_green]") {
  for (Verb verb : {Verb::Promote, Verb::PromoteFull, Verb::Resume}) {
    INFO(to_text(verb));
    Cluster1 c = running_blue_green("v1");
    c.rest(blue_green("v2", kManual), at(100));
    CHECK(c.take_history() == Subjects{"deploying v2", "previewing v2"});
    CHECK(c.status->phase == Phase::Paused);
    CHECK(c.last.why == "waiting until somebody accepts the preview (serin approve)");
    c.rest(blue_green("v2", kManual), at(9000));
    CHECK(active(c) == "hashv1");
    c.rest(decided(blue_green("v2", kManual), verb), at(9001));
    CHECK(c.take_history() == Subjects{"accepted v2", "promoting v2", "promoted v2"});
    CHECK(active(c) == "hashv2");
    CHECK_FALSE(c.status->preview);
  }
}

TEST_CASE("autoPromotionSeconds is the time to look at a preview", "[advance][blue_green]") {
  for (bool auto_promotion : {true, false}) {
    const BlueGreen rule{.auto_promotion = auto_promotion, .auto_promotion_after = 60s};
    Cluster1 c = running_blue_green("v1");
    c.rest(blue_green("v2", rule), at(100));
    CHECK(c.take_history() == Subjects{"deploying v2", "previewing v2"});
    CHECK(c.last.look_again == at(160));
    c.rest(blue_green("v2", rule), at(159));
    CHECK(c.take_history().empty());
    c.rest(blue_green("v2", rule), at(160));
    CHECK(c.take_history() == Subjects{"accepted v2", "promoting v2", "promoted v2"});
  }
}

TEST_CASE("a preview of fewer pods grows before it is switched to", "[advance][blue_green]") {
  BlueGreen rule{.preview_replicas = 1};
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2", rule), at(100), false);
  CHECK(all_pods(c) == "v1 x5 v2 x1");
  c.pods_start(at(101));
  c.rest(blue_green("v2", rule), at(101), false);
  CHECK(c.take_history() == Subjects{"deploying v2", "accepted v2"});
  CHECK(all_pods(c) == "v1 x5 v2 x5");
  CHECK(active(c) == "hashv1");
  c.rest(blue_green("v2", rule), at(102));
  CHECK(active(c) == "hashv2");

  rule.auto_promotion = false;
  rule.preview_replicas = 0;
  c.rest(blue_green("v3", rule), at(200));
  CHECK(c.take_history().back() == "previewing v3");
  CHECK(c.workload("hashv3").replicas == 0);
}

TEST_CASE("a preview without pods is shown by no Service, also when it had some", "[diff][blue_green]") {
  BlueGreen rule{.preview_replicas = 1, .auto_promotion = false};
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2", rule), at(100));
  CHECK(shown(c) == "hashv2");
  rule.preview_replicas = 0;
  c.rest(blue_green("v2", rule), at(110));
  CHECK(shown(c) == "hashv1");
  CHECK(all_pods(c) == "v1 x5");
  c.rest(decided(blue_green("v2", rule), Verb::Promote), at(120));
  CHECK(shown(c) == "hashv2");
  CHECK(active(c) == "hashv2");
  for (const std::string& said : c.take_history()) CHECK(said.find("VIOLATION") == said.npos);
}

TEST_CASE("an edit that needs nobody any more ends the wait", "[advance][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2", kManual), at(100));
  c.take_history();
  c.rest(blue_green("v2"), at(200));
  CHECK(c.take_history() == Subjects{"accepted v2", "promoting v2", "promoted v2"});
}

TEST_CASE("a preview may be accepted before it is up, and only once", "[decisions][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2", kManual), at(100), false);
  c.rest(decided(blue_green("v2", kManual), Verb::Promote), at(101), false);
  CHECK(c.take_history() == Subjects{"deploying v2", "accepted v2"});
  CHECK(active(c) == "hashv1");
  c.pass(decided(blue_green("v2", kManual), Verb::PromoteFull), at(102));
  CHECK(c.status->ignored->why ==
        "decision promote-full for revision hashv2 is stale: its preview is accepted already");
  c.rest(decided(blue_green("v2", kManual), Verb::Promote), at(103));
  CHECK(active(c) == "hashv2");
}

TEST_CASE("deviation 15: an abort works in every state, however the new version is", "[advance][blue_green]") {
  struct Row {
    const char* situation;
    std::function<void(Cluster1&)> arrange;
  };
  const Row rows[] = {
      {"no pod is up", [](Cluster1& c) { c.rest(blue_green("v2", kManual), at(100), false); }},
      {"previewing", [](Cluster1& c) { c.rest(blue_green("v2", kManual), at(100)); }},
      {"previewing, and its pods are lost",
       [](Cluster1& c) {
         c.rest(blue_green("v2", kManual), at(100));
         ail(c, "hashv2");
       }},
      {"accepted",
       [](Cluster1& c) {
         c.rest(blue_green("v2", kManual), at(100), false);
         c.rest(decided(blue_green("v2", kManual), Verb::Promote), at(101), false);
       }},
      {"held by a person",
       [](Cluster1& c) {
         c.rest(blue_green("v2", kManual), at(100));
         c.rest(decided(blue_green("v2", kManual), Verb::Pause), at(101));
       }},
      {"stuck",
       [](Cluster1& c) {
         c.rest(blue_green("v2", kManual), at(100), false);
         c.rest(blue_green("v2", kManual), at(1000), false);
       }},
      {"somebody let the active Service select it, and it ails",
       [](Cluster1& c) {
         c.rest(blue_green("v2", kManual), at(100));
         c.live.services["till-active"].hash = "hashv2";
         ail(c, "hashv2");
       }},
  };
  for (const Row& row : rows) {
    INFO(row.situation);
    Cluster1 c = running_blue_green("v1");
    row.arrange(c);
    c.take_history();
    const Rollout aborted = decided(blue_green("v2", kManual), Verb::Abort);
    c.rest(aborted, at(1100), false);
    CHECK(c.take_history() == Subjects{"returning to v1: aborted", "rolled back to v1: aborted"});
    CHECK(c.status->phase == Phase::Degraded);
    CHECK(active(c) == "hashv1");
    CHECK(shown(c) == "hashv2");
    CHECK(c.workload("hashv2").rejected);
    CHECK(c.workload("hashv2").replicas == 5);
    // Its delay is over: the preview Service goes first, so that it never leads to nobody.
    c.pass(aborted, at(1140));
    CHECK(shown(c) == "hashv1");
    CHECK(c.workload("hashv2").replicas == 5);
    c.rest(aborted, at(1141), false);
    CHECK(all_pods(c) == "v1 x5");
    CHECK(c.take_history().empty());
    CHECK(c.last.settled);
  }
}

TEST_CASE("abortScaleDownDelaySeconds 0 keeps what was aborted, and its Service", "[diff][blue_green]") {
  Rollout v2 = blue_green("v2", kManual);
  v2.abort_scale_down_delay = 0s;
  Cluster1 c = running_blue_green("v1");
  c.rest(v2, at(100));
  c.rest(decided(v2, Verb::Abort), at(110));
  c.rest(decided(v2, Verb::Abort), at(99'999));
  CHECK(all_pods(c) == "v1 x5 v2 x5");
  CHECK(shown(c) == "hashv2");
}

TEST_CASE("what was aborted is tried again when somebody asks", "[decisions][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2", kManual), at(100));
  c.rest(decided(blue_green("v2", kManual), Verb::Abort), at(110));
  c.take_history();
  c.rest(decided(blue_green("v2", kManual), Verb::Retry), at(120));
  CHECK(c.take_history() == Subjects{"deploying v2", "previewing v2"});
  CHECK_FALSE(c.workload("hashv2").scale_down_deadline);
  CHECK_FALSE(c.workload("hashv2").rejected);
}

TEST_CASE("what is stuck can be retried without steps", "[decisions][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2"), at(100), false);
  c.rest(blue_green("v2"), at(1000), false);
  CHECK(c.take_history() == Subjects{"deploying v2", "stuck deploying v2"});
  CHECK(c.status->phase == Phase::Degraded);
  c.rest(decided(blue_green("v2"), Verb::Retry), at(1001), false);
  CHECK(c.take_history() == Subjects{"retrying at 0%"});
  CHECK(c.status->phase == Phase::Progressing);
  c.rest(decided(blue_green("v2"), Verb::Retry), at(1002));
  CHECK(active(c) == "hashv2");
}

TEST_CASE("progressDeadlineAbort aborts a preview that does not come up", "[advance][blue_green]") {
  Rollout v2 = blue_green("v2");
  v2.progress_deadline_abort = true;
  Cluster1 c = running_blue_green("v1");
  c.rest(v2, at(100), false);
  c.rest(v2, at(1000), false);
  CHECK(c.status->phase == Phase::Degraded);
  CHECK(c.status->rejected.front().hash == "hashv2");
  CHECK(active(c) == "hashv1");
}

TEST_CASE("a revert while the old pods are there switches at once", "[advance][blue_green]") {
  for (int window : {3, 0}) {
    INFO(window);
    auto with_window = [&](const std::string& tag) {
      Rollout r = blue_green(tag, kManual);
      r.rollback_window = window;
      return r;
    };
    Cluster1 c = empty_cluster();
    c.rest(with_window("v1"), at(0));
    c.rest(with_window("v2"), at(100));
    c.rest(decided(with_window("v2"), Verb::Promote), at(110));
    c.take_history();
    c.rest(with_window("v1"), at(120), false);
    CHECK(c.take_history() == Subjects{"deploying v1", "promoting v1", "promoted v1"});
    CHECK(active(c) == "hashv1");
    CHECK(all_pods(c) == "v1 x5 v2 x5");
    CHECK_FALSE(c.workload("hashv1").scale_down_deadline);
  }
}

TEST_CASE("the rollback window needs no preview, but the pods", "[advance][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2"), at(100));
  c.rest(blue_green("v2"), at(200));
  CHECK(all_pods(c) == "v2 x5");
  c.take_history();
  c.rest(blue_green("v1", kManual), at(300), false);
  CHECK(active(c) == "hashv2");
  c.rest(blue_green("v1", kManual), at(301));
  CHECK(c.take_history() == Subjects{"deploying v1", "promoting v1", "promoted v1"});
  CHECK(active(c) == "hashv1");
}

TEST_CASE("without a window an old version is previewed like a new one", "[advance][blue_green]") {
  Rollout v1 = blue_green("v1", kManual), v2 = blue_green("v2");
  v1.rollback_window = v2.rollback_window = 0;
  Cluster1 c = empty_cluster();
  c.rest(v1, at(0));
  c.rest(v2, at(100));
  c.rest(v2, at(200));
  c.take_history();
  c.rest(v1, at(300));
  CHECK(c.take_history() == Subjects{"deploying v1", "previewing v1"});
}

TEST_CASE("what only was a preview is not trusted while it waits to go", "[advance][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2", kManual), at(100));
  c.rest(blue_green("v3", kManual), at(110));
  CHECK(c.workload("hashv2").scale_down_deadline);
  CHECK(shown(c) == "hashv3");
  c.take_history();
  c.rest(blue_green("v2", kManual), at(120));
  CHECK(c.take_history() == Subjects{"deploying v2", "previewing v2"});
  CHECK(active(c) == "hashv1");
}

TEST_CASE("Git asks for the old version again while the new one is previewed", "[advance][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2", kManual), at(100));
  c.take_history();
  c.rest(blue_green("v1", kManual), at(110));
  CHECK(c.take_history() ==
        Subjects{"returning to v1: Git asks for v1 again", "rolled back to v1: Git asks for v1 again"});
  CHECK(c.status->phase == Phase::Healthy);
  CHECK(shown(c) == "hashv1");
  c.rest(blue_green("v1", kManual), at(150));
  CHECK(all_pods(c) == "v1 x5");
}

TEST_CASE("only so many old versions wait in their delay", "[diff][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  auto limited = [](const std::string& tag) {
    Rollout r = blue_green(tag);
    r.scale_down_delay_revision_limit = 1;
    return r;
  };
  c.rest(limited("v2"), at(100));
  CHECK(all_pods(c) == "v1 x5 v2 x5");
  c.rest(limited("v3"), at(105));
  CHECK(all_pods(c) == "v2 x5 v3 x5");
  Rollout none = blue_green("v4");
  none.scale_down_delay = 0s;
  c.rest(none, at(110));
  CHECK(all_pods(c) == "v4 x5");
}

TEST_CASE("blue-green without a preview Service", "[diff][blue_green]") {
  auto alone = [](const std::string& tag) {
    Rollout r = blue_green(tag, kManual);
    r.canary_service.clear();
    return r;
  };
  Cluster1 c = empty_cluster();
  c.live.services.erase("till-preview");
  c.rest(alone("v1"), at(0));
  c.rest(alone("v2"), at(100));
  CHECK(active(c) == "hashv1");
  c.rest(decided(alone("v2"), Verb::Abort), at(110));
  c.rest(decided(alone("v2"), Verb::Abort), at(150));
  CHECK(all_pods(c) == "v1 x5");
  CHECK(c.last.settled);
}

TEST_CASE("spec.paused stops pods and switches", "[advance][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2"), at(100), false);
  Rollout paused = blue_green("v2");
  paused.paused = true;
  c.rest(paused, at(110));
  CHECK(c.take_history() == Subjects{"deploying v2", "paused at 0%"});
  CHECK(active(c) == "hashv1");
  c.rest(blue_green("v2"), at(120));
  CHECK(c.take_history() == Subjects{"resumed at 0%", "promoting v2", "promoted v2"});
}

TEST_CASE("a switch that spec.paused forbids is waited for", "[diff][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2"), at(100), false);
  c.pods_start(at(101));
  while (c.history.empty() || c.history.back() != "promoting v2") {
    c.pass(blue_green("v2"), at(101));
    c.live.services["till-active"].hash = "hashv1";  // the process died before it switched
  }
  Rollout paused = blue_green("v2");
  paused.paused = true;
  c.rest(paused, at(102));
  CHECK(c.take_history() == Subjects{"deploying v2", "promoting v2", "paused at 0%"});
  CHECK(active(c) == "hashv1");
  CHECK(c.status->phase == Phase::Paused);
  CHECK(c.last.why == "spec.paused is set: Service till-active is not switched to hashv2");
  c.rest(blue_green("v2"), at(103));
  CHECK(active(c) == "hashv2");
  CHECK(c.status->phase == Phase::Healthy);
}

TEST_CASE("a person may hold a preview", "[decisions][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2"), at(100), false);
  c.rest(decided(blue_green("v2"), Verb::Pause), at(101));
  CHECK(c.take_history() == Subjects{"deploying v2", "paused at 0%"});
  CHECK(active(c) == "hashv1");
  c.rest(decided(blue_green("v2"), Verb::Resume), at(102));
  CHECK(c.take_history() == Subjects{"resumed at 0%", "promoting v2", "promoted v2"});
}

TEST_CASE("the active Service waits for a version as full as the one it leaves", "[diff][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2"), at(100), false);
  c.pods_start(at(101));
  c.pass(blue_green("v2"), at(101));
  REQUIRE(c.history.back() == "promoting v2");
  c.live.services["till-active"].hash = "hashv1";
  c.workload("hashv2").available = 4;
  c.pass(blue_green("v2"), at(102));
  CHECK(active(c) == "hashv1");
  CHECK(c.last.why == "waiting for 1 of 5 pods");
  c.workload("hashv1").available = 4;
  c.pass(blue_green("v2"), at(103));
  CHECK(active(c) == "hashv2");
}

TEST_CASE("behind an active Service that selects every pod there is no preview", "[diff][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.live.services["till-active"].hash.clear();
  c.workload("hashv1").available = 0;
  c.pass(blue_green("v2"), at(100));
  c.pass(blue_green("v2"), at(100));
  CHECK(all_pods(c) == "v1 x5");
  CHECK(c.last.why == "waiting for pods of hashv1 before Service till-active selects them");
  c.workload("hashv1").available = 1;
  c.pass(blue_green("v2"), at(101));
  CHECK(active(c) == "hashv1");
  c.rest(blue_green("v2"), at(102));
  CHECK(active(c) == "hashv2");
}

TEST_CASE("blue-green takes over what runs", "[first_start][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.status.reset();
  c.live.services["till-active"].hash.clear();
  c.rest(blue_green("v2", kManual), at(100));
  CHECK(c.take_history() == Subjects{"deploying v2", "previewing v2"});
  CHECK(active(c) == "hashv1");
  CHECK(c.status->stable->hash == "hashv1");
}

TEST_CASE("another strategy in mid-update starts the update over", "[advance][blue_green]") {
  Cluster1 c = running("v1");
  c.live.services["till-active"] = {};
  c.live.services["till-preview"] = {};
  c.rest(rollout("v2"), at(100));
  CHECK(c.status->weight == 20);
  c.take_history();
  c.rest(blue_green("v2", kManual), at(110));
  CHECK(c.take_history() == Subjects{"deploying v2", "previewing v2"});
  CHECK(c.status->weight == 0);
  CHECK(active(c) == "hashv1");
}

TEST_CASE("pods have the metadata of the Service that leads to them", "[target][blue_green]") {
  Rollout v2 = blue_green("v2", kManual);
  v2.canary_metadata.labels = {{"role", "preview"}};
  v2.stable_metadata.labels = {{"role", "active"}};
  Cluster1 c = running_blue_green("v1");
  c.rest(v2, at(100));
  CHECK(c.workload("hashv1").metadata == R"({"labels":{"role":"active"}})");
  CHECK(c.workload("hashv2").metadata == R"({"labels":{"role":"preview"}})");
  c.rest(decided(v2, Verb::Promote), at(110));
  CHECK(c.workload("hashv2").metadata == R"({"labels":{"role":"active"}})");
  CHECK(c.workload("hashv1").metadata.empty());
}

TEST_CASE("maxUnavailable of blue-green is how many pods restartAt replaces at once", "[restart][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  Rollout v1 = blue_green("v1");
  v1.max_unavailable = {2, PodCount::Unit::Pods};
  v1.restart_at = at(50);
  c.pass(v1, at(60));
  REQUIRE(c.last.actions.size() == 1);
  CHECK(std::get<EvictPods>(c.last.actions[0]).pods.size() == 2);
}

TEST_CASE("a plan that would send all traffic to nobody is not carried out", "[violations][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2", kManual), at(100));
  ail(c, "hashv2");
  auto broken = [&](Status status, Action action) {
    Decision decision{.status = std::move(status)};
    decision.actions.emplace_back(std::move(action));
    return violations(blue_green("v2"), c.live, decision);
  };
  Status promoted = *c.status;
  promoted.stable = promoted.canary;
  promoted.canary.reset();
  CHECK(broken(promoted, SelectRevision{"till-active", "hashv1", "hashv2"}) ==
        Subjects{"the active Service would select a version without available pods"});
  CHECK(broken(*c.status, SelectRevision{"till-active", "hashv2", "hashv2"}).front() ==
        "the active Service would select a version that is not stable");
  CHECK(broken(*c.status, ScaleReplicaSet{"till-hashv1", 4, 5}) == Subjects{"the active version would lose pods"});
  CHECK(broken(*c.status, ScaleReplicaSet{"till-hashv2", 0, 5}) ==
        Subjects{"a Service would select a version without pods"});
  CHECK(broken(*c.status, ScaleReplicaSet{"till-hashv2", 1, 5}).empty());
}

TEST_CASE("the live phase of blue-green", "[live_phase][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2", kManual), at(100));
  CHECK(live_phase(blue_green("v2", kManual), c.live, c.status, at(900)) == LivePhase{Phase::Paused, "BlueGreenPause"});
  c.status->phase = Phase::Progressing;
  CHECK(live_phase(blue_green("v2"), c.live, c.status, at(900)) ==
        LivePhase{Phase::Progressing, "Service till-active is not switched to the new version yet"});
  c.rest(blue_green("v2"), at(110));
  CHECK(all_pods(c) == "v1 x5 v2 x5");
  CHECK(live_phase(blue_green("v2"), c.live, c.status, at(900)) == LivePhase{Phase::Healthy, ""});
}

TEST_CASE("the published status of blue-green counts the version that has the traffic", "[published][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  const Rollout v2 = blue_green("v2", {.preview_replicas = 2, .auto_promotion = false});
  c.rest(v2, at(100));
  Json status = published_status(v2, c.live, c.status, Json(), 1, at(101));
  CHECK(status["replicas"] == 7);
  CHECK(status["availableReplicas"] == 5);
  CHECK(status["HPAReplicas"] == 5);
  CHECK(status["selector"] == "app=till,rollouts-pod-template-hash=hashv1");
  CHECK(status["blueGreen"] == Json{{"activeSelector", "hashv1"}, {"previewSelector", "hashv2"}});
  CHECK(status["pauseConditions"][0]["reason"] == "BlueGreenPause");
  CHECK(status["pauseConditions"][0]["startTime"] == format_time(at(100)));
  c.rest(decided(v2, Verb::Promote), at(110), false);
  const Json accepted = published_status(v2, c.live, c.status, status, 1, at(111));
  CHECK(accepted["blueGreen"]["scaleUpPreviewCheckPoint"] == true);
  CHECK_FALSE(is_published(status, accepted));
}

TEST_CASE("a history in which a preview was passed over is broken", "[succession][blue_green]") {
  Cluster1 c = running_blue_green("v1");
  c.rest(blue_green("v2", kManual), at(100));
  const Status before = *c.status;
  Status after = before;
  after.stable = after.canary;
  after.canary.reset();
  CHECK(broken_succession(before, after) == "revision hashv2 became stable before its preview was accepted");
  Status accepted = before;
  accepted.preview->accepted = true;
  CHECK(broken_succession(accepted, after).empty());
}
