#include "rollout/live_phase.h"

#include <functional>

#include "rollout/builders.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// A rollout of five pods: what Git asks for, its status, and the pods of `v1` and `v2`.
struct Scene {
  Rollout desired = rollout("v2");
  Status status;
  int v1 = 5, v2 = 0, v2_available = 0;
  std::vector<PodState> pods;  ///< of v2

  Scene() {
    status.phase = Phase::Progressing;
    status.stable = Revision{"hashv1", "example.com/till:v1", {}};
    status.canary = Revision{"hashv2", "example.com/till:v2", {}};
  }

  Observed live() const {
    return {.workloads = {{.name = "till-hashv1", .hash = "hashv1", .current = v1, .ready = v1, .available = v1},
                          {.name = "till-hashv2",
                           .hash = "hashv2",
                           .current = v2,
                           .ready = v2_available,
                           .available = v2_available,
                           .pods = pods,
                           .owned = true}}};
  }

  void promoted() {
    v1 = 0;
    v2 = v2_available = 5;
    status.phase = Phase::Healthy;
    status.stable = status.canary;
    status.canary.reset();
  }
};

struct Row {
  const char* situation;
  std::function<void(Scene&)> arrange;
  LivePhase phase;
};

}  // namespace

TEST_CASE("the live phase is that of the first situation that holds", "[live_phase]") {
  const Row rows[] = {
      {"refused",
       [](Scene& s) { s.status.refused = "replicas: must be a number"; },
       {Phase::Degraded, "InvalidSpec: replicas: must be a number"}},
      {"refused, although paused and rejected too",
       [](Scene& s) {
         s.status.refused = "no";
         s.desired.paused = true;
         s.status.rejected = {{.hash = "hashv2", .why = "slow"}};
       },
       {Phase::Degraded, "InvalidSpec: no"}},
      {"aborted",
       [](Scene& s) { s.status.rejected = {{.hash = "hashv2", .why = "success rate 81% < 95%"}}; },
       {Phase::Degraded, "RolloutAborted: success rate 81% < 95%"}},
      {"another revision was aborted once",
       [](Scene& s) {
         s.promoted();
         s.status.rejected = {{.hash = "hashv0", .why = "slow"}};
       },
       {Phase::Healthy, ""}},
      {"stuck",
       [](Scene& s) { s.status.phase = Phase::Degraded; },
       {Phase::Degraded, "ProgressDeadlineExceeded: no progress for 10m"}},
      {"paused in the manifest",
       [](Scene& s) {
         s.desired.paused = true;
         s.status.phase = Phase::Paused;
       },
       {Phase::Paused, "manually paused"}},
      {"in a pause step", [](Scene& s) { s.status.phase = Phase::Paused; }, {Phase::Paused, "CanaryPauseStep"}},
      {"paused by a person",
       [](Scene& s) {
         s.status.phase = Phase::Paused;
         s.status.decision = CarriedOut{.verb = Verb::Pause, .revision = "hashv2", .by = "Ann <ann@example.com>"};
       },
       {Phase::Paused, "paused by Ann <ann@example.com>"}},
      {"pods of the new version are missing",
       [](Scene& s) { s.v2 = s.v2_available = 1; },
       {Phase::Progressing, "4 of 5 pods of the new version are missing"}},
      {"pods are not available",
       [](Scene& s) {
         s.v2 = 5;
         s.v2_available = 3;
       },
       {Phase::Progressing, "2 of 5 pods are not available yet"}},
      {"steps are outstanding",
       [](Scene& s) { s.v2 = s.v2_available = 5; },
       {Phase::Progressing, "steps are outstanding"}},
      {"without a route old pods count",
       [](Scene& s) {
         s.promoted();
         s.desired.routing = {};
         s.v1 = 2;
       },
       {Phase::Progressing, "2 old pods are terminating"}},
      {"promoted", [](Scene& s) { s.promoted(); }, {Phase::Healthy, ""}},
      {"pods are older than restartAt",
       [](Scene& s) {
         s.promoted();
         s.desired.restart_at = at(400);
         s.pods = {{.name = "old", .created = at(300)}, {.name = "new", .created = at(450)}};
       },
       {Phase::Progressing, "restarting: 1 pods are older than restartAt"}},
      {"restartAt lies ahead",
       [](Scene& s) {
         s.promoted();
         s.desired.restart_at = at(600);
         s.pods = {{.name = "old", .created = at(300)}};
       },
       {Phase::Healthy, ""}},
      {"in a pause pods are restarted too, but it is Paused",
       [](Scene& s) {
         s.status.phase = Phase::Paused;
         s.desired.restart_at = at(400);
         s.pods = {{.name = "old", .created = at(300)}};
       },
       {Phase::Paused, "CanaryPauseStep"}},
      {"promoted, and a pod was lost since",
       [](Scene& s) {
         s.promoted();
         s.v2_available = 4;
       },
       {Phase::Progressing, "1 of 5 pods are not available yet"}},
      {"no replicas are wanted",
       [](Scene& s) {
         s.promoted();
         s.desired.replicas = s.v2 = s.v2_available = 0;
       },
       {Phase::Healthy, ""}},
  };
  for (const Row& row : rows) {
    INFO(row.situation);
    Scene scene;
    row.arrange(scene);
    const LivePhase phase = live_phase(scene.desired, scene.live(), scene.status, at(500));
    CHECK(to_text(phase.phase) == to_text(row.phase.phase));
    CHECK(phase.message == row.phase.message);
  }
  CHECK(live_phase(rollout("v1"), {}, std::nullopt, at(0)).phase == Phase::Progressing);
}
