#include "rollout/route_diff.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/experiment_diff.h"

namespace reconciler {
namespace {

enum class Role { Stable, Canary };

/// One comparison of sides and routes with the target; each step adds what it finds missing and plays it through.
class RouteComparison {
 public:
  RouteComparison(const Rollout& desired, const Observed& live, const Target& target)
      : desired_(desired), live_(live), target_(target), traffic_(traffic_of(target)), routes_(live.routes) {
    // Nobody would answer what these routes send to the canary, or stable would.
    if (traffic_.canary.hash != target_.canary || live_.available(target_.canary) == 0) traffic_.managed.clear();
    std::erase_if(traffic_.experiments, [&](const ExperimentShare& share) {
      return std::none_of(target_.experiment.begin(), target_.experiment.end(), [&](const ExperimentPods& pods) {
        return pods.hash == share.hash && can_answer(pods, live_);
      });
    });
  }

  Result<RouteDifference> run() {
    auto current = canary_weight(desired_, live_.routes, traffic_);
    if (!current) return current.error();
    current_ = *current;
    out_.experiments_are_over = experiments_are_over();
    weight_ = traffic_.weight = next_weight();
    auto wanted = with_weights(desired_, live_.routes, traffic_);
    if (!wanted) return wanted.error();
    const bool rewrite = *wanted != live_.routes;
    const bool has_managed = has_managed_route(desired_, live_.routes);
    const bool lower = weight_ < current_ || (has_managed && traffic_.managed.empty()) || !out_.experiments_are_over;
    if (weight_ > current_ && both_lead_to_canary()) {
      // Further than the record, which was lost: stable need not take all traffic at once when weights move first, and
      // that changes nothing for anybody.
      if (auto done = rewrite_weights(traffic_); !done) return done.error();
      return std::move(out_);
    }
    // Both sides of a DestinationRule change in one write, unless traffic has to leave the canary in between.
    auto stable = take_side(Role::Stable, lower ? Subsets::StableOnly : Subsets::Both);
    if (!stable) return stable.error();
    if (rewrite && lower && *stable)
      if (auto done = rewrite_weights(lowered()); !done) return done.error();
    // The canary's side leaves a revision only when no traffic goes through it any more.
    const bool busy = target_.weight > 0 || !traffic_.managed.empty();
    const bool quiet = (current_ == 0 && !has_managed) || (rewritten_ && weight_ == target_.weight) || busy;
    auto canary = quiet ? take_side(Role::Canary, Subsets::Both) : Result<bool>(false);
    if (!canary) return canary.error();
    if (rewrite && !lower && *stable && *canary)
      if (auto done = rewrite_weights(traffic_); !done) return done.error();
    out_.agrees = !rewrite && weight_ == target_.weight && sides_agree();
    if (weight_ != target_.weight) wait("waiting for stable pods before more traffic returns to them");
    return std::move(out_);
  }

 private:
  enum class Subsets { StableOnly, Both };

  /// A stable revision that was shrunk gets traffic back only as fast as its pods come up (dynamicStableScale).
  int next_weight() const {
    if (!desired_.dynamic_stable_scale || desired_.replicas == 0 || target_.weight >= current_) return target_.weight;
    const int there = std::min(live_.available(target_.stable), desired_.replicas);
    return std::clamp(target_.whole - rescaled(there, desired_.replicas, target_.whole), target_.weight, current_);
  }

  const Side& side(Role role) const { return role == Role::Stable ? traffic_.stable : traffic_.canary; }

  bool sides_agree() const { return side_agrees(Role::Stable) && side_agrees(Role::Canary); }

  /// Does everything that stands for this side lead to its revision?
  bool side_agrees(Role role) const {
    const auto& [service, hash] = side(role);
    if (auto state = live_.services.find(service); state != live_.services.end() && state->second.hash != hash)
      return false;
    auto subsets = subset_revisions(desired_, live_.routes);
    if (subsets && subsets->experiments != experiment_subsets(subsets->experiments)) return false;
    return !subsets || (role == Role::Stable ? subsets->stable : subsets->canary) == hash;
  }

