#include "rollout/diff.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "rollout/ephemeral_metadata.h"
#include "rollout/istio.h"
#include "rollout/replica_set.h"
#include "rollout/restart.h"
#include "rollout/rolling.h"

namespace reconciler {
namespace {

/// One comparison of a rollout's cluster with its target; each function adds what it finds missing.
class Comparison {
 public:
  Comparison(const Rollout& desired, const Observed& live, const Target& target, TimePoint now)
      : desired_(desired), live_(live), target_(target), now_(now) {}

  Result<Difference> run() {
    if (auto there = check_objects(); !there) return there.error();
    adopt();
    for (Action& action : metadata_actions(live_, target_)) out_.actions.push_back(std::move(action));
    if (desired_.is_routed()) {
      if (auto routed = compare_routed(); !routed) return routed.error();
    } else {
      compare_rolling();
    }
    replace_workload();
    replace_old_pods();
    forget_history();
    wait_for_pods();
    return std::move(out_);
  }

 private:
  Result<void> check_objects() const {
    for (const std::string& name : {desired_.stable_service, desired_.canary_service})
      if (auto fits = check_service(name); !fits) return fits;
    if (desired_.is_routed() && !live_.virtual_service)
      return invalid(format("VirtualService {}/{} is missing", desired_.istio.ns, desired_.istio.virtual_service));
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
    if (auto routed = route(); !routed) return routed.error();
    shrink();
    retire_others();
    return {};
  }

  /// Without routing the pods themselves make the share of traffic.
  void compare_rolling() {
    RollingStep step = desired_.paused ? RollingStep{} : rolling_step(desired_, live_, target_);
    for (Action& action : step.grow) out_.actions.push_back(std::move(action));
    select(desired_.stable_service, target_.stable_service, 0);
    select(desired_.canary_service, target_.canary_service, 0);
    mark_rejected();
    for (Action& action : step.shrink) out_.actions.push_back(std::move(action));
    routed_ = services_agree();
    wait_for_leaving();
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
  }

  /// Pods first: what the target needs more of. Stable before canary, by the order of need.
  void grow() {
    if (desired_.paused) return;
    for (const std::string& hash : revisions_stable_first()) {
      int wanted = target_.replicas.at(hash);
      const Workload* w = live_.workload(hash);
      if (!w && hash == desired_.hash) {
        out_.actions.emplace_back(create_replica_set(desired_, live_, target_, wanted));
      } else if (w && w->replicas < wanted) {
        out_.actions.emplace_back(ScaleReplicaSet{w->name, wanted, desired_.replicas});
      } else if (w && w->scale_down_deadline) {
        out_.actions.emplace_back(SetScaleDownDeadline{w->name, std::nullopt});
      }
    }
  }

  /// Services and weights, in the order that never points traffic at nothing.
  Result<void> route() {
    auto current = canary_weight(*live_.virtual_service, desired_);
    if (!current) return current.error();
    weight_ = next_weight(*current);
    auto wanted = with_canary_weight(*live_.virtual_service, desired_, weight_);
    if (!wanted) return wanted.error();
    Json after = with_rejected_mark(*wanted, target_.rejected);
    const bool rewrite = after != *live_.virtual_service;
    const bool lower = weight_ < *current;
    const bool stable_selected = select(desired_.stable_service, target_.stable_service, *current);
    if (rewrite && lower && stable_selected) rewrite_routes(after, *current);
    // The canary's Service leaves a revision only when no traffic goes through it any more.
    const bool quiet = *current == 0 || (rewritten_ && weight_ == target_.weight) || target_.weight > 0;
    const bool canary_selected = quiet && select(desired_.canary_service, target_.canary_service, 0);
    if (rewrite && !lower && stable_selected && canary_selected) rewrite_routes(after, *current);
    routed_ = !rewrite && weight_ == target_.weight && services_agree();
    if (weight_ != target_.weight) wait("waiting for stable pods before more traffic returns to them");
    return {};
  }

  /// A stable revision that was shrunk gets traffic back only as fast as its pods come up (dynamicStableScale).
  int next_weight(int current) const {
    if (!desired_.dynamic_stable_scale || desired_.replicas == 0 || target_.weight >= current) return target_.weight;
    const int covered = int(std::min<int64_t>(100, int64_t(available(target_.stable)) * 100 / desired_.replicas));
    return std::clamp(100 - covered, target_.weight, current);
  }

  bool services_agree() const {
    return agrees(desired_.stable_service, target_.stable_service) &&
           agrees(desired_.canary_service, target_.canary_service);
  }

  bool agrees(const std::string& service, const std::string& hash) const {
    return service.empty() || live_.services.at(service).hash == hash;
  }

  /// Makes `service` select `hash` once that revision has enough pods. True when it does so after these actions.
  bool select(const std::string& service, const std::string& hash, int weight_elsewhere) {
    if (service.empty()) return true;
    const ServiceState& state = live_.services.at(service);
    if (hash.empty() || state.hash == hash) return true;
    if (available(hash) < pods_needed_to_select(service, state, weight_elsewhere)) {
      // At the end of a canary stable may have no pods left and get none: the Service goes to the next stable revision.
      if (asked_for(hash) > 0) wait(format("waiting for pods of {} before Service {} selects them", hash, service));
      return false;
    }
    out_.actions.emplace_back(SelectRevision{service, state.hash, hash});
    return true;
  }

