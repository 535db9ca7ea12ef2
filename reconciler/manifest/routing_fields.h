#pragma once

#include "manifest/field.h"

namespace reconciler {

/// Goes through the fields of trafficRouting: unknown ones are refused with the name that was meant, and routers that
/// Serin does not speak to by their names.
void check_routing_fields(const Field& routing);

}  // namespace reconciler
