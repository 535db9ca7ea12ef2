#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace reconciler {

/// Writes the file as a whole or not at all, readable by its owner only.
Result<void> write_private_file(const std::string& path, std::string_view content);

}  // namespace reconciler
