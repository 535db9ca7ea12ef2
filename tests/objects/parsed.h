#pragma once

#include "base/json.h"

namespace reconciler {

/// The document of a test; the program ends when it is none.
inline Json parsed(std::string_view text) { return *parse_json(text); }

}  // namespace reconciler
