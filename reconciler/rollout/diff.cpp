#include "rollout/diff.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/ephemeral_metadata.h"
#include "rollout/experiment_diff.h"
#include "rollout/removal.h"
#include "rollout/replica_set.h"
#include "rollout/restart.h"
#include "rollout/rolling.h"
#include "rollout/route_diff.h"
#include "rollout/standalone_experiment.h"

namespace reconciler {
namespace {

/// One comparison of a rollout's cluster with its target; each function adds what it finds missing.
class Comparison {
 public:
  Comparison(const Rollout& desired, const Observed& live, const Target& target, TimePoint now)
      : desired_(desired),
        live_(live),
        target_(target),
        now_(now),
        experiment_(diff_experiment(desired, live, target, now)) {}

  Result<Difference> run() {
    if (auto there = check_objects(); !there) return there.error();
    adopt();
    for (Action& action : metadata_actions(live_, target_)) out_.actions.push_back(std::move(action));
    if (desired_.blue_green) {
      compare_blue_green();
    } else if (desired_.is_routed()) {
      if (auto routed = compare_routed(); !routed) return routed.error();
    } else if (auto rolled = compare_rolling(); !rolled) {
      return rolled.error();
    }
    restore_affinity();
    replace_workload();
    replace_old_pods();
    forget_history();
    release_former();
    wait_for_pods();
    return std::move(out_);
  }

 private:
  Result<void> check_objects() const {
    for (const std::string& name : {desired_.stable_service, desired_.canary_service})
      if (auto fits = check_service(name); !fits) return fits;
    if (std::string missing = missing_route_object(desired_, live_.routes); !missing.empty()) return invalid(missing);
    return {};
  }

  Result<void> check_service(const std::string& name) const {
    if (name.empty()) return {};
    auto service = live_.services.find(name);
    const std::string what = format("Service {}/{}", desired_.key.ns, name);
    if (service == live_.services.end()) return invalid(what + " is missing");
    const ServiceState& state = service->second;
    if (!state.managed_by.empty() && state.managed_by != desired_.key.name)
      return invalid(format("{} is managed by rollout {}", what, state.managed_by));
    for (const auto& [label, value] : state.selector) {
      auto has = desired_.pod_labels.find(label);
      if (has == desired_.pod_labels.end() || has->second != value)
        return invalid(format("{} selects {}={}, which the pods of spec.template do not have", what, label, value));
    }
    return {};
  }

  /// Pods of the workload that the template came from go as ours become ready. Who scales it up again later knows why.
  void replace_workload() {
    if (!live_.workload_replicas || desired_.paused || !target_.first_revision) return;
    const auto kept = workload_replicas(desired_, live_, target_);
    const WorkloadRef& ref = *desired_.workload_ref;
    if (kept && *kept < *live_.workload_replicas)
      out_.actions.emplace_back(ScaleWorkload{ref.api_version, ref.kind, ref.name, *kept});
  }

  /// What is stable need not keep away from what was stable before it. Only Git knows the template without the rule.
  void restore_affinity() {
    const Workload* w = live_.workload(desired_.hash);
    if (!w || !w->owned || w->avoids.empty() || w->hash != target_.stable || !target_.canary.empty()) return;
    const auto pod_template = parse_json(desired_.pod_template);
    const Json* affinity = pod_template ? find(*pod_template, {"spec", "affinity"}) : nullptr;
    out_.actions.emplace_back(RestoreAffinity{w->name, affinity ? *affinity : Json()});
  }

  /// Pods older than restartAt go once all else is done.
  void replace_old_pods() {
    if (!out_.actions.empty()) return;
    Restart due = restart(desired_, live_, target_, now_);
    out_.look_again = due.look_again;
    if (due.left > 0) out_.restarting = format("restarting: {} pods are older than restartAt", due.left);
    if (!due.evict.empty()) out_.actions.emplace_back(EvictPods{std::move(due.evict)});
  }

