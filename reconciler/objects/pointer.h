#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace reconciler {

/// A JSON pointer (RFC 6901) as its steps; each names a member, or an item by its place.
using Pointer = std::vector<std::string>;

/// `/spec/template/metadata/annotations/example.com~1x`; nothing when it is no pointer, or the whole document.
std::optional<Pointer> parse_pointer(std::string_view text);
std::string to_text(const Pointer& pointer);

/// What stands there; null pointer when nothing does.
const Json* value_at(const Json& document, const Pointer& pointer);

/// `document` with `value` there. Objects on the way are made; an item of a list must exist.
Json with_value(Json document, const Pointer& pointer, Json value);

/// `document` without what stands there.
Json without_value(Json document, const Pointer& pointer);

}  // namespace reconciler
