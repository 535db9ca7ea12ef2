#include "rollout/diff.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "rollout/istio.h"
#include "rollout/replica_set.h"

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
    grow();
    if (auto routed = route(); !routed) return routed.error();
    shrink();
    retire_others();
    forget_history();
    wait_for_pods();
    return std::move(out_);
  }

 private:
  Result<void> check_objects() const {
    for (const std::string& name : {desired_.stable_service, desired_.canary_service})
      if (!live_.services.contains(name)) return invalid(format("Service {}/{} is missing", desired_.key.ns, name));
    if (!live_.virtual_service)
      return invalid(format("VirtualService {}/{} is missing", desired_.istio.ns, desired_.istio.virtual_service));
    return {};
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
    for (const std::string& hash : revisions_stable_first()) {
      int wanted = target_.replicas.at(hash);
      const Workload* w = live_.workload(hash);
      if (desired_.paused) continue;
      if (!w && hash == desired_.hash) {
        Json object = replica_set(desired_, wanted, next_revision(live_));
        if (Json owner = owner_reference(desired_, live_); !owner.is_null())
          object["metadata"]["ownerReferences"] = Json::array({owner});
        out_.actions.emplace_back(CreateReplicaSet{replica_set_name(desired_, hash), std::move(object)});
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
    auto wanted = with_canary_weight(*live_.virtual_service, desired_, target_.weight);
    if (!wanted) return wanted.error();
    Json after = with_rejected_mark(*wanted, target_.rejected);
    const bool rewrite = after != *live_.virtual_service;
    const bool lower = target_.weight < *current;
    const bool stable_selected = select(desired_.stable_service, target_.stable_service, *current);
    if (rewrite && lower && stable_selected) rewrite_routes(after, *current);
    // The canary's Service leaves a revision only when no traffic goes through it any more.
    const bool quiet = *current == 0 || rewritten_ || target_.weight > 0;
    const bool canary_selected = quiet && select(desired_.canary_service, target_.canary_service, 0);
    if (rewrite && !lower && stable_selected && canary_selected) rewrite_routes(after, *current);
    routed_ = !rewrite && services_agree();
    return {};
  }

  bool services_agree() const {
    return live_.services.at(desired_.stable_service).hash == target_.stable_service &&
           live_.services.at(desired_.canary_service).hash == target_.canary_service;
  }

  /// Makes `service` select `hash` once that revision has enough pods. True when it does so after these actions.
  bool select(const std::string& service, const std::string& hash, int weight_elsewhere) {
    const ServiceState& state = live_.services.at(service);
    if (hash.empty() || state.hash == hash) return true;
    if (available(hash) < pods_needed_to_select(service, state, weight_elsewhere)) {
      wait(format("waiting for pods of {} before Service {} selects them", hash, service));
      return false;
    }
    out_.actions.emplace_back(SelectRevision{service, state.hash, hash});
    return true;
  }

  /// A Service that selects every pod is taken over only by a full revision (spec 3.3). Otherwise the new revision
  /// must not have fewer pods than the old one had for the traffic that comes this way.
  int pods_needed_to_select(const std::string& service, const ServiceState& state, int weight_elsewhere) const {
    if (service == desired_.canary_service && target_.canary_service != target_.stable_service)
      return std::min(1, desired_.replicas);
    if (state.hash.empty()) return desired_.replicas;
    if (service == desired_.canary_service || weight_elsewhere == 100) return std::min(1, desired_.replicas);
    return std::min(desired_.replicas, std::max(1, available(state.hash)));
  }

  void rewrite_routes(const Json& after, int current) {
    const bool raises = target_.weight > current;
    const std::string& receiver = raises ? target_.canary_service : target_.stable_service;
    int share = share_of(desired_.replicas, raises ? target_.weight : 100 - target_.weight);
    // Traffic returns to stable as long as anybody is there: a rejected canary is worse than a busy stable.
    int needed = raises ? std::max(share, std::min(1, desired_.replicas)) : std::min(share, 1);
    if (available(receiver) < needed) {
      wait(format("waiting for {} of {} pods of {} before traffic is shifted to it", needed - available(receiver),
                  needed, receiver));
      return;
    }
    rewritten_ = true;
    out_.actions.emplace_back(
        RewriteRoutes{desired_.istio.ns, desired_.istio.virtual_service, *live_.virtual_service, after});
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
    for (const Workload& w : live_.workloads) {
      if (target_.replicas.contains(w.hash) || !w.owned || w.replicas == 0 || is_selected(w.hash)) continue;
      if (w.deadline_passed || target_.linger == 0ms) {
        out_.actions.emplace_back(ScaleReplicaSet{w.name, 0, desired_.replicas});
      } else if (!w.scale_down_deadline && target_.linger) {
        out_.actions.emplace_back(SetScaleDownDeadline{w.name, whole_seconds(now_ + *target_.linger + 999ms)});
      }
    }
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
      int wanted = target_.replicas.at(hash);
      const Workload* w = live_.workload(hash);
      int there = w ? w->available : 0;
      if (there >= wanted) continue;
      const bool beside_canary = target_.replicas.size() > 1 && hash == target_.stable_service;
      std::string role = beside_canary ? "stable pods" : target_.replicas.size() > 1 ? "canary pods" : "pods";
      std::string text = format("waiting for {} of {} {}{}", wanted - there, wanted, role,
                                w && !w->pod_trouble.empty() ? ": " + w->pod_trouble : "");
      // Missing pods are the cause of whatever else is waited for, so they are what a person is told.
      (beside_canary ? out_.stable_is_short : out_.waiting) = std::move(text);
    }
  }

  std::vector<std::string> revisions_stable_first() const {
    std::vector<std::string> out;
    for (const auto& [hash, wanted] : target_.replicas) out.push_back(hash);
    std::stable_partition(out.begin(), out.end(), [&](auto& hash) { return hash == target_.stable_service; });
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
  bool routed_ = false;  ///< live Services and weights are those of the target
};

}  // namespace

Result<Difference> diff(const Rollout& desired, const Observed& live, const Target& target, TimePoint now) {
  return Comparison(desired, live, target, now).run();
}

}  // namespace reconciler
