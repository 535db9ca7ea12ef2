#include "sim/patch.h"

#include <algorithm>

#include "base/format.h"

namespace reconciler {
namespace {

constexpr std::string_view kDirective = "$patch";
constexpr std::string_view kOrder = "$setElementOrder/";
constexpr std::string_view kDelete = "$deleteFromPrimitiveList/";
constexpr std::string_view kRetain = "$retainKeys";

Result<Json> strategic(const Json& document, const Json& patch, const Shape& shape);

/// A value that is new to the document: directives are for what exists, so they are dropped.
Json without_directives(const Json& value) {
  if (value.is_array()) {
    Json items = Json::array();
    for (const Json& each : value)
      if (text_at(each, {kDirective}) != "delete") items.push_back(without_directives(each));
    return items;
  }
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (const auto& [name, member] : value.items())
    if (!name.starts_with("$") && !member.is_null()) object[name] = without_directives(member);
  return object;
}

std::string patch_key_of(const Json& item, const Shape& shape) {
  const Json* key = find(item, {shape.patch_key});
  return key ? dump(*key) : std::string();
}

Result<Json> merge_keyed_list(const Json& list, const Json& patch, const Shape& shape) {
  Json merged = Json::array();
  if (list.is_array()) merged = list;
  for (const Json& change : patch) {
    std::string directive = text_at(change, {kDirective});
    if (directive == "replace" && !find(change, {shape.patch_key})) {
      merged = without_directives(patch);
      for (auto at = merged.begin(); at != merged.end();) at = at->empty() ? merged.erase(at) : at + 1;
      return merged;
    }
    std::string key = patch_key_of(change, shape);
    if (key.empty())
      return invalid(format("map: {} does not contain declared merge key: {}", dump(change), shape.patch_key));
    auto same =
        std::find_if(merged.begin(), merged.end(), [&](const Json& each) { return patch_key_of(each, shape) == key; });
    if (directive == "delete") {
      if (same != merged.end()) merged.erase(same);
    } else if (same == merged.end()) {
      merged.push_back(without_directives(change));
    } else {
      auto item = strategic(*same, change, shape);
      if (!item) return item.error();
      *same = *item;
    }
  }
  return merged;
}

/// Items named in `order` in that order; the others keep their place behind the item they followed.
Json in_order(const Json& list, const Json& order, const Shape& shape) {
  auto key_of = [&](const Json& each) {
    return shape.kind == Shape::Kind::Keyed ? patch_key_of(each, shape) : dump(each);
  };
  std::vector<std::string> wanted;
  for (const Json& each : order) wanted.push_back(key_of(each));
  std::vector<std::pair<size_t, const Json*>> placed;
  size_t last = 0;
  for (const Json& each : list) {
    auto at = std::find(wanted.begin(), wanted.end(), key_of(each));
    if (at != wanted.end()) last = size_t(at - wanted.begin());
    placed.emplace_back(last, &each);
  }
  std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Json ordered = Json::array();
  for (const auto& each : placed) ordered.push_back(*each.second);
  return ordered;
}

Result<Json> merge_member(const Json* mine, const Json& change, const Shape& shape) {
  if (change.is_object()) return strategic(mine && mine->is_object() ? *mine : Json::object(), change, shape);
  if (!change.is_array()) return change;
  if (shape.kind == Shape::Kind::Keyed) return merge_keyed_list(mine ? *mine : Json::array(), change, shape);
  if (shape.kind == Shape::Kind::Set && mine && mine->is_array()) {
    Json merged = *mine;
    for (const Json& each : change)
      if (std::find(merged.begin(), merged.end(), each) == merged.end()) merged.push_back(each);
    return merged;
  }
  return change;
}

/// Carries out the directives that stand beside the members: removals from lists of scalars, and orders.
void carry_out_directives(Json& merged, const Json& patch, const Shape& shape) {
  for (const auto& [name, value] : patch.items()) {
    if (!name.starts_with(kDelete) || !value.is_array()) continue;
    auto list = merged.find(name.substr(kDelete.size()));
    if (list == merged.end() || !list->is_array()) continue;
    Json left = Json::array();
    for (const Json& each : *list)
      if (std::find(value.begin(), value.end(), each) == value.end()) left.push_back(each);
    *list = left;
  }
  for (const auto& [name, value] : patch.items()) {
    if (!name.starts_with(kOrder) || !value.is_array()) continue;
    std::string member = name.substr(kOrder.size());
    auto list = merged.find(member);
    if (list != merged.end() && list->is_array()) *list = in_order(*list, value, shape.field(member));
  }
  if (const Json* retained = find(patch, {kRetain}); retained && retained->is_array())
    for (auto at = merged.begin(); at != merged.end();)
      at =
          std::find(retained->begin(), retained->end(), at.key()) == retained->end() ? merged.erase(at) : std::next(at);
}

Result<Json> strategic(const Json& document, const Json& patch, const Shape& shape) {
  if (!patch.is_object()) return patch;
  std::string directive = text_at(patch, {kDirective});
  if (directive == "replace") return without_directives(patch);
  if (directive == "delete") return Json::object();
  Json merged = Json::object();
  if (document.is_object()) merged = document;
  for (const auto& [name, change] : patch.items()) {
    if (name.starts_with("$")) continue;
    if (change.is_null()) {
      merged.erase(name);
      continue;
    }
    auto mine = merged.find(name);
    auto value = merge_member(mine == merged.end() ? nullptr : &*mine, change, shape.field(name));
    if (!value) return value.error();
    merged[name] = *value;
  }
  carry_out_directives(merged, patch, shape);
  return merged;
}

}  // namespace

Result<Json> apply_json_patch(const Json& document, const Json& patch) {
  if (!patch.is_array()) return invalid("a JSON patch is a list of operations");
  try {
    return document.patch(patch);
  } catch (const Json::other_error& e) {  // 501: a test did not hold
    return conflict("testing value failed");
  } catch (const Json::exception& e) {
    std::string_view what = e.what();
    if (auto at = what.find("] "); at != what.npos) what.remove_prefix(at + 2);
    return invalid(std::string(what));
  }
}

Json apply_merge_patch(const Json& document, const Json& patch) {
  Json merged = document;
  merged.merge_patch(patch);
  return merged;
}

Result<Json> apply_strategic_patch(const Json& document, const Json& patch, const Shape& shape) {
  return strategic(document, patch, shape);
}

}  // namespace reconciler
