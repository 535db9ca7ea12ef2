#include "rollout/experiment_diff.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/replica_set.h"

namespace reconciler {
namespace {

bool is_wanted(const Workload& workload, const Target& target) {
  return std::any_of(target.experiment.begin(), target.experiment.end(), [&](const ExperimentPods& pods) {
    return pods.name == workload.name && pods.hash == workload.hash;
  });
}

/// The ReplicaSet of that Service; empty when there is none.
std::string service_goes_with(const std::string& service, const Observed& live) {
  auto found = live.experiment_services.find(service);
  return found == live.experiment_services.end() ? "" : found->second;
}

/// Do other pods need the Service that goes with these?
bool has_wanted_service(const Workload& workload, const Target& target) {
  return !workload.service.empty() &&
         std::any_of(target.experiment.begin(), target.experiment.end(),
                     [&](const ExperimentPods& pods) { return pods.service == workload.service; });
}

bool name_in_use(const ExperimentPods& pods, const Observed& live) {
  return std::any_of(live.experiments.begin(), live.experiments.end(),
                     [&](const Workload& w) { return w.name == pods.name; });
}

/// Pods up, and a Service to them.
void bring_up(const Rollout& desired, const Observed& live, const ExperimentPods& pods, std::vector<Action>& out) {
  const Workload* w = workload_of(pods, live);
  // Its template may be that of a ReplicaSet, and what has its name without being it goes first.
  const Workload* source = live.workload(pods.revision);
  const bool has_template = source || !pods.pod_template.empty();
  if (!w && (!has_template || name_in_use(pods, live))) return;
  if (!w) {
    out.emplace_back(CreateExperimentPods{pods, source ? source->name : "", owner_reference(desired, live)});
  } else if (w->replicas != pods.replicas) {
    out.emplace_back(ScaleReplicaSet{w->name, pods.replicas, pods.replicas});
  } else if (w->scale_down_deadline) {
    out.emplace_back(SetScaleDownDeadline{w->name, std::nullopt});
  }
  // One of this name that goes with other pods goes before.
  if (!pods.service.empty() && !live.experiment_services.contains(pods.service))
    out.emplace_back(CreateExperimentService{pods.service, pods.name});
}

/// Pods stay for their delay; an empty ReplicaSet goes, and its Service with it.
std::optional<Action> take_down(const Workload& workload, Duration linger, TimePoint now) {
  if (workload.replicas == 0)
    return workload.current == 0 ? std::optional<Action>(DeleteReplicaSet{workload.name, workload.uid}) : std::nullopt;
  if (workload.deadline_passed || linger == 0ms) return ScaleReplicaSet{workload.name, 0, 0};
  if (!workload.scale_down_deadline) return SetScaleDownDeadline{workload.name, whole_seconds(now + linger + 999ms)};
  return std::nullopt;
}

}  // namespace

const Workload* workload_of(const ExperimentPods& pods, const Observed& live) {
  for (const Workload& w : live.experiments)
    if (w.name == pods.name && w.hash == pods.hash) return &w;
  return nullptr;
}

bool can_answer(const ExperimentPods& pods, const Observed& live) {
  const Workload* w = workload_of(pods, live);
  return w && w->available > 0 && service_goes_with(pods.service, live) == w->name;
}

ExperimentDifference diff_experiment(const Rollout& desired, const Observed& live, const Target& target,
                                     TimePoint now) {
  ExperimentDifference out;
  for (const ExperimentPods& pods : target.experiment) {
    if (!desired.paused) bring_up(desired, live, pods, out.come);
    const Workload* w = workload_of(pods, live);
    const int there = w ? w->available : 0;
    if (!out.waiting.empty()) continue;
    if (there < pods.replicas)
      out.waiting = format("waiting for {} of {} pods of experiment \"{}\"{}", pods.replicas - there, pods.replicas,
                           pods.label, w && !w->pod_trouble.empty() ? ": " + w->pod_trouble : "");
    else if (!pods.service.empty() && service_goes_with(pods.service, live) != pods.name)
      out.waiting = format("waiting for Service {} to lead to the pods of experiment \"{}\"", pods.service, pods.label);
  }
  if (desired.paused) return out;
  for (const Workload& w : live.experiments) {
    if (is_wanted(w, target)) continue;
    const Duration linger = has_wanted_service(w, target) ? 0ms : target.experiment_linger;
    if (auto action = take_down(w, linger, now)) out.go.push_back(*std::move(action));
  }
  return out;
}

}  // namespace reconciler
