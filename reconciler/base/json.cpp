#include "base/json.h"

#include <algorithm>

#include "base/format.h"

template class nlohmann::basic_json<>;

namespace reconciler {
namespace {

/// How deep objects and lists stand in each other; of what is no JSON, at least as deep as a parser may get into it.
int depth_of(std::string_view text) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

}  // namespace

const Json* find(const Json& document, std::initializer_list<std::string_view> path) {
  const Json* at = &document;
  for (std::string_view name : path) {
    if (!at->is_object()) return nullptr;
    auto member = at->find(name);
    if (member == at->end()) return nullptr;
    at = &*member;
  }
  return at;
}

std::string text_at(const Json& document, std::initializer_list<std::string_view> path, std::string_view otherwise) {
  const Json* value = find(document, path);
  return value && value->is_string() ? value->get<std::string>() : std::string(otherwise);
}

std::optional<int64_t> integer_at(const Json& document, std::initializer_list<std::string_view> path) {
  const Json* value = find(document, path);
  if (!value || !value->is_number_integer()) return std::nullopt;
  if (value->is_number_unsigned() && value->get<uint64_t>() > uint64_t(INT64_MAX)) return std::nullopt;
  return value->get<int64_t>();
}

bool flag_at(const Json& document, std::initializer_list<std::string_view> path, bool otherwise) {
  const Json* value = find(document, path);
  return value && value->is_boolean() ? value->get<bool>() : otherwise;
}

Result<Json> parse_json(std::string_view text, int depth_max) {
  // Writing a deeper document back would overflow the stack. To count beforehand costs a tenth of having the parser
  // ask at every value.
  if (depth_of(text) > depth_max) return invalid(format("JSON is nested deeper than {} levels", depth_max));
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {
    std::string_view what = e.what();
    if (auto at = what.find("] "); at != what.npos) what.remove_prefix(at + 2);
    return invalid(format("not JSON: {}", what));
  }
}

std::string dump(const Json& document) { return document.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace reconciler
