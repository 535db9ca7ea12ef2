// Traefik: the weights of a TraefikService's weighted services.
#include "base/format.h"
#include "rollout/routers.h"
#include "rollout/weighted_list.h"

namespace reconciler {
namespace {

constexpr WeightedListForm kWeightedServices{.name_field = "name", .absent_weight = 1};

ObjectKey traefik_service_key(const TraefikRouting& traefik, const Rollout& rollout) {
  return {"traefik.io", "TraefikService", rollout.key.ns, traefik.service};
}

std::string traefik_place(const ObjectKey& key) { return format("TraefikService {}/{}", key.ns, key.name); }

/// `Invalid` when the TraefikService is not a weighted one.
Result<Json> weighted_services(const ObjectKey& key, const Json& object) {
  const Json* services = find(object, {"spec", "weighted", "services"});
  if (!services || !services->is_array()) return invalid(traefik_place(key) + " has no spec.weighted.services");
  return *services;
}

}  // namespace

std::vector<RouteObject> objects_of(const TraefikRouting& traefik, const Rollout& rollout) {
  return {{traefik_service_key(traefik, rollout), RouteUse::Weights}};
}

Result<RouteObjects> write_weights(const TraefikRouting& traefik, const Rollout& rollout, RouteObjects objects,
                                   const Traffic& traffic) {
  auto object = objects.find(traefik_service_key(traefik, rollout));
  if (object == objects.end()) return objects;
  auto services = weighted_services(object->first, object->second);
  if (!services) return services.error();
  auto written = with_split(*std::move(services), kWeightedServices, rollout, traffic, traefik_place(object->first));
  if (!written) return written.error();
  object->second["spec"]["weighted"]["services"] = *std::move(written);
  return objects;
}

Result<std::vector<Split>> read_splits(const TraefikRouting& traefik, const Rollout& rollout,
                                       const RouteObjects& objects, const Traffic& sides) {
  auto object = objects.find(traefik_service_key(traefik, rollout));
  if (object == objects.end()) return std::vector<Split>{};
  auto services = weighted_services(object->first, object->second);
  if (!services) return services.error();
  auto split = split_of(*services, kWeightedServices, sides, traefik_place(object->first));
  if (!split) return split.error();
  return std::vector<Split>{*split};
}

}  // namespace reconciler
