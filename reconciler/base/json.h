#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

// Compiled once, in json.cpp: every file that handles JSON would otherwise compile it again.
extern template class nlohmann::basic_json<>;

namespace reconciler {

/// A JSON document: a value, with members in bytewise order.
using Json = nlohmann::json;

/// The member at the end of `path` through objects; null pointer when any part is absent or not an object.
const Json* find(const Json& document, std::initializer_list<std::string_view> path);

/// The text at `path`, or `otherwise` when it is absent or not a string.
std::string text_at(const Json& document, std::initializer_list<std::string_view> path,
                    std::string_view otherwise = "");

/// The integer at `path`; nothing when it is absent or not an integer that fits.
std::optional<int64_t> integer_at(const Json& document, std::initializer_list<std::string_view> path);

/// The boolean at `path`, or `otherwise` when it is absent or not a boolean.
bool flag_at(const Json& document, std::initializer_list<std::string_view> path, bool otherwise = false);

/// JSON text as a document; `Invalid` with line and column when it is none, or deeper than `depth_max`.
Result<Json> parse_json(std::string_view text, int depth_max = 128);

/// Compact text; invalid UTF-8 is replaced, so it never fails.
std::string dump(const Json& document);

}  // namespace reconciler
