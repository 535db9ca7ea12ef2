#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reconciler {

/// The bytes of standard base64, line breaks allowed; nothing when it is not that.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace reconciler
