#pragma once

#include <string>

#include "manifest/field.h"
#include "rollout/traffic_routing.h"

namespace reconciler {

/// Types trafficRouting.istio of a rollout in namespace `ns`.
IstioRouting read_istio(const Field& istio, const std::string& ns);

}  // namespace reconciler
