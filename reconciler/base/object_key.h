#pragma once

#include <compare>
#include <string>

#include "base/json.h"

namespace reconciler {

/// Names one object of the cluster. `ns` is empty for cluster-scoped kinds.
struct ObjectKey {
  std::string group;
  std::string kind;
  std::string ns;
  std::string name;
  auto operator<=>(const ObjectKey&) const = default;
  /// `Service shop/checkout`, `networking.istio.io/VirtualService shop/checkout`.
  std::string text() const;
};

/// `networking.istio.io` of `networking.istio.io/v1`; empty for `v1`.
std::string group_of(std::string_view api_version);

/// The key of an object that has apiVersion, kind and metadata.name.
ObjectKey key_of(const Json& object);

}  // namespace reconciler
