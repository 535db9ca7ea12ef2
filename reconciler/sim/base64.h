#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reconciler {

std::string base64(std::string_view bytes);
/// Nothing when `text` is not base64.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace reconciler
