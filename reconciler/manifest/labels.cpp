#include "manifest/labels.h"

#include <algorithm>

#include "base/format.h"
#include "manifest/names.h"

namespace reconciler {
namespace {

constexpr size_t kPartMax = 63;
constexpr size_t kShownMax = 80;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

/// Letters, digits, `-`, `_` and `.`; letters or digits at both ends.
bool is_label_part(std::string_view text) {
  auto fits = [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= kPartMax && std::all_of(text.begin(), text.end(), fits) &&
         is_alphanumeric(text.front()) && is_alphanumeric(text.back());
}

bool is_key(std::string_view key) {
  const size_t slash = key.find('/');
  if (slash == key.npos) return is_label_part(key);
  return is_label_part(key.substr(slash + 1)) && !name_trouble("", key.substr(0, slash));
}

std::string in_quotes(std::string_view text) { return dump(Json(text.substr(0, kShownMax))); }

/// Annotations may be written with large letters where labels may not.
bool is_annotation_key(std::string_view key) {
  std::string small(key);
  for (char& c : small)
    if (c >= 'A' && c <= 'Z') c = char(c - 'A' + 'a');
  return is_key(small);
}

/// `{key: text}`; with `key_fits` and `value_fits` for their texts.
void check_texts(const Field& map, bool (*key_fits)(std::string_view), bool (*value_fits)(std::string_view)) {
  if (!map.is_map()) return;
  for (const auto& [key, unused] : map.json().items()) {
    if (!key_fits(key)) map.problem(format("{} is no key of a label or annotation", in_quotes(key)));
    const auto value = map[key].text();
    if (value && !value->empty() && !value_fits(*value))
      map[key].problem(format("must be at most 63 of A-Z, a-z, 0-9, -, _ and ., is {}", in_quotes(*value)));
  }
}

void check_expression(const Field& expression) {
  if (!expression.is_map()) return;
  expression.refuse_unknown({"key", "operator", "values"});
  const std::string key = expression["key"].text().value_or("");
  if (key.empty())
    expression.problem("key is required");
  else if (!is_key(key))
    expression["key"].problem(format("{} is no key of a label", in_quotes(key)));
  const auto values = expression["values"].items();
  for (const Field& item : values) {
    const auto text = item.text();
    if (text && !text->empty() && !is_label_part(*text)) item.problem(format("{} is no label value", in_quotes(*text)));
  }
  const std::string op = expression["operator"].text().value_or("");
  const bool compares = op == "In" || op == "NotIn";
  if (!compares && op != "Exists" && op != "DoesNotExist")
    return expression.problem("operator must be In, NotIn, Exists or DoesNotExist");
  if (compares && values.empty()) expression.problem(format("operator {} needs values", op));
  if (!compares && !values.empty()) expression.problem(format("operator {} takes no values", op));
}

bool expression_selects(const Json& expression, const Json& labels) {
  const Json* value = find(labels, {text_at(expression, {"key"})});
  const std::string op = text_at(expression, {"operator"});
  if (op == "Exists" || op == "DoesNotExist") return (op == "Exists") == (value != nullptr);
  const Json* values = find(expression, {"values"});
  const bool listed = value && values && std::find(values->begin(), values->end(), *value) != values->end();
  return listed == (op == "In");
}

}  // namespace

void check_labels(const Field& labels) { check_texts(labels, is_key, is_label_part); }

void check_annotations(const Field& annotations) {
  check_texts(annotations, is_annotation_key, [](std::string_view) { return true; });
}

bool check_selector(const Field& selector) {
  if (!selector.is_map()) return false;
  const size_t before = selector.findings().problems.size();
  selector.refuse_unknown({"matchLabels", "matchExpressions"});
  const Field labels = selector["matchLabels"], expressions = selector["matchExpressions"];
  check_labels(labels);
  if (labels.json().is_object())
    for (const auto& [key, value] : labels.json().items())
      if (value.is_null()) labels.problem(format("{} has no value", key));
  for (const Field& expression : expressions.items()) check_expression(expression);
  if (labels.json().empty() && expressions.json().empty()) selector.problem("must not be empty");
  return selector.findings().problems.size() == before;
}

bool selects(const Json& selector, const Json& labels) {
  if (const Json* wanted = find(selector, {"matchLabels"}))
    for (const auto& [key, value] : wanted->items())
      if (const Json* has = find(labels, {key}); !has || *has != value) return false;
  const Json* expressions = find(selector, {"matchExpressions"});
  return !expressions || std::all_of(expressions->begin(), expressions->end(),
                                     [&](const Json& each) { return expression_selects(each, labels); });
}

}  // namespace reconciler
