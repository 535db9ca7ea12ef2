#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reconciler {

/// `bytes` in standard base64, padded, on one line.
std::string to_base64(std::string_view bytes);

/// The bytes of standard base64, line breaks allowed; nothing when it is not that.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace reconciler
