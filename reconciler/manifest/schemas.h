#pragma once

#include <string_view>

namespace reconciler {

/// The texts of manifests-schema/, compiled in so that checking needs no file beside the program.
std::string_view policy_schema();
std::string_view experiment_schema();
std::string_view rollout_schema();
std::string_view rolloutstatus_schema();
std::string_view rolloutdecision_schema();

}  // namespace reconciler
