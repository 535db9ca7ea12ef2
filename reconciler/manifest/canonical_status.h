// A status file as Serin writes it, read without a YAML parser: histories and cold starts read them by the thousand,
// and next to all of them are still as they were written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rollout/status.h"

namespace reconciler {

/// The status in a file that has exactly the bytes that `write_status` gives it. Nothing for every other text, good or
/// bad: `read_status` then reads it as YAML, or says what is wrong with it.
std::optional<Status> read_canonical_status(const std::string& path, std::string_view text);

}  // namespace reconciler
