#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest/field.h"

namespace reconciler {

/// The texts of a list, none empty, none twice; `what` they are, for messages.
std::vector<std::string> read_names(const Field& list, std::string_view what);

/// The name of an object in the cluster; empty when the field is absent or no such name.
std::string read_object_name(const Field& name);

/// A list of those, none twice.
std::vector<std::string> read_object_names(const Field& list);

}  // namespace reconciler
