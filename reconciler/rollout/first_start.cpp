#include "rollout/first_start.h"

#include "base/format.h"
#include "rollout/image.h"
#include "rollout/routing.h"
#include "rollout/transition.h"

namespace reconciler {
namespace {

/// The stable revision as the cluster shows it; null when nothing runs. `several` tells that it cannot be known.
const Workload* running(const Rollout& desired, const Observed& live, bool& several) {
  auto service = live.services.find(desired.stable_service);
  if (service != live.services.end() && !service->second.hash.empty()) {
    const Workload* selected = live.workload(service->second.hash);
    if (selected && selected->available > 0) return selected;
  }
  const Workload* only = nullptr;
  for (const Workload& w : live.workloads) {
    if (w.replicas == 0 && w.current == 0) continue;
    several = several || only;
    only = &w;
  }
  return only;
}

std::string several_run(const Rollout& desired) {
  if (desired.stable_service.empty())
    return "several ReplicaSets have pods and none is known to be the stable one; scale the others to 0";
  return format(
      "several ReplicaSets have pods and Service {} selects none of them; scale all but the stable one to 0, "
      "or set its {} selector",
      desired.stable_service, kHashLabel);
}

}  // namespace

Advance first_start(const Rollout& desired, const Observed& live, std::optional<int> collisions, TimePoint now) {
  for (const std::string& name : {desired.stable_service, desired.canary_service})
    if (!name.empty() && !live.services.contains(name))
      return {.held = format("Service {}/{} is missing", desired.key.ns, name)};
  if (std::string missing = missing_route_object(desired, live.routes); !missing.empty()) return {.held = missing};
  bool several = false;
  const Workload* stable = running(desired, live, several);
  if (stable && several) return {.held = several_run(desired)};
  Status status{.collisions = collisions};
  // A revision without a single available pod protects nobody: what Git asks for comes up beside it.
  if (!stable || (stable->available == 0 && stable->hash != desired.hash))
    return deploy_first(desired, status, live, "", now);
  status.stable = Revision{stable->hash, headline_image(stable->images, {}), whole_seconds(now)};
  // In a freeze what runs is taken over first; what Git asks for begins after it.
  if (stable->hash != desired.hash && !desired.freeze) return start(desired, status, live, "", now);
  if (stable->hash == desired.hash && stable->available < desired.replicas)
    return deploy_first(desired, status, live, "", now);
  status.commit = desired.commit;
  status.phase = Phase::Progressing;
  const int count = int(desired.steps.size());
  if (count > 0) status.step = StepPosition{count, count, whole_seconds(now), desired.steps_hash};
  return {.status = status,
          .subject = at_step("adopting " + label_of(*status.stable, std::nullopt), status),
          .why = format("{} runs already", label_of(*status.stable, std::nullopt))};
}

}  // namespace reconciler
