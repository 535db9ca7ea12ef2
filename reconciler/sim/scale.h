// The scale subresource: one number to set, one to read, and which pods it is about.
#pragma once

#include "base/json.h"
#include "sim/resource_type.h"

namespace reconciler {

/// The Scale of an object, read where its kind keeps the numbers.
Json scale_of(const Json& object, const ResourceType& type);

/// `object` with the count that `scale` asks for.
Json with_scale(Json object, int64_t replicas, const ResourceType& type);

}  // namespace reconciler
