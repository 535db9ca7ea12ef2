#include "rollout/removal.h"

#include <algorithm>

#include "rollout/routing_istio.h"

namespace reconciler {
namespace {

bool is_selected(const Workload& workload, const Observed& live) {
  return std::any_of(live.services.begin(), live.services.end(),
                     [&](const auto& service) { return service.second.hash == workload.hash; });
}

}  // namespace

std::vector<Action> release_actions(const Observed& live) {
  std::vector<Action> out;
  for (const auto& [name, service] : live.former_services)
    out.emplace_back(ReleaseService{.service = name, .from = service.hash});
  for (const auto& [key, rule] : live.former_rules) out.emplace_back(RewriteRoutes{key, rule, released_rule(rule)});
  return out;
}

std::vector<Action> removal_actions(const Observed& live, const std::set<std::string>& staying) {
  std::vector<Action> first, services, last;
  for (const Workload& workload : live.workloads) {
    if (!workload.owned) continue;
    auto& place = is_selected(workload, live) ? last : first;
    place.emplace_back(DeleteReplicaSet{.name = workload.name, .uid = workload.uid});
  }
  for (const Workload& workload : live.experiments)
    first.emplace_back(DeleteReplicaSet{.name = workload.name, .uid = workload.uid});
  for (const auto& [name, service] : live.services)
    if (staying.contains(name) && !service.hash.empty())
      services.emplace_back(ReleaseService{.service = name, .from = service.hash});
  for (Action& action : release_actions(live)) services.push_back(std::move(action));
  first.insert(first.end(), services.begin(), services.end());
  first.insert(first.end(), last.begin(), last.end());
  return first;
}

std::string serving_through(const Observed& live, const std::set<std::string>& staying) {
  for (const auto& [name, service] : live.services) {
    if (!staying.contains(name)) continue;
    for (const Workload& workload : live.workloads)
      if (workload.owned && workload.replicas > 0 && (service.hash.empty() || service.hash == workload.hash))
        return name;
  }
  return "";
}

}  // namespace reconciler
