#pragma once

#include <string_view>
#include <vector>

#include "manifest/field.h"

namespace reconciler {

/// Goes through the fields of a Rollout as the whole Rollout API knows them: unknown ones are refused with the name
/// that was meant, and so is, by name, each feature that is not carried out yet. The pod template is left out.
void check_rollout_fields(const Field& manifest);

/// The same of what every object of that API has: its own members and those of its metadata.
void check_object_fields(const Field& manifest);

}  // namespace reconciler
