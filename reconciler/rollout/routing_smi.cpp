// Service Mesh Interface: a TrafficSplit of ours over the two Services.
#include "base/format.h"
#include "rollout/action.h"
#include "rollout/routers.h"

namespace reconciler {
namespace {

ObjectKey split_key(const SmiRouting& smi, const Rollout& rollout) {
  return {"split.smi-spec.io", "TrafficSplit", rollout.key.ns, smi.split};
}

/// v1alpha1 has quantities, which a server may give back as text.
int64_t backend_weight(const Json& backend) {
  if (auto number = integer_at(backend, {"weight"})) return reckoned_weight(number);
  const auto number = parse_json(text_at(backend, {"weight"}));
  return number ? reckoned_weight(integer_at(*number, {})) : 0;
}

Split split_in(const Json& object, const Traffic& sides) {
  Split out;
  const Json* backends = find(object, {"spec", "backends"});
  for (size_t i = 0; backends && backends->is_array() && i < backends->size(); ++i) {
    const std::string service = text_at((*backends)[i], {"service"});
    const int64_t weight = backend_weight((*backends)[i]);
    const bool is_canary = service == sides.canary.service, is_stable = service == sides.stable.service;
    (is_canary ? out.canary : is_stable ? out.stable : out.others) += weight;
    if (!is_canary && !is_stable) out.experiments[service] += weight;  // the object is ours alone
  }
  return out;
}

}  // namespace

std::vector<RouteObject> objects_of(const SmiRouting& smi, const Rollout& rollout) {
  return {{split_key(smi, rollout), RouteUse::Made}};
}

Result<RouteObjects> write_weights(const SmiRouting& smi, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic) {
  const ObjectKey key = split_key(smi, rollout);
  const std::string root = smi.root_service.empty() ? traffic.stable.service : smi.root_service;
  auto live = objects.find(key);
  Json object = live != objects.end() ? live->second
                                      : Json{{"apiVersion", "split.smi-spec.io/v1alpha1"},
                                             {"kind", "TrafficSplit"},
                                             {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
                                             {"spec", Json::object()}};
  Split wanted{traffic.stable_weight(), traffic.weight, 0};
  for (const ExperimentShare& share : traffic.experiments) {
    wanted.others += share.weight;
    wanted.experiments[share.service] = share.weight;
  }
  if (split_in(object, traffic) == wanted && text_at(object, {"spec", "service"}) == root) return objects;
  object["metadata"]["labels"][std::string(kRolloutLabel)] = rollout.key.name;
  object["spec"]["service"] = root;
  Json backends = Json::array({{{"service", traffic.canary.service}, {"weight", traffic.weight}},
                               {{"service", traffic.stable.service}, {"weight", traffic.stable_weight()}}});
  for (const ExperimentShare& share : traffic.experiments)
    backends.push_back({{"service", share.service}, {"weight", share.weight}});
  object["spec"]["backends"] = std::move(backends);
  objects[key] = std::move(object);
  return objects;
}

Result<std::vector<Split>> read_splits(const SmiRouting& smi, const Rollout& rollout, const RouteObjects& objects,
                                       const Traffic& sides) {
  auto live = objects.find(split_key(smi, rollout));
  if (live == objects.end()) return std::vector<Split>{};
  return std::vector<Split>{split_in(live->second, sides)};
}

}  // namespace reconciler
