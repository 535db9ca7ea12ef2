#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reconciler {

/// A Kubernetes quantity in the one spelling the API server writes back: `1000m` is `1`, `0.5` is `500m`, `1024Mi` is
/// `1Gi`. Nothing when `text` is no quantity.
std::optional<std::string> canonical_quantity(std::string_view text);

}  // namespace reconciler
