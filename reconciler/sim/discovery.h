// What the API server tells about itself: groups, resources, versions, and as much OpenAPI as kubectl needs.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "sim/resource_type.h"

namespace reconciler {

/// The document at a discovery path (`/api`, `/apis/apps/v1`, `/version`, `/openapi/v3`, ...); nothing when the path is
/// none. `host` is what clients reach the server by.
std::optional<Json> discovery_document(const Catalogue& catalogue, const std::string& path, const std::string& host);

}  // namespace reconciler