  Result<void> compare_routed() {
    grow();
    add(experiment_.come);
    if (auto routed = route(); !routed) return routed.error();
    shrink();
    retire_others();
    if (experiments_are_over_) add(experiment_.go);
    return {};
  }

  void add(std::vector<Action>& actions) {
    for (Action& action : actions) out_.actions.push_back(std::move(action));
  }

  /// Without routing the pods themselves make the share of traffic.
  Result<void> compare_rolling() {
    RollingStep step = desired_.paused ? RollingStep{} : rolling_step(desired_, live_, target_);
    add(step.grow);
    add(experiment_.come);
    if (auto selected = route(); !selected) return selected.error();
    mark_rejected();
    add(step.shrink);
    add(experiment_.go);
    wait_for_leaving();
    return {};
  }

  /// The new version has pods and a Service of its own; the active Service is switched as a whole.
  void compare_blue_green() {
    grow();
    const std::string preview = preview_revision();
    const bool switched = agrees(desired_.stable_service, target_.stable_service);
    if (!desired_.paused) {
      select(desired_.canary_service, preview, 0);
      select(desired_.stable_service, target_.stable_service, pods_needed_to_switch());
    } else if (!switched) {
      wait(format("spec.paused is set: Service {} is not switched to {}", desired_.stable_service,
                  target_.stable_service));
    }
    mark_rejected();
    routed_ = switched && agrees(desired_.canary_service, preview);
    shrink();
    retire_others();
    add(experiment_.go);  // of the canary that it was before
  }

  bool agrees(const std::string& service, const std::string& hash) const {
    return service.empty() || live_.services.at(service).hash == hash;
  }

  /// Makes `service` select `hash` once that revision has `needed` pods.
  void select(const std::string& service, const std::string& hash, int needed) {
    if (hash.empty() || agrees(service, hash)) return;
    if (live_.available(hash) >= needed)
      out_.actions.emplace_back(SelectRevision{service, live_.services.at(service).hash, hash});
    else if (target_.asked_for(hash) > 0)
      wait(format("waiting for pods of {} before Service {} selects them", hash, service));
  }

  /// A preview is shown at once. The active Service is taken over from all pods only by a full revision (spec 3.3), and
  /// from another one by as many pods as that has. On the way back stable answers as soon as anybody is there. A
  /// Service that lost its selector in mid-update need not wait either: everything else behind it is preview.
  int pods_needed_to_switch() const {
    const ServiceState& active = live_.services.at(desired_.stable_service);
    const int one = std::min(1, desired_.replicas);
    const bool lost_selector = active.hash.empty() && !target_.canary.empty();
    if (target_.full_stable_first || lost_selector) return one;
    const int full = std::max(one, target_.asked_for(target_.stable_service));
    return active.hash.empty() ? full : std::min(full, std::max(1, live_.available(active.hash)));
  }

  /// The preview Service shows what was aborted until its pods are due to go: no Service leads to an empty revision.
  std::string preview_revision() const {
    if (target_.replicas.contains(target_.canary_service)) return target_.canary_service;
    const Workload* aborted = live_.workload(target_.canary_service);
    const bool kept = aborted && aborted->replicas > 0 && !aborted->deadline_passed;
    return kept ? target_.canary_service : target_.stable;
  }

  /// Behind an active Service that selects every pod, a preview would be none: its pods wait until it does not.
  bool may_have_pods(const std::string& hash) const {
    return !desired_.blue_green || hash != target_.canary || !live_.services.at(desired_.stable_service).hash.empty();
  }

  /// The ReplicaSet remembers that its revision was rejected, should the disk be lost.
  void mark_rejected() {
    for (const Workload& w : live_.workloads)
      if (const bool wanted = w.hash == target_.rejected; w.owned && w.rejected != wanted)
        out_.actions.emplace_back(MarkReplicaSet{w.name, wanted ? w.hash : ""});
  }

