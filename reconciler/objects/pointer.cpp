#include "objects/pointer.h"

#include <algorithm>
#include <charconv>

namespace reconciler {
namespace {

/// `~1` is a slash, `~0` a tilde; nothing for any other tilde.
std::optional<std::string> unescaped(std::string_view step) {
  std::string out;
  for (size_t i = 0; i < step.size(); ++i) {
    if (step[i] != '~') {
      out += step[i];
      continue;
    }
    if (++i == step.size() || (step[i] != '0' && step[i] != '1')) return std::nullopt;
    out += step[i] == '0' ? '~' : '/';
  }
  return out;
}

std::optional<size_t> place_of(const std::string& step, const Json& list) {
  size_t place = 0;
  auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), place);
  if (error != std::errc() || end != step.data() + step.size() || place >= list.size()) return std::nullopt;
  return place;
}

/// The part of `parent` that a step names; null pointer when there is none.
template <class Document>
Document* child_of(Document& parent, const std::string& step) {
  if (parent.is_object()) {
    auto member = parent.find(step);
    return member == parent.end() ? nullptr : &*member;
  }
  if (!parent.is_array()) return nullptr;
  auto place = place_of(step, parent);
  return place ? &parent[*place] : nullptr;
}

}  // namespace

std::optional<Pointer> parse_pointer(std::string_view text) {
  if (text.size() < 2 || text.front() != '/') return std::nullopt;
  Pointer steps;
  for (size_t begin = 1; begin <= text.size();) {
    const size_t end = std::min(text.find('/', begin), text.size());
    auto step = unescaped(text.substr(begin, end - begin));
    if (!step) return std::nullopt;
    steps.push_back(*step);
    begin = end + 1;
  }
  return steps;
}

std::string to_text(const Pointer& pointer) {
  std::string out;
  for (const std::string& step : pointer) {
    out += '/';
    for (char c : step) out += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  }
  return out;
}

const Json* value_at(const Json& document, const Pointer& pointer) {
  const Json* at = &document;
  for (const std::string& step : pointer)
    if (!(at = child_of(*at, step))) return nullptr;
  return at;
}

Json with_value(Json document, const Pointer& pointer, Json value) {
  Json* at = &document;
  for (const std::string& step : pointer) {
    if (at->is_null()) *at = Json::object();
    if (at->is_object()) {
      at = &(*at)[step];
    } else if (!(at = child_of(*at, step))) {
      return document;
    }
  }
  *at = std::move(value);
  return document;
}

Json without_value(Json document, const Pointer& pointer) {
  Json* parent = &document;
  for (size_t i = 0; i + 1 < pointer.size(); ++i)
    if (!(parent = child_of(*parent, pointer[i]))) return document;
  if (pointer.empty()) return document;
  if (parent->is_object()) {
    parent->erase(pointer.back());
  } else if (parent->is_array()) {
    if (auto place = place_of(pointer.back(), *parent)) parent->erase(*place);
  }
  return document;
}

}  // namespace reconciler
