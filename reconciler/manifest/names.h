#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"

namespace reconciler {

/// Why `name` cannot name an object of this group; nothing when it can.
std::optional<std::string> name_trouble(std::string_view group, std::string_view name);

/// Why `text` is no DNS label (at most 63 of a-z, 0-9 and -); nothing when it is one.
std::optional<std::string> label_trouble(std::string_view text);

/// Do objects of this kind live outside namespaces? Kinds that are not known are taken to live inside.
bool is_cluster_scoped(std::string_view group, std::string_view kind);

}  // namespace reconciler
