#pragma once

#include <string>
#include <string_view>

namespace reconciler {

/// SHA-256 as 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

/// HMAC-SHA256 of `bytes` under `key`, as 64 lower-case hex digits.
std::string hmac_sha256_hex(std::string_view key, std::string_view bytes);

/// Whether two texts are equal, in a time that depends on their lengths only: for everything secret.
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace reconciler
