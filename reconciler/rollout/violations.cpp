// The invariants of design.md 8 that one plan can break, judged from the plan itself and not from how it was made.
#include <algorithm>
#include <map>

#include "base/format.h"
#include "rollout/experiment_diff.h"
#include "rollout/plan.h"
#include "rollout/replica_counts.h"
#include "rollout/route_diff.h"
#include "rollout/standalone_experiment.h"
#include "rollout/target.h"

namespace reconciler {
namespace {

struct Plan {
  const Rollout& desired;
  const Observed& live;
  const Decision& decision;
};

/// What each Service selects once the actions before `until` are carried out.
std::string selected_by(const Observed& live, const Decision& decision, const std::string& service,
                        const Action* until) {
  auto state = live.services.find(service);
  std::string hash = state == live.services.end() ? "" : state->second.hash;
  for (const Action& action : decision.actions) {
    if (&action == until) break;
    if (auto select = std::get_if<SelectRevision>(&action); select && select->service == service) hash = select->hash;
  }
  return hash;
}

void carry_out(const RewriteRoutes& rewrite, RouteObjects& routes) {
  if (rewrite.after.is_null())
    routes.erase(rewrite.object);
  else
    routes[rewrite.object] = rewrite.after;
}

/// The routes once the actions before `until` are carried out.
RouteObjects routes_before(const Observed& live, const Decision& decision, const Action* until) {
  RouteObjects out = live.routes;
  for (const Action& action : decision.actions) {
    if (&action == until) break;
    if (auto rewrite = std::get_if<RewriteRoutes>(&action)) carry_out(*rewrite, out);
  }
  return out;
}

/// The revision that traffic to this side reaches at that moment.
std::string receiver_of(const Plan& plan, const Action* until, const std::string& service,
                        std::string SubsetRevisions::*subset) {
  if (auto subsets = subset_revisions(plan.desired, routes_before(plan.live, plan.decision, until)))
    return (*subsets).*subset;
  return selected_by(plan.live, plan.decision, service, until);
}

/// Subsets that name other pods move traffic as much as weights do.
void check_subsets(const Plan& plan, const RouteObjects& before, const RouteObjects& after, int weight,
                   std::vector<std::string>& out) {
  const auto& [desired, live, decision] = plan;
  const auto was = subset_revisions(desired, before), is = subset_revisions(desired, after);
  if (!is || is == was || desired.replicas == 0) return;
  if (weight < desired.whole() && !is->stable.empty() && live.available(is->stable) == 0)
    out.push_back("the stable subset would name a revision without pods");
  if (weight > 0 && live.available(is->canary) < pods_to_carry(desired, decision.status, weight))
    out.push_back("the canary's subset would name a revision without enough available pods");
  if (weight > 0 && is_rejected(decision.status, is->canary)) out.push_back("a rejected revision would get traffic");
}

/// More traffic goes only to an experiment that answers.
void check_experiments(const Plan& plan, const RouteObjects& before, const RouteObjects& after,
                       std::vector<std::string>& out) {
  const auto& [desired, live, decision] = plan;
  const Target wanted = target(desired, decision.status);
  auto was = experiment_weights(desired, before, traffic_of(wanted));
  const auto is = experiment_weights(desired, after, traffic_of(wanted));
  if (!was || !is) return;
  for (const auto& [name, weight] : *is) {
    if (weight <= (*was)[name]) continue;
    const bool answers = std::any_of(wanted.experiment.begin(), wanted.experiment.end(), [&](auto& pods) {
      return pods.service == name && weight <= pods.weight && can_answer(pods, live);
    });
    if (!answers) out.push_back(format("traffic would go to {}, which is no experiment that answers", name));
  }
}

void check_routes(const Plan& plan, const Action& action, std::vector<std::string>& out) {
  const auto& [desired, live, decision] = plan;
  const auto& rewrite = std::get<RewriteRoutes>(action);
  const RouteObjects before = routes_before(live, decision, &action);
  RouteObjects after = before;
  carry_out(rewrite, after);
  const Traffic sides = traffic_of(target(desired, decision.status));
  auto weight_before = canary_weight(desired, before, sides), weight_after = canary_weight(desired, after, sides);
  auto all = splits(desired, after, sides);
  auto is_whole = [&](const Split& split) { return whole_of(desired, split) == sides.whole; };
  if (!weight_before || !weight_after || !all || !std::all_of(all->begin(), all->end(), is_whole)) {
    // Of several objects one is put right after the other.
    const auto was = splits(desired, before, sides);
    if (!all || !was ||
        std::count_if(all->begin(), all->end(), is_whole) <= std::count_if(was->begin(), was->end(), is_whole)) {
      out.push_back(format("weights of a route would not sum to {}", sides.whole));
      return;
    }
  }
  if (!weight_before || !weight_after) return;
  check_subsets(plan, before, after, *weight_after, out);
  check_experiments(plan, before, after, out);
  std::string stable = receiver_of(plan, &action, sides.stable.service, &SubsetRevisions::stable);
  std::string canary = receiver_of(plan, &action, sides.canary.service, &SubsetRevisions::canary);
  if (*weight_after < *weight_before && desired.replicas > 0 && !stable.empty() && live.available(stable) == 0)
    out.push_back("traffic would return to a revision without pods");
  const bool new_route = has_managed_route(desired, after) && !has_managed_route(desired, before);
  if (new_route && live.available(canary) == 0) out.push_back("a route would lead to a canary without pods");
  if (*weight_after <= *weight_before && !new_route) return;
  if (*weight_after > sides.weight && *weight_after > *weight_before)
    out.push_back("the canary would get more traffic than its step allows");
  if (!decision.status.canary || canary != decision.status.canary->hash)
    out.push_back("traffic would go to a canary side that leads to something else");
  if (live.available(canary) < pods_to_carry(desired, decision.status, *weight_after))
    out.push_back("traffic would reach a canary without enough available pods");
  if (is_rejected(decision.status, canary)) out.push_back("a rejected revision would get traffic");
}

/// Blue-green: all traffic goes where the active Service is switched to.
void check_switch(const Rollout& desired, const Observed& live, const Decision& decision, const Action& action,
                  std::vector<std::string>& out) {
  const auto& select = std::get<SelectRevision>(action);
  if (select.service != desired.stable_service) return;
  const Status& status = decision.status;
  const auto& main = status.stable ? status.stable : status.canary;
  if (!main || select.hash != main->hash) out.push_back("the active Service would select a version that is not stable");
  if (desired.replicas > 0 && live.available(select.hash) == 0)
    out.push_back("the active Service would select a version without available pods");
  if (is_rejected(status, select.hash)) out.push_back("a rejected revision would get traffic");
}

/// Blue-green: the version that the active Service selects keeps its pods, and so does what is shown as a preview.
void check_kept(const Rollout& desired, const Observed& live, const Decision& decision, const Workload& w, int replicas,
                std::vector<std::string>& out) {
  if (selected_by(live, decision, desired.stable_service, nullptr) == w.hash && replicas < desired.replicas)
    out.push_back("the active version would lose pods");
  if (replicas == 0 && desired.replicas > 0 && live.services.contains(desired.canary_service) &&
      live.services.at(desired.canary_service).hash == w.hash)
    out.push_back("a Service would select a version without pods");
}

/// Pods of an experiment go after its traffic.
void check_experiment_pods(const Plan& plan, const Action& action, const Workload& w, int replicas,
                           std::vector<std::string>& out) {
  const auto& [desired, live, decision] = plan;
  const Traffic sides = traffic_of(target(desired, decision.status));
  const auto weights = experiment_weights(desired, routes_before(live, decision, &action), sides);
  if (replicas < w.replicas && weights && !w.service.empty() && weights->contains(w.service))
    out.push_back(format("{} would lose pods while it has traffic", w.name));
}

const Workload* named(const std::vector<Workload>& workloads, const std::string& name) {
  auto w = std::find_if(workloads.begin(), workloads.end(), [&](const Workload& x) { return x.name == name; });
  return w == workloads.end() ? nullptr : &*w;
}

/// Pods that still answer for a Service may not go.
void check_scale(const Plan& plan, const Action& action, std::vector<std::string>& out) {
  const auto& [desired, live, decision] = plan;
  const auto& scale = std::get<ScaleReplicaSet>(action);
  if (const Workload* w = named(live.experiments, scale.name))
    return check_experiment_pods(plan, action, *w, scale.replicas, out);
  const Workload* w = named(live.workloads, scale.name);
  if (!w || scale.replicas >= w->replicas) return;
  if (!w->owned) out.push_back(format("{} is not ours to scale down", w->name));
  if (desired.blue_green) return check_kept(desired, live, decision, *w, scale.replicas, out);
  if (!desired.is_routed()) return;
  const Traffic sides = traffic_of(target(desired, decision.status));
  auto weight = canary_weight(desired, live.routes, sides);
  const int canary_share = weight ? *weight : desired.whole();
  if (receiver_of(plan, nullptr, sides.stable.service, &SubsetRevisions::stable) == w->hash &&
      scale.replicas < share_of(desired.replicas, desired.whole() - canary_share, desired.whole()))
    out.push_back("stable would lose capacity for the traffic it holds");
  if (receiver_of(plan, nullptr, sides.canary.service, &SubsetRevisions::canary) == w->hash && canary_share > 0 &&
      scale.replicas < pods_to_carry(desired, decision.status, canary_share))
    out.push_back("the canary would lose capacity for the traffic it holds");
}

/// Without routing: never more pods in total, nor fewer available ones, than maxSurge and maxUnavailable allow; what is
/// outside already may not get worse.
void check_limits(const Rollout& desired, const Observed& live, const Decision& decision,
                  std::vector<std::string>& out) {
  std::map<std::string, int> asked;
  for (const Workload& w : live.workloads)
    if (w.owned) asked[w.name] = w.replicas;
  for (const Action& action : decision.actions) {
    // Pods of experiments are not pods of the rollout.
    if (auto scale = std::get_if<ScaleReplicaSet>(&action); scale && !named(live.experiments, scale->name))
      asked[scale->name] = scale->replicas;
    if (auto create = std::get_if<CreateReplicaSet>(&action))
      asked[create->name] = int(integer_at(create->object, {"spec", "replicas"}).value_or(0));
  }
  int total_before = 0, total = 0, there_before = 0, there = 0;
  for (const auto& [name, replicas] : asked) total += replicas;
  for (const Workload& w : live.workloads) {
    if (!asked.contains(w.name)) continue;
    total_before += w.replicas;
    there_before += std::min(w.available, w.replicas);
    there += std::min(w.available, asked.at(w.name));
  }
  const Fenceposts limits = fenceposts(desired.replicas, desired.max_surge, desired.max_unavailable);
  if (total > limits.most && total > total_before) out.push_back("there would be more pods than maxSurge allows");
  if (there < limits.least && there < there_before)
    out.push_back("there would be fewer available pods than maxUnavailable allows");
}

/// An Experiment by itself has pods only while it runs.
void check_standalone(const Plan& plan, const Action& action, std::vector<std::string>& out) {
  const auto& [desired, live, decision] = plan;
  if (is_running(desired, decision.status)) return;
  const auto* scale = std::get_if<ScaleReplicaSet>(&action);
  const Workload* w = scale ? named(live.experiments, scale->name) : nullptr;
  if (std::holds_alternative<CreateExperimentPods>(action) || (w && scale->replicas > w->replicas))
    out.push_back("pods would come for an experiment that does not run");
}

void check_delete(const Observed& live, const Action& action, std::vector<std::string>& out) {
  const auto& remove = std::get<DeleteReplicaSet>(action);
  const Workload* w = named(live.workloads, remove.name);
  if (!w) w = named(live.experiments, remove.name);
  if (!w || !w->owned || w->uid != remove.uid) {
    out.push_back(format("{} is not ours to delete", remove.name));
  } else if (w->replicas > 0 || w->current > 0) {
    out.push_back(format("{} still has pods", remove.name));
  }
}

}  // namespace

std::vector<std::string> violations(const Rollout& desired, const Observed& live, const Decision& decision) {
  std::vector<std::string> out;
  const Status& status = decision.status;
  if (status.weight < 0 || status.weight > status.whole)
    out.push_back(format("the weight is outside 0-{}", status.whole));
  if (status.weight > 0 && !status.canary) out.push_back("there is a weight without a canary");
  if (status.weight > 0 && !status.returning.empty()) out.push_back("a returning canary keeps its traffic");
  if (status.canary && status.weight > 0 && is_rejected(status, status.canary->hash))
    out.push_back("a rejected revision would get traffic");
  if (status.stable && is_rejected(status, status.stable->hash))
    out.push_back("a rejected revision would become stable");
  if (!desired.is_routed() && !desired.blue_green) check_limits(desired, live, decision, out);
  for (const Action& action : decision.actions) {
    if (desired.standalone) check_standalone({desired, live, decision}, action, out);
    if (std::holds_alternative<RewriteRoutes>(action)) check_routes({desired, live, decision}, action, out);
    if (std::holds_alternative<ScaleReplicaSet>(action)) check_scale({desired, live, decision}, action, out);
    if (desired.blue_green && std::holds_alternative<SelectRevision>(action))
      check_switch(desired, live, decision, action, out);
    if (std::holds_alternative<DeleteReplicaSet>(action)) check_delete(live, action, out);
  }
  return out;
}

}  // namespace reconciler
