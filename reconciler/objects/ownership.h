// Whose an object is: what Serin applies carries the label `serin.dev/owner` (design.md 6).
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace reconciler {

/// The owner that a live object names; empty when it names none.
std::string owner_of(const Json& live);

/// Why a daemon called `owner` must leave the live object alone, naming both; empty when it may take it.
std::string claimed_by_another(const Json& live, std::string_view owner);

}  // namespace reconciler
