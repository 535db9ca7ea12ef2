// The defaults that the API server fills in, as far as a user sees them: ports' protocol and target, a Service's type,
// a workload's replicas and strategy. Defaults of the pod spec beyond its containers' ports are left out.
#pragma once

#include "base/json.h"
#include "sim/resource_type.h"

namespace reconciler {

void fill_in_defaults(const ResourceType& type, Json& object);

}  // namespace reconciler