  /// Pods on their way out still get traffic.
  void wait_for_leaving() {
    int leaving = 0;
    for (const Workload& w : live_.workloads) {
      auto wanted = target_.replicas.find(w.hash);
      if (w.owned && wanted == target_.replicas.end()) leaving += std::max(w.available, w.replicas);
      if (wanted != target_.replicas.end()) leaving += std::max(0, w.current - wanted->second);
    }
    if (leaving > 0) wait(format("waiting for {} pods to go", leaving));
  }

  /// What fits and is in the target becomes ours, and all that is ours names the Rollout object when there is one.
  void adopt() {
    const Json owner = owner_reference(desired_, live_);
    const std::string uid = owner.is_null() ? "" : live_.object->uid;
    for (const Workload& w : live_.workloads) {
      const bool wanted = w.owned || target_.replicas.contains(w.hash);
      if (wanted && (!w.owned || w.rollout_uid != uid)) out_.actions.emplace_back(AdoptReplicaSet{w.name, owner});
    }
    for (const Workload& w : live_.experiments)
      if (w.rollout_uid != uid) out_.actions.emplace_back(AdoptReplicaSet{w.name, owner});
  }

  /// Pods first: what the target needs more of. Stable before canary, by the order of need.
  void grow() {
    if (desired_.paused) return;
    for (const std::string& hash : revisions_stable_first()) {
      if (!may_have_pods(hash)) continue;
      int wanted = target_.replicas.at(hash);
      const Workload* w = live_.workload(hash);
      if (!w && hash == desired_.hash) {
        out_.actions.emplace_back(create_replica_set(desired_, live_, target_, wanted));
      } else if (w && w->replicas < wanted) {
        // Pods that are about to go would be taken for those that are to come.
        if (w->current > w->replicas && hash != target_.stable)
          wait(format("waiting for {} earlier pods of {} to go", w->current - w->replicas, hash));
        else
          out_.actions.emplace_back(ScaleReplicaSet{w->name, wanted, desired_.replicas});
      } else if (w && w->scale_down_deadline) {
        out_.actions.emplace_back(SetScaleDownDeadline{w->name, std::nullopt});
      }
    }
  }

  /// Services and weights.
  Result<void> route() {
    auto routes = diff_routes(desired_, live_, target_);
    if (!routes) return routes.error();
    for (Action& action : routes->actions) out_.actions.push_back(std::move(action));
    if (!routes->waiting.empty()) wait(std::move(routes->waiting));
    routed_ = routes->agrees;
    experiments_are_over_ = routes->experiments_are_over;
    return {};
  }

  /// Too many pods of a revision that stays. Only once traffic is where it should be.
  void shrink() {
    if (!routed_ || desired_.paused) return;
    for (const auto& [hash, wanted] : target_.replicas) {
      const Workload* w = live_.workload(hash);
      if (w && w->replicas > wanted) out_.actions.emplace_back(ScaleReplicaSet{w->name, wanted, desired_.replicas});
    }
  }

  /// Revisions that have no place in the target keep their pods for a while, then lose them; never while a Service
  /// still selects them.
  void retire_others() {
    if (!routed_ || desired_.paused) return;
    const bool stable_is_full =
        !target_.stable.empty() && live_.available(target_.stable) >= target_.replicas.at(target_.stable);
    int waiting = 0;
    for (const Workload* w : others_newest_first()) {
      const bool too_many = !target_.full_stable_first && desired_.scale_down_delay_revision_limit &&
                            waiting >= *desired_.scale_down_delay_revision_limit;
      if (w->deadline_passed || target_.linger == 0ms || too_many) {
        if (!is_selected(w->hash)) out_.actions.emplace_back(ScaleReplicaSet{w->name, 0, desired_.replicas});
        continue;
      }
      ++waiting;
      if (!w->scale_down_deadline && target_.linger && (stable_is_full || !target_.full_stable_first))
        out_.actions.emplace_back(SetScaleDownDeadline{w->name, whole_seconds(now_ + *target_.linger + 999ms)});
    }
  }

