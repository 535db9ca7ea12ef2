#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/object_key.h"
#include "ports.h"

namespace reconciler {

/// How objects of a kind are kept.
enum class Keep {
  Summary,  ///< as far as rollouts look at them
  Whole,    ///< all but status and managedFields
};

/// A kind that is followed by a watch. ReplicaSets, pods and Rollout objects are kept as summaries; those that somebody
/// keeps in Git are another watch, and kept whole.
struct WatchedKind {
  std::string group;
  std::string kind;
  Keep keep = Keep::Whole;
  auto operator<=>(const WatchedKind&) const = default;
};

inline const WatchedKind kReplicaSets{.group = "apps", .kind = "ReplicaSet", .keep = Keep::Summary};
inline const WatchedKind kPods{.group = "", .kind = "Pod", .keep = Keep::Summary};
inline const WatchedKind kServices{.group = "", .kind = "Service"};
inline const WatchedKind kVirtualServices{.group = "networking.istio.io", .kind = "VirtualService"};
inline const WatchedKind kDestinationRules{.group = "networking.istio.io", .kind = "DestinationRule"};
inline const WatchedKind kRollouts{.group = "argoproj.io", .kind = "Rollout", .keep = Keep::Summary};
inline const WatchedKind kDefinitions{.group = "apiextensions.k8s.io", .kind = "CustomResourceDefinition"};

struct KubernetesWrite;
/// The kind that a deletion is about.
WatchedKind deleted_kind(const KubernetesWrite& write);

ObjectKey key_for(const WatchedKind& kind, const std::string& ns, const std::string& name);

/// Which objects of a kind a watch asks for.
enum class Selection {
  All,
  Hashed,  ///< those of some revision: what rollouts are made of
  Ours,    ///< what Serin applied, but not what its rollouts made
};

/// As `labelSelector` says it to the API server; empty: all.
std::string label_selector(Selection selection, std::string_view owner);

bool is_selected(Selection selection, std::string_view owner, const Json& object);

Selection selection_of(Follow follow);

}  // namespace reconciler
