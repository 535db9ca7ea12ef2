#pragma once

#include <string>

#include "sim/resource_type.h"

namespace reconciler {

/// The OpenAPI v2 document in protobuf, as kubectl before 1.27 asks for it: no schemas, so nothing is validated by the
/// client, but each kind's PATCH with its `dryRun` parameter.
std::string openapi_v2_protobuf(const Catalogue& catalogue);

}  // namespace reconciler
