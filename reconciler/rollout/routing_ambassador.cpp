// Ambassador: beside each Mapping a canary Mapping of ours, a copy that leads to the canary Service with a weight.
#include <algorithm>

#include "base/format.h"
#include "rollout/action.h"
#include "rollout/routers.h"

namespace reconciler {
namespace {

constexpr size_t kMappingNameMax = 246;

ObjectKey mapping_key(const Rollout& rollout, const std::string& name) {
  return {"getambassador.io", "Mapping", rollout.key.ns, name};
}

ObjectKey canary_mapping_key(const Rollout& rollout, const std::string& name) {
  return mapping_key(rollout, name.substr(0, kMappingNameMax) + "-canary");
}

/// The canary Service, with the port that the Mapping's own service has.
std::string canary_mapping_service(const Json& mapping, const Traffic& sides) {
  const std::string service = text_at(mapping, {"spec", "service"});
  const size_t colon = service.rfind(':');
  const std::string port = colon == service.npos ? "" : service.substr(colon + 1);
  const bool is_number =
      !port.empty() && std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? sides.canary.service + ":" + port : sides.canary.service;
}

Result<void> check_mapping(const ObjectKey& key, const Json& mapping) {
  if (integer_at(mapping, {"spec", "weight"}).value_or(0) == 0) return {};
  return invalid(format("Mapping {}/{} must not have a weight", key.ns, key.name));
}

}  // namespace

std::vector<RouteObject> objects_of(const AmbassadorRouting& ambassador, const Rollout& rollout) {
  std::vector<RouteObject> out;
  for (const std::string& name : ambassador.mappings) {
    out.push_back({mapping_key(rollout, name), RouteUse::Copied});
    out.push_back({canary_mapping_key(rollout, name), RouteUse::Made});
  }
  return out;
}

Result<RouteObjects> write_weights(const AmbassadorRouting& ambassador, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic) {
  for (const std::string& name : ambassador.mappings) {
    auto mapping = objects.find(mapping_key(rollout, name));
    if (mapping == objects.end()) continue;
    if (auto fits = check_mapping(mapping->first, mapping->second); !fits) return fits.error();
    const ObjectKey key = canary_mapping_key(rollout, name);
    auto live = objects.find(key);
    if (live == objects.end() && traffic.weight == 0) continue;
    Json canary = live != objects.end() ? live->second
                                        : Json{{"apiVersion", text_at(mapping->second, {"apiVersion"})},
                                               {"kind", "Mapping"},
                                               {"metadata", {{"name", key.name}, {"namespace", key.ns}}}};
    canary["metadata"]["labels"][std::string(kRolloutLabel)] = rollout.key.name;
    canary["spec"] = mapping->second.value("spec", Json::object());
    canary["spec"]["service"] = canary_mapping_service(mapping->second, traffic);
    // In percent, whatever the manifest's weights are parts of.
    canary["spec"]["weight"] = rescaled(traffic.weight, traffic.whole, kWholeWeight);
    objects[key] = std::move(canary);
  }
  return objects;
}

Result<std::vector<Split>> read_splits(const AmbassadorRouting& ambassador, const Rollout& rollout,
                                       const RouteObjects& objects, const Traffic&) {
  std::vector<Split> out;
  for (const std::string& name : ambassador.mappings) {
    auto canary = objects.find(canary_mapping_key(rollout, name));
    const Json* spec = canary == objects.end() ? nullptr : find(canary->second, {"spec"});
    const int64_t weight = spec ? std::min<int64_t>(100, reckoned_weight(integer_at(*spec, {"weight"}))) : 0;
    out.push_back({100 - weight, weight, 0});
  }
  return out;
}

}  // namespace reconciler