  std::vector<const Workload*> others_newest_first() const {
    std::vector<const Workload*> out;
    for (const Workload& w : live_.workloads)
      if (!target_.replicas.contains(w.hash) && w.owned && w.replicas > 0) out.push_back(&w);
    std::stable_sort(out.begin(), out.end(), [](auto a, auto b) { return a->revision > b->revision; });
    return out;
  }

  bool is_selected(const std::string& hash) const {
    auto selects = [&](const auto& service) { return service.second.hash == hash; };
    return std::any_of(live_.services.begin(), live_.services.end(), selects) ||
           std::any_of(live_.former_services.begin(), live_.former_services.end(), selects);
  }

  /// What the rollout named before may still be somebody's way to it, so it gets all pods only when all are of one
  /// version.
  void release_former() {
    if (!routed_ || desired_.paused || !target_.canary.empty() || !out_.actions.empty()) return;
    out_.actions = release_actions(live_);
  }

  /// Empty ReplicaSets beyond the revision history, oldest first; only when all else is at rest.
  void forget_history() {
    if (!routed_ || desired_.paused || !out_.actions.empty()) return;
    std::vector<const Workload*> old;
    for (const Workload& w : live_.workloads)
      if (w.owned && w.replicas == 0 && w.current == 0 && !target_.replicas.contains(w.hash) && !is_selected(w.hash))
        old.push_back(&w);
    std::sort(old.begin(), old.end(), [](auto a, auto b) { return a->created > b->created; });
    for (size_t i = size_t(desired_.revision_history_limit); i < old.size(); ++i)
      out_.actions.emplace_back(DeleteReplicaSet{old[i]->name, old[i]->uid});
  }

  void wait_for_pods() {
    for (const std::string& hash : revisions_stable_first()) {
      if (!may_have_pods(hash)) continue;
      const bool is_canary = hash == target_.canary;
      const int wanted = is_canary ? enough_of(desired_, target_.replicas.at(hash)) : target_.replicas.at(hash);
      const Workload* w = live_.workload(hash);
      int there = w ? w->available : 0;
      if (there >= wanted) continue;
      const bool beside_canary = !target_.canary.empty() && !is_canary;
      const char* new_pods = desired_.blue_green ? "preview pods" : "canary pods";
      std::string role = beside_canary ? "stable pods" : is_canary ? new_pods : "pods";
      std::string text = format("waiting for {} of {} {}{}", wanted - there, wanted, role,
                                w && !w->pod_trouble.empty() ? ": " + w->pod_trouble : "");
      // Missing pods are the cause of whatever else is waited for, so they are what a person is told.
      (beside_canary ? out_.stable_is_short : out_.waiting) = std::move(text);
    }
    out_.experiment_is_short = experiment_.waiting;
    if (!experiment_.waiting.empty()) wait(experiment_.waiting);
  }

  std::vector<std::string> revisions_stable_first() const {
    std::vector<std::string> out;
    for (const auto& [hash, wanted] : target_.replicas) out.push_back(hash);
    std::stable_partition(out.begin(), out.end(), [&](auto& hash) { return hash == target_.stable; });
    return out;
  }

  void wait(std::string for_what) {
    if (out_.waiting.empty()) out_.waiting = std::move(for_what);
  }

  const Rollout& desired_;
  const Observed& live_;
  const Target& target_;
  const TimePoint now_;
  ExperimentDifference experiment_;
  Difference out_;
  bool experiments_are_over_ = false;
  bool routed_ = false;  ///< live Services and weights are those of the target
};

}  // namespace

Result<Difference> diff(const Rollout& desired, const Observed& live, const Target& target, TimePoint now) {
  if (desired.standalone) return standalone_difference(desired, live, target, now);
  return Comparison(desired, live, target, now).run();
}

}  // namespace reconciler
