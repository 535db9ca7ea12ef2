#include "base/json.h"

#include "base/format.h"

template class nlohmann::basic_json<>;

namespace reconciler {

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
  // The depth is bounded while reading: writing a deeper document back would overflow the stack.
  bool too_deep = false;
  auto bound = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > depth_max;
    return !too_deep;
  };
  try {
    Json document = Json::parse(text, bound);
    if (too_deep) return invalid(format("JSON is nested deeper than {} levels", depth_max));
    return document;
  } catch (const Json::exception& e) {
    std::string_view what = e.what();
    if (auto at = what.find("] "); at != what.npos) what.remove_prefix(at + 2);
    return invalid(format("not JSON: {}", what));
  }
}

std::string dump(const Json& document) { return document.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace reconciler
