#include "daemon/route_kinds.h"

#include "rollout/routing.h"

namespace reconciler {

std::string version_of_route(const ObjectKey& key) {
  if (key.kind == "Ingress" || key.kind == "HTTPRoute" || key.kind == "GRPCRoute") return "v1";
  if (key.kind == "TCPRoute" || key.kind == "TLSRoute") return "v1alpha2";  // not in the preferred one
  if (key.kind == "TrafficSplit") return "v1alpha1";                        // as Argo Rollouts writes it
  if (key.kind == "Mapping" || key.kind == "ApisixRoute") return "v2";
  return "";
}

bool is_made_by_routers(const ObjectKey& key) {
  return key.kind == "Ingress" || key.kind == "TrafficSplit" || key.kind == "Mapping" || key.kind == "ApisixRoute";
}

std::set<FollowedKind> route_kinds(const Rollout& rollout) {
  std::set<FollowedKind> out;
  for (const RouteObject& object : route_objects(rollout))
    out.insert({.api_version = object.key.group + "/" + version_of_route(object.key),
                .kind = object.key.kind,
                .which = Follow::All});
  return out;
}

}  // namespace reconciler
