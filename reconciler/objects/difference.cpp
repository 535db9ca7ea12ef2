#include "objects/difference.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/digest.h"
#include "base/format.h"

namespace reconciler {
namespace {

constexpr std::string_view kItemKeys[] = {"name", "mountPath", "containerPort", "port", "key", "type"};

/// The text of an item's key; nothing when it has none.
std::optional<std::string> key_text(const Json& item, std::string_view key) {
  auto value = item.find(key);
  if (value == item.end()) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  if (value->is_number_integer()) return value->dump();
  return std::nullopt;
}

/// The items by `key`; nothing when one has no such key or two have the same.
std::optional<std::map<std::string, const Json*>> items_by(const Json& list, std::string_view key) {
  std::map<std::string, const Json*> items;
  for (const Json& item : list) {
    if (!item.is_object()) return std::nullopt;
    std::optional<std::string> text = key_text(item, key);
    if (!text || !items.emplace(*text, &item).second) return std::nullopt;
  }
  return items;
}

void compare(const std::string& path, const Json& before, const Json& after, std::vector<FieldChange>& changes);

void compare_present(const std::string& path, const Json* before, const Json* after,
                     std::vector<FieldChange>& changes) {
  if (before && after) return compare(path, *before, *after, changes);
  changes.push_back({.path = path,
                     .before = before ? std::optional<Json>(*before) : std::nullopt,
                     .after = after ? std::optional<Json>(*after) : std::nullopt});
}

void compare_objects(const std::string& path, const Json& before, const Json& after,
                     std::vector<FieldChange>& changes) {
  std::set<std::string> names;
  for (const auto& [name, value] : before.items()) names.insert(name);
  for (const auto& [name, value] : after.items()) names.insert(name);
  auto member = [](const Json& object, const std::string& name) {
    auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
  };
  for (const std::string& name : names) {
    // A name with dots in it, as of a label, would read as several.
    bool plain = name.find_first_of(".[]") == name.npos;
    std::string inner = plain ? (path.empty() ? name : path + "." + name) : path + "[" + name + "]";
    compare_present(inner, member(before, name), member(after, name), changes);
  }
}

void compare_lists(const std::string& path, const Json& before, const Json& after, std::vector<FieldChange>& changes) {
  for (std::string_view key : kItemKeys) {
    auto left = items_by(before, key);
    auto right = items_by(after, key);
    if (!left || !right) continue;
    size_t known = changes.size();
    std::set<std::string> texts;
    for (const auto& [text, item] : *left) texts.insert(text);
    for (const auto& [text, item] : *right) texts.insert(text);
    auto item = [](const auto& items, const std::string& text) {
      auto found = items.find(text);
      return found == items.end() ? nullptr : found->second;
    };
    for (const std::string& text : texts)
      compare_present(path + "[" + text + "]", item(*left, text), item(*right, text), changes);
    // The same items in another order: that is the change.
    if (changes.size() == known) changes.push_back({.path = path, .before = before, .after = after});
    return;
  }
  for (size_t i = 0; i < std::max(before.size(), after.size()); ++i)
    compare_present(format("{}[{}]", path, i), i < before.size() ? &before[i] : nullptr,
                    i < after.size() ? &after[i] : nullptr, changes);
}

void compare(const std::string& path, const Json& before, const Json& after, std::vector<FieldChange>& changes) {
  if (before == after) return;
  if (before.is_object() && after.is_object()) return compare_objects(path, before, after, changes);
  if (before.is_array() && after.is_array()) return compare_lists(path, before, after, changes);
  changes.push_back({.path = path, .before = before, .after = after});
}

}  // namespace

std::vector<FieldChange> differences(const Json& before, const Json& after) {
  std::vector<FieldChange> changes;
  compare("", masked(before), masked(after), changes);
  return changes;
}

Json masked(Json object) {
  if (text_at(object, {"kind"}) != "Secret" || text_at(object, {"apiVersion"}) != "v1") return object;
  for (const char* field : {"data", "stringData"}) {
    auto values = object.find(field);
    if (values == object.end()) continue;
    // The digest covers the name too, so that equal values of different fields do not show.
    auto mask = [&](const std::string& name, const Json& value) {
      std::string text = value.is_string() ? value.get<std::string>() : dump(value);
      return format("({} bytes, sha256 {})", text.size(), sha256_hex(name + "\n" + text).substr(0, 8));
    };
    if (!values->is_object()) {
      *values = mask(field, *values);
      continue;
    }
    for (auto& [name, value] : values->items()) value = mask(name, value);
  }
  // What `kubectl apply` leaves behind repeats the values.
  if (auto metadata = object.find("metadata"); metadata != object.end() && metadata->is_object())
    if (auto annotations = metadata->find("annotations"); annotations != metadata->end() && annotations->is_object())
      annotations->erase("kubectl.kubernetes.io/last-applied-configuration");
  return object;
}

}  // namespace reconciler
