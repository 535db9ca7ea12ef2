#include "rollout/target.h"

#include <algorithm>

#include "base/check.h"
#include "rollout/ephemeral_metadata.h"
#include "rollout/managed_routes.h"
#include "rollout/replica_counts.h"
#include "rollout/standalone_experiment.h"

namespace reconciler {
namespace {

bool is_past_last_step(const Rollout& desired, const Status& status) {
  return !status.step || status.step->index >= int(desired.steps.size());
}

/// How long pods stay that lost their traffic. After a failure an explicit 0 keeps the canary for inspection.
std::optional<Duration> linger(const Rollout& desired, const Status& status) {
  bool failed = is_rejected(status, desired.hash);
  if (!failed && status.returning.empty()) return desired.dynamic_stable_scale ? 0ms : desired.scale_down_delay;
  if (desired.abort_scale_down_delay > 0ms) return desired.abort_scale_down_delay;
  return failed ? std::nullopt : std::optional<Duration>(0ms);
}

/// minPodsPerReplicaSet holds for every ReplicaSet with any pods.
int at_least(const Rollout& desired, int pods) {
  if (pods == 0 || !desired.min_pods_per_replica_set) return pods;
  return std::max(pods, std::min(*desired.min_pods_per_replica_set, desired.replicas));
}

/// The recorded weight in the unit of the manifest, which may have been given another since.
int weight_now(const Rollout& desired, const Status& status) {
  return status.weight == 0 ? 0 : rescaled(status.weight, status.whole, desired.whole());
}

/// The weight that the present step leads to.
int weight_ahead(const Rollout& desired, const Status& status) {
  return is_past_last_step(desired, status) ? desired.whole() : weight_before(desired, status.step->index + 1);
}

/// The same, but a canary that is held by its deploy commit gets no more pods either.
int weight_asked_for(const Rollout& desired, const Status& status) {
  return is_at_pause_mark(desired, status) ? weight_now(desired, status) : weight_ahead(desired, status);
}

/// With dynamicStableScale enough for what stable holds now, and for what it will hold after this step.
int stable_pods(const Rollout& desired, const Status& status) {
  if (!desired.dynamic_stable_scale || !status.canary || !status.returning.empty()) return desired.replicas;
  const int least_weight = std::min(weight_now(desired, status), weight_asked_for(desired, status));
  return at_least(desired, share_of(desired.replicas, desired.whole() - least_weight, desired.whole()));
}

/// The setCanaryScale that holds at the present step; null when the pods follow the weight.
const SetCanaryScale* scale_in_force(const Rollout& desired, const Status& status) {
  if (is_past_last_step(desired, status)) return nullptr;
  for (int i = status.step->index; i >= 0; --i) {
    const auto* scale = std::get_if<SetCanaryScale>(&desired.steps[size_t(i)]);
    if (scale) return scale->replicas || scale->weight ? scale : nullptr;
  }
  return nullptr;
}

/// Two revisions side by side whose numbers of pods make their shares of the traffic.
void split_pods(const Rollout& desired, const Status& status, Target& out) {
  const int weight = status.returning.empty() ? weight_asked_for(desired, status) : 0;
  const int surge = fenceposts(desired.replicas, desired.max_surge, desired.max_unavailable).surge;
  const PodSplit split = approximate_split(desired.replicas, surge, weight);
  out.canary = status.canary->hash;
  out.replicas[out.canary] = split.canary;
  out.replicas[out.stable] = split.stable;
}

/// Blue-green: the active Service stays with the stable version; the new one has pods and a Service of its own.
Target beside_active(const Rollout& desired, const Status& status, Target out) {
  if (is_rejected(status, desired.hash)) out.canary_service = desired.hash;
  if (!status.canary || !status.returning.empty()) return out;
  out.canary = status.canary->hash;
  const int pods = out.replicas[out.canary] = preview_pods(desired, status);
  // With previewReplicaCount 0 nobody would answer for it yet.
  if (pods > 0 || desired.replicas == 0) out.canary_service = out.canary;
  return out;
}

Target::Workload workload_kept(const Rollout& desired, const Status& status) {
  const auto mode = desired.workload_ref ? desired.workload_ref->scale_down : WorkloadRef::ScaleDown::Never;
  if (mode == WorkloadRef::ScaleDown::Never) return Target::Workload::AsItIs;
  if (status.stable) return Target::Workload::None;
  return mode == WorkloadRef::ScaleDown::Progressively ? Target::Workload::WhatIsMissing : Target::Workload::AsItIs;
}

/// By role: what was rejected is still looked at as a canary.
std::map<std::string, std::string> metadata_by_role(const Rollout& desired, const Status& status) {
  std::map<std::string, std::string> out;
  const std::string canary = metadata_text(desired.canary_metadata), stable = metadata_text(desired.stable_metadata);
  if (!canary.empty() && is_rejected(status, desired.hash)) out[desired.hash] = canary;
  if (!canary.empty() && status.canary) out[status.canary->hash] = canary;
  if (const auto& main = status.stable ? status.stable : status.canary) {
    out.erase(main->hash);
    if (!stable.empty()) out[main->hash] = stable;
  }
  return out;
}

}  // namespace

Roles roles_of(const Rollout& desired, const Status& status) {
  if (desired.ping_pong && status.pong_is_stable) return {desired.canary_service, desired.stable_service};
  return {desired.stable_service, desired.canary_service};
}

Target target(const Rollout& desired, const Status& status) {
  if (desired.standalone) return standalone_target(desired, status);
  Target out{.roles = roles_of(desired, status), .whole = desired.whole(), .linger = linger(desired, status)};
  out.metadata = metadata_by_role(desired, status);
  out.experiment = experiment_pods(desired, status);
  out.experiment_linger = experiment_linger(desired, status);
  out.workload = workload_kept(desired, status);
  out.first_revision = status.previous.empty() && !(status.stable && status.canary);
  out.full_stable_first = is_rejected(status, desired.hash) || !status.returning.empty();
  if (is_rejected(status, desired.hash)) out.rejected = desired.hash;
  if (!status.stable) {
    // First deploy: nothing is protected yet, both Services lead to what is coming up.
    if (!status.canary) return out;
    out.replicas[status.canary->hash] = desired.replicas;
    out.stable = out.stable_service = out.canary_service = status.canary->hash;
    return out;
  }
  out.stable = out.stable_service = out.canary_service = status.stable->hash;
  out.replicas[out.stable] = stable_pods(desired, status);
  if (desired.blue_green) return beside_active(desired, status, std::move(out));
  if (!status.canary) return out;
  if (!desired.is_routed()) split_pods(desired, status, out);
  if (!status.returning.empty()) return out;
  if (desired.is_routed()) {
    out.canary = status.canary->hash;
    out.replicas[out.canary] = canary_pods(desired, status);
  }
  // A canary without pods is not selected: nobody would answer. With no replicas at all nobody does anyway.
  if (out.replicas[out.canary] > 0 || status.weight > 0) out.canary_service = out.canary;
  out.weight = weight_now(desired, status);
  out.managed = managed_routes(desired, status);
  return out;
}

std::optional<int> workload_replicas(const Rollout& desired, const Observed& live, const Target& target) {
  const Workload* w = live.workload(target.stable);
  switch (target.workload) {
    case Target::Workload::AsItIs: return std::nullopt;
    case Target::Workload::WhatIsMissing: return std::max(0, desired.replicas - (w ? w->ready : 0));
    case Target::Workload::None: return 0;
  }
  unreachable();
}

bool is_rejected(const Status& status, const std::string& hash) {
  return std::any_of(status.rejected.begin(), status.rejected.end(),
                     [&](const Rejected& r) { return r.hash == hash && !r.lapsed; });
}

int weight_before(const Rollout& desired, int index) {
  int weight = 0;
  for (int i = 0; i < index && i < int(desired.steps.size()); ++i)
    if (auto set = std::get_if<SetWeight>(&desired.steps[size_t(i)])) weight = set->weight;
  return weight;
}

bool is_at_pause_mark(const Rollout& desired, const Status& status) {
  if (!status.trailers || !status.trailers->pause_at || !status.canary || !status.returning.empty()) return false;
  const int mark = *status.trailers->pause_at;
  const int whole = desired.whole();
  return percent_of(weight_now(desired, status), whole) >= mark ||
         percent_of(weight_ahead(desired, status), whole) > mark;
}

int canary_pods(const Rollout& desired, const Status& status) {
  if (is_past_last_step(desired, status)) return desired.replicas;
  if (const SetCanaryScale* scale = scale_in_force(desired, status)) {
    const int pods = scale->replicas ? *scale->replicas : share_of(desired.replicas, *scale->weight, desired.whole());
    // Traffic without a single pod is nothing that anybody asks for.
    const bool has_traffic = std::max(status.weight, weight_ahead(desired, status)) > 0;
    return at_least(desired, std::max(pods, has_traffic ? std::min(1, desired.replicas) : 0));
  }
  const int weight = std::max(weight_now(desired, status), weight_asked_for(desired, status));
  return at_least(desired, share_of(desired.replicas, weight, desired.whole()));
}

int preview_pods(const Rollout& desired, const Status& status) {
  const bool full = status.preview && status.preview->accepted;
  return full ? desired.replicas : desired.blue_green->preview_replicas.value_or(desired.replicas);
}

int pods_to_carry(const Rollout& desired, const Status& status, int weight) {
  return enough_of(desired,
                   std::min(share_of(desired.replicas, weight, desired.whole()), canary_pods(desired, status)));
}

int enough_of(const Rollout& desired, int pods) {
  if (!desired.replica_progress_threshold) return pods;
  const PodCount& threshold = *desired.replica_progress_threshold;
  const int enough =
      threshold.unit == PodCount::Unit::Percent ? share_of(pods, threshold.number, 100) : threshold.number;
  return std::clamp(enough, std::min(1, pods), pods);
}

}  // namespace reconciler
