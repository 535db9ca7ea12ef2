#include "cluster/watched_kind.h"

#include "base/check.h"

namespace reconciler {

std::optional<WatchedKind> watched_kind(std::string_view api_version, std::string_view kind) {
  if (api_version == "apps/v1" && kind == "ReplicaSet") return WatchedKind::ReplicaSet;
  if (api_version == "v1" && kind == "Pod") return WatchedKind::Pod;
  if (api_version == "v1" && kind == "Service") return WatchedKind::Service;
  if (api_version.starts_with("networking.istio.io/") && kind == "VirtualService") return WatchedKind::VirtualService;
  if (api_version.starts_with("argoproj.io/") && kind == "Rollout") return WatchedKind::Rollout;
  return std::nullopt;
}

ObjectKey key_for(WatchedKind kind, const std::string& ns, const std::string& name) {
  switch (kind) {
    case WatchedKind::ReplicaSet: return {.group = "apps", .kind = "ReplicaSet", .ns = ns, .name = name};
    case WatchedKind::Pod: return {.group = "", .kind = "Pod", .ns = ns, .name = name};
    case WatchedKind::Service: return {.group = "", .kind = "Service", .ns = ns, .name = name};
    case WatchedKind::VirtualService:
      return {.group = "networking.istio.io", .kind = "VirtualService", .ns = ns, .name = name};
    case WatchedKind::Rollout: return {.group = "argoproj.io", .kind = "Rollout", .ns = ns, .name = name};
  }
  unreachable();
}

}  // namespace reconciler
