#pragma once

#include <optional>
#include <string_view>

namespace reconciler {

/// The offset of the first byte that is not UTF-8, or is a control character that a text file cannot hold.
std::optional<size_t> find_bad_text(std::string_view text);

}  // namespace reconciler
