#include "sim/selector.h"

#include <algorithm>

#include "base/format.h"

namespace reconciler {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// Splits at commas that stand outside parentheses.
std::vector<std::string_view> parts_of(std::string_view text) {
  std::vector<std::string_view> parts;
  size_t from = 0;
  int depth = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i < text.size() && (text[i] != ',' || depth > 0)) continue;
    if (auto part = trimmed(text.substr(from, i - from)); !part.empty()) parts.push_back(part);
    from = i + 1;
  }
  return parts;
}

bool is_label_key(std::string_view key) { return !key.empty() && key.find_first_of(" =!<>(),") == key.npos; }

Result<LabelRequirement> parse_requirement(std::string_view part) {
  auto refused = [&] { return invalid(format("unable to parse requirement: found '{}'", part)); };
  LabelRequirement made;
  if (part.front() == '!' && part.find('=') == part.npos) {
    made.key = trimmed(part.substr(1));
    made.is = LabelRequirement::Is::Absent;
    return is_label_key(made.key) ? Result<LabelRequirement>(made) : refused();
  }
  if (auto open = part.find('('); open != part.npos && part.back() == ')') {
    auto words = trimmed(part.substr(0, open));
    bool in = words.ends_with(" in"), notin = words.ends_with(" notin");
    if (!in && !notin) return refused();
    made.key = trimmed(words.substr(0, words.rfind(' ')));
    made.is = in ? LabelRequirement::Is::In : LabelRequirement::Is::NotIn;
    auto list = part.substr(open + 1, part.size() - open - 2);
    for (size_t from = 0; from <= list.size();) {
      size_t to = std::min(list.find(',', from), list.size());
      made.values.emplace_back(trimmed(list.substr(from, to - from)));
      from = to + 1;
    }
    return is_label_key(made.key) ? Result<LabelRequirement>(made) : refused();
  }
  auto equals = part.find('=');
  if (equals == part.npos) {
    made.key = part;
    return is_label_key(made.key) ? Result<LabelRequirement>(made) : refused();
  }
  bool differs = equals > 0 && part[equals - 1] == '!';
  made.key = trimmed(part.substr(0, differs ? equals - 1 : equals));
  auto value = part.substr(equals + 1);
  if (!value.empty() && value.front() == '=') value.remove_prefix(1);
  made.is = differs ? LabelRequirement::Is::NotIn : LabelRequirement::Is::In;
  made.values.emplace_back(trimmed(value));
  return is_label_key(made.key) ? Result<LabelRequirement>(made) : refused();
}

std::string field_text(const Json& object, std::string_view path) {
  const Json* at = &object;
  while (!path.empty()) {
    size_t dot = std::min(path.find('.'), path.size());
    if (!at->is_object()) return "";
    auto next = at->find(path.substr(0, dot));
    if (next == at->end()) return "";
    at = &*next;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  if (at->is_string()) return at->get<std::string>();
  return at->is_primitive() && !at->is_null() ? dump(*at) : "";
}

}  // namespace

Result<LabelSelector> parse_label_selector(std::string_view text) {
  LabelSelector selector;
  for (auto part : parts_of(text)) {
    auto requirement = parse_requirement(part);
    if (!requirement) return requirement.error();
    selector.push_back(*requirement);
  }
  return selector;
}

LabelSelector label_selector_of_map(const Json& labels) {
  LabelSelector selector;
  if (!labels.is_object()) return selector;
  for (const auto& [key, value] : labels.items())
    if (value.is_string()) selector.push_back({key, LabelRequirement::Is::In, {value.get<std::string>()}});
  return selector;
}

LabelSelector label_selector_of(const Json& selector) {
  const Json* labels = find(selector, {"matchLabels"});
  LabelSelector made = labels ? label_selector_of_map(*labels) : LabelSelector();
  const Json* expressions = find(selector, {"matchExpressions"});
  if (!expressions || !expressions->is_array()) return made;
  for (const Json& each : *expressions) {
    LabelRequirement requirement{.key = text_at(each, {"key"})};
    std::string is = text_at(each, {"operator"});
    requirement.is = is == "In"             ? LabelRequirement::Is::In
                     : is == "NotIn"        ? LabelRequirement::Is::NotIn
                     : is == "DoesNotExist" ? LabelRequirement::Is::Absent
                                            : LabelRequirement::Is::Exists;
    if (const Json* values = find(each, {"values"}); values && values->is_array())
      for (const Json& value : *values)
        if (value.is_string()) requirement.values.push_back(value.get<std::string>());
    made.push_back(requirement);
  }
  return made;
}

bool matches(const LabelSelector& selector, const Json* labels) {
  for (const LabelRequirement& each : selector) {
    const Json* value = labels ? find(*labels, {each.key}) : nullptr;
    bool listed =
        value && value->is_string() &&
        std::find(each.values.begin(), each.values.end(), value->get_ref<const std::string&>()) != each.values.end();
    bool holds = false;
    switch (each.is) {
      case LabelRequirement::Is::In: holds = listed; break;
      case LabelRequirement::Is::NotIn: holds = !listed; break;
      case LabelRequirement::Is::Exists: holds = value; break;
      case LabelRequirement::Is::Absent: holds = !value; break;
    }
    if (!holds) return false;
  }
  return true;
}

bool matches_object(const LabelSelector& selector, const Json& object) {
  return matches(selector, find(object, {"metadata", "labels"}));
}

Result<FieldSelector> parse_field_selector(std::string_view text) {
  FieldSelector selector;
  for (auto part : parts_of(text)) {
    auto equals = part.find('=');
    if (equals == part.npos || equals == 0)
      return invalid(format("invalid selector: '{}'; can't understand '{}'", text, part));
    bool differs = part[equals - 1] == '!';
    auto value = part.substr(equals + 1);
    if (!value.empty() && value.front() == '=') value.remove_prefix(1);
    selector.push_back(
        {std::string(trimmed(part.substr(0, differs ? equals - 1 : equals))), !differs, std::string(trimmed(value))});
  }
  return selector;
}

bool matches_fields(const FieldSelector& selector, const Json& object) {
  return std::all_of(selector.begin(), selector.end(), [&](const FieldRequirement& each) {
    return (field_text(object, each.path) == each.value) == each.equal;
  });
}

}  // namespace reconciler