  /// A Service that selects every pod is taken over only by a full revision (spec 3.3). Otherwise the new revision
  /// must not have fewer pods than the old one had for the traffic that comes this way.
  int pods_needed_to_select(const std::string& service, const ServiceState& state, int weight_elsewhere) const {
    const bool is_canary = service == desired_.canary_service;
    const int one = std::min(1, desired_.replicas);
    if (is_canary && target_.canary_service != target_.stable_service) return one;
    const int full = std::max(one, asked_for(is_canary ? target_.canary_service : target_.stable_service));
    if (state.hash.empty()) return full;
    if (is_canary || weight_elsewhere == 100) return one;
    return std::min(full, std::max(1, available(state.hash)));
  }

  int asked_for(const std::string& hash) const {
    auto wanted = target_.replicas.find(hash);
    return wanted == target_.replicas.end() ? 0 : wanted->second;
  }

  void rewrite_routes(const Json& after, int current) {
    const bool raises = weight_ > current;
    const std::string& receiver = raises ? target_.canary_service : target_.stable_service;
    // Traffic returns to stable as long as anybody is there: a rejected canary is worse than a busy stable.
    const int needed = raises ? std::max(pods_to_raise(), std::min(1, desired_.replicas))
                              : std::min(share_of(desired_.replicas, 100 - weight_), 1);
    if (available(receiver) < needed) {
      wait(format("waiting for {} of {} pods of {} before traffic is shifted to it", needed - available(receiver),
                  needed, receiver));
      return;
    }
    rewritten_ = true;
    out_.actions.emplace_back(
        RewriteRoutes{desired_.istio.ns, desired_.istio.virtual_service, *live_.virtual_service, after});
  }

  int pods_to_raise() const {
    const auto canary = target_.replicas.find(target_.canary_service);
    const int share = share_of(desired_.replicas, weight_);
    return enough_of(desired_, canary == target_.replicas.end() ? share : std::min(share, canary->second));
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
        !target_.stable.empty() && available(target_.stable) >= target_.replicas.at(target_.stable);
    int waiting = 0;
    for (const Workload* w : others_newest_first()) {
      const bool too_many = !target_.full_stable_first && desired_.scale_down_delay_revision_limit &&
                            waiting >= *desired_.scale_down_delay_revision_limit;
      if (w->deadline_passed || target_.linger == 0ms || too_many) {
        out_.actions.emplace_back(ScaleReplicaSet{w->name, 0, desired_.replicas});
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
      if (!target_.replicas.contains(w.hash) && w.owned && w.replicas > 0 && !is_selected(w.hash)) out.push_back(&w);
    std::stable_sort(out.begin(), out.end(), [](auto a, auto b) { return a->revision > b->revision; });
    return out;
  }

  bool is_selected(const std::string& hash) const {
    return std::any_of(live_.services.begin(), live_.services.end(),
                       [&](const auto& service) { return service.second.hash == hash; });
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
      const bool is_canary = hash == target_.canary;
      const int wanted = is_canary ? enough_of(desired_, target_.replicas.at(hash)) : target_.replicas.at(hash);
      const Workload* w = live_.workload(hash);
      int there = w ? w->available : 0;
      if (there >= wanted) continue;
      const bool beside_canary = !target_.canary.empty() && !is_canary;
      std::string role = beside_canary ? "stable pods" : is_canary ? "canary pods" : "pods";
      std::string text = format("waiting for {} of {} {}{}", wanted - there, wanted, role,
                                w && !w->pod_trouble.empty() ? ": " + w->pod_trouble : "");
      // Missing pods are the cause of whatever else is waited for, so they are what a person is told.
      (beside_canary ? out_.stable_is_short : out_.waiting) = std::move(text);
    }
  }

  std::vector<std::string> revisions_stable_first() const {
    std::vector<std::string> out;
    for (const auto& [hash, wanted] : target_.replicas) out.push_back(hash);
    std::stable_partition(out.begin(), out.end(), [&](auto& hash) { return hash == target_.stable; });
    return out;
  }

  int available(const std::string& hash) const {
    const Workload* w = live_.workload(hash);
    return w ? w->available : 0;
  }

  void wait(std::string for_what) {
    if (out_.waiting.empty()) out_.waiting = std::move(for_what);
  }

  const Rollout& desired_;
  const Observed& live_;
  const Target& target_;
  const TimePoint now_;
  Difference out_;
  bool rewritten_ = false;
  int weight_ = 0;       ///< the canary's share that the route may have by now
  bool routed_ = false;  ///< live Services and weights are those of the target
};

}  // namespace

Result<Difference> diff(const Rollout& desired, const Observed& live, const Target& target, TimePoint now) {
  return Comparison(desired, live, target, now).run();
}

}  // namespace reconciler