  bool experiments_are_over() const {
    auto is_wanted = [&](const auto& named) {
      return std::any_of(traffic_.experiments.begin(), traffic_.experiments.end(),
                         [&](const ExperimentShare& share) { return share.service == named.first; });
    };
    const auto weights = experiment_weights(desired_, live_.routes, traffic_);
    if (!weights || !std::all_of(weights->begin(), weights->end(), is_wanted)) return false;
    const auto subsets = subset_revisions(desired_, live_.routes);
    return !subsets || std::all_of(subsets->experiments.begin(), subsets->experiments.end(), is_wanted);
  }

  /// What may be written before the canary's side is taken: routes of steps would still lead to another revision.
  Traffic lowered() const {
    Traffic out = traffic_;
    out.weight = std::min(weight_, current_);
    if (!side_agrees(Role::Canary)) out.managed.clear();
    return out;
  }

  bool both_lead_to_canary() const {
    auto leads = [&](const Side& side) {
      auto service = live_.services.find(side.service);
      return service != live_.services.end() && service->second.hash == traffic_.canary.hash;
    };
    return !traffic_.canary.hash.empty() && traffic_.canary.hash != traffic_.stable.hash && leads(traffic_.stable) &&
           leads(traffic_.canary);
  }

  /// Makes everything that stands for this side lead to its revision, as far as pods allow. True when it does so after
  /// these actions.
  Result<bool> take_side(Role role, Subsets subsets) {
    const bool selected = select(role);
    auto named = name_subsets(role, subsets);
    if (!named) return named.error();
    return selected && *named;
  }

  /// Makes the Service of this side select its revision once that has enough pods.
  bool select(Role role) {
    const auto& [service, hash] = side(role);
    auto state = live_.services.find(service);
    if (state == live_.services.end() || hash.empty() || state->second.hash == hash) return true;
    if (live_.available(hash) < pods_needed(role, state->second.hash)) {
      // At the end of a canary stable may have no pods left and get none: the Service goes to the next stable revision.
      if (target_.asked_for(hash) > 0)
        wait(format("waiting for pods of {} before Service {} selects them", hash, service));
      return false;
    }
    out_.actions.emplace_back(SelectRevision{service, state->second.hash, hash});
    return true;
  }

  /// The same for the subsets of a DestinationRule, where there is one.
  Result<bool> name_subsets(Role role, Subsets subsets) {
    auto now = subset_revisions(desired_, routes_);
    if (!now) return true;
    SubsetRevisions wanted = *now;
    wanted.experiments = experiment_subsets(now->experiments);
    if (subsets == Subsets::Both || role == Role::Stable) take_subset(Role::Stable, wanted.stable);
    if (subsets == Subsets::Both) take_subset(Role::Canary, wanted.canary);
    auto changed = with_revisions(desired_, routes_, wanted);
    if (!changed) return changed.error();
    const bool written = write(*changed);
    return written && (role == Role::Stable ? wanted.stable : wanted.canary) == side(role).hash;
  }

  /// Subsets of experiments that get traffic, and those that still do: they go after it.
  std::map<std::string, std::string> experiment_subsets(const std::map<std::string, std::string>& now) const {
    std::map<std::string, std::string> out;
    for (const ExperimentShare& share : traffic_.experiments) out[share.service] = share.hash;
    if (auto live = experiment_weights(desired_, live_.routes, traffic_))
      for (const auto& [name, weight] : *live)
        if (auto named = now.find(name); named != now.end()) out.insert(*named);
    return out;
  }

  void take_subset(Role role, std::string& named) {
    const std::string& hash = side(role).hash;
    if (hash.empty() || named == hash) return;
    if (live_.available(hash) < std::max(pods_needed(role, named), pods_asked(role))) {
      if (target_.asked_for(hash) > 0) wait(format("waiting for pods of {} before its subset names them", hash));
    } else {
      named = hash;
    }
  }

