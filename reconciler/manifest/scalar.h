#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace reconciler {

/// The value of a scalar without quotes, by the rules of YAML 1.1 as Kubernetes tools apply them: `yes` is true, `0777`
/// is 511, `1e3` is 1000, a time stays a string. `Invalid` for what JSON cannot hold (infinity, not a number).
Result<Json> resolve_plain(std::string_view text);

/// Would a reader of YAML 1.1 or 1.2 take `text` without quotes for this very string, wherever it stands?
bool is_plain_string(std::string_view text);

}  // namespace reconciler
