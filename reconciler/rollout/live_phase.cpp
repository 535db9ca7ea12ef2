#include "rollout/live_phase.h"

#include "base/format.h"
#include "rollout/decisions.h"
#include "rollout/restart.h"
#include "rollout/target.h"

namespace reconciler {
namespace {

/// Why the revision that Git asks for was rejected.
std::string rejection(const Status& status, const std::string& hash) {
  for (const Rejected& r : status.rejected)
    if (r.hash == hash) return r.why;
  return "";
}

/// What only a person, or another manifest, can end.
std::optional<LivePhase> degraded(const Rollout& desired, const Status& status) {
  if (!status.refused.empty()) return LivePhase{Phase::Degraded, "InvalidSpec: " + status.refused};
  if (is_rejected(status, desired.hash))
    return LivePhase{Phase::Degraded, "RolloutAborted: " + rejection(status, desired.hash)};
  if (status.phase == Phase::Degraded)
    return LivePhase{Phase::Degraded, format("ProgressDeadlineExceeded: no progress for {}",
                                             format_duration(desired.progress_deadline))};
  return std::nullopt;
}

LivePhase of_experiment(const Status& status) {
  if (!status.refused.empty()) return {Phase::Degraded, "InvalidSpec: " + status.refused};
  if (!status.run) return {status.phase, ""};
  if (!status.run->ended.empty()) return {status.phase, status.run->ended};
  return {status.phase, status.experiment ? "Running" : "Pending"};
}

}  // namespace

std::string active_revision(const Rollout& desired, const Observed& live) {
  auto active = live.services.find(desired.stable_service);
  return active == live.services.end() ? "" : active->second.hash;
}

PodCounts count_pods(const Rollout& desired, const Observed& live) {
  PodCounts out;
  for (const Workload& w : live.workloads) {
    out.replicas += w.current;
    out.ready += w.ready;
    out.available += w.available;
    if (w.hash != desired.hash) continue;
    out.updated += w.current;
    out.updated_available += w.available;
  }
  return out;
}

LivePhase live_phase(const Rollout& desired, const Observed& live, const std::optional<Status>& status, TimePoint now) {
  if (!status) return {Phase::Progressing, "nothing is decided about it yet"};
  if (desired.standalone) return of_experiment(*status);
  if (auto bad = degraded(desired, *status)) return *bad;
  if (desired.paused) return {Phase::Paused, "manually paused"};
  if (status->phase == Phase::Paused)
    return {Phase::Paused, held_by_person(*status) ? "paused by " + status->decision->by
                           : desired.blue_green    ? "BlueGreenPause"
                                                   : "CanaryPauseStep"};
  if (const int left = pods_to_restart(desired, live, now); left > 0)
    return {Phase::Progressing, format("restarting: {} pods are older than restartAt", left)};
  const PodCounts pods = count_pods(desired, live);
  if (pods.updated < desired.replicas)
    return {Phase::Progressing,
            format("{} of {} pods of the new version are missing", desired.replicas - pods.updated, desired.replicas)};
  if (pods.updated_available < pods.updated)
    return {Phase::Progressing,
            format("{} of {} pods are not available yet", pods.updated - pods.updated_available, pods.updated)};
  if (desired.blue_green && active_revision(desired, live) != desired.hash)
    return {Phase::Progressing, format("Service {} is not switched to the new version yet", desired.stable_service)};
  if (!desired.blue_green && desired.routing.routers.empty() && pods.replicas > pods.updated)
    return {Phase::Progressing, format("{} old pods are terminating", pods.replicas - pods.updated)};
  if (!status->stable || status->stable->hash != desired.hash)
    return {Phase::Progressing, desired.blue_green ? "the promotion is outstanding" : "steps are outstanding"};
  return {Phase::Healthy, ""};
}

}  // namespace reconciler