  /// A Service or subset that selects every pod is taken over only by a full revision (spec 3.3). Otherwise the new
  /// revision must not have fewer pods than the old one had for the traffic that comes this way.
  int pods_needed(Role role, const std::string& from) const {
    const int one = std::min(1, desired_.replicas);
    if (role == Role::Canary && target_.canary_service != target_.stable_service) return one;
    const int full = std::max(one, target_.asked_for(side(role).hash));
    if (from.empty()) return full;
    if (role == Role::Canary || current_ == target_.whole) return one;
    return std::min(full, std::max(1, live_.available(from)));
  }

  /// A subset names a revision on its way up only when all the pods it asks for are there (spec 3.4).
  int pods_asked(Role role) const {
    const Workload* w = live_.workload(side(role).hash);
    const bool on_its_way = role == Role::Canary && target_.canary_service != target_.stable_service;
    return w && on_its_way ? w->replicas : 0;
  }

  Result<void> rewrite_weights(const Traffic& traffic) {
    const bool raises = traffic.weight > current_;
    const std::string& receiver = raises ? target_.canary_service : target_.stable_service;
    // Traffic returns to stable as long as anybody is there: a rejected canary is worse than a busy stable.
    const int needed = raises ? std::max(pods_to_raise(), std::min(1, desired_.replicas))
                              : std::min(share_of(desired_.replicas, target_.whole - traffic.weight, target_.whole), 1);
    if (live_.available(receiver) < needed) {
      wait(format("waiting for {} of {} pods of {} before traffic is shifted to it", needed - live_.available(receiver),
                  needed, receiver));
      return {};
    }
    auto changed = with_weights(desired_, routes_, traffic);
    if (!changed) return changed.error();
    rewritten_ = write(*changed);
    return {};
  }

  int pods_to_raise() const {
    const auto canary = target_.replicas.find(target_.canary_service);
    const int share = share_of(desired_.replicas, weight_, target_.whole);
    return enough_of(desired_, canary == target_.replicas.end() ? share : std::min(share, canary->second));
  }

  /// One write per object that differs. Each patch tests the version that was observed, so an object that was written
  /// already waits for the next pass; false then.
  bool write(const RouteObjects& changed) {
    bool all = true;
    for (const auto& [key, after] : changed) {
      auto before = routes_.find(key);
      if (before != routes_.end() && before->second == after) continue;
      auto observed = live_.routes.find(key);
      const Json original = observed == live_.routes.end() ? Json() : observed->second;
      if (before != routes_.end() && before->second != original) {
        all = false;
        continue;
      }
      out_.actions.emplace_back(RewriteRoutes{key, original, after});
      routes_[key] = after;
    }
    return take_away(changed) && all;
  }

  /// What a router made and wants no more.
  bool take_away(const RouteObjects& changed) {
    bool all = true;
    for (const auto& [key, object] : live_.routes) {
      if (changed.contains(key) || !routes_.contains(key)) continue;
      if (routes_.at(key) != object) {
        all = false;
        continue;
      }
      out_.actions.emplace_back(RewriteRoutes{key, object, Json()});
      routes_.erase(key);
    }
    return all;
  }

  void wait(std::string for_what) {
    if (out_.waiting.empty()) out_.waiting = std::move(for_what);
  }

  const Rollout& desired_;
  const Observed& live_;
  const Target& target_;
  Traffic traffic_;
  RouteObjects routes_;  ///< as they are after the actions so far
  RouteDifference out_;
  int current_ = 0;  ///< the canary's live share
  int weight_ = 0;   ///< the share that the routes may have by now
  bool rewritten_ = false;
};

std::vector<ExperimentShare> experiment_shares(const Target& target) {
  std::vector<ExperimentShare> out;
  for (const ExperimentPods& pods : target.experiment)
    if (pods.weight > 0) out.push_back({pods.service, pods.hash, pods.weight});
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.service < b.service; });
  return out;
}

}  // namespace

Traffic traffic_of(const Target& target) {
  return {.stable = {target.roles.stable, target.stable_service},
          .canary = {target.roles.canary, target.canary_service},
          .weight = target.weight,
          .managed = target.managed,
          .rejected = target.rejected,
          .experiments = experiment_shares(target),
          .whole = target.whole};
}

Result<RouteDifference> diff_routes(const Rollout& desired, const Observed& live, const Target& target) {
  return RouteComparison(desired, live, target).run();
}

}  // namespace reconciler
