#pragma once

#include <string>
#include <vector>

namespace reconciler {

/// Columns as wide as they must be, two spaces between them, none at the end of a line. The first row is the heading.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace reconciler
