#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "objects/key.h"

namespace reconciler {

/// The kinds that are followed by watches.
enum class WatchedKind { ReplicaSet, Pod, Service, VirtualService, Rollout };

/// The watched kind of an object with that apiVersion and kind; nothing for all others.
std::optional<WatchedKind> watched_kind(std::string_view api_version, std::string_view kind);

ObjectKey key_for(WatchedKind kind, const std::string& ns, const std::string& name);

}  // namespace reconciler
