#include "sim/field_set.h"

#include <algorithm>

namespace reconciler {
namespace {

bool merges_members(const Json& value, const Shape& shape) {
  return value.is_object() && shape.kind != Shape::Kind::Atomic;
}

/// The shape of a list that merges is also that of its items: they are objects, and its members are theirs.
bool merges_items(const Json& value, const Shape& shape) {
  return value.is_array() && (shape.kind == Shape::Kind::Set || shape.kind == Shape::Kind::Keyed);
}

std::string step_of(const Json& item, const Shape& list) {
  return list.kind == Shape::Kind::Set ? "v:" + dump(item) : "k:" + item_key(item, list);
}

std::map<std::string, const Json*> items_by_step(const Json& list, const Shape& shape) {
  std::map<std::string, const Json*> items;
  for (const Json& item : list) items.emplace(step_of(item, shape), &item);
  return items;
}

/// Everything at and below a value, the containers on the way included.
FieldSet everything(const Json& value, const Shape& shape) {
  FieldSet set{.owned = true};
  if (merges_members(value, shape))
    for (const auto& [name, member] : value.items()) set.below["f:" + name] = everything(member, shape.field(name));
  if (merges_items(value, shape)) {
    for (const Json& each : value) set.below[step_of(each, shape)] = everything(each, shape);
  }
  return set;
}

void tidy(FieldSet& set) {
  for (auto at = set.below.begin(); at != set.below.end();) at = at->second.empty() ? set.below.erase(at) : ++at;
}

void collect_paths(const FieldSet& set, const std::string& path, std::vector<std::string>& out) {
  if (set.owned && !path.empty()) out.push_back(path);
  for (const auto& [step, below] : set.below) {
    std::string rest = step.substr(2);
    if (step.starts_with("f:")) {
      collect_paths(below, path + "." + rest, out);
    } else if (step.starts_with("k:")) {
      std::string key;
      Json fields = Json::parse(rest, nullptr, false);
      for (const auto& [name, value] : fields.items()) key += (key.empty() ? "" : ",") + name + "=" + dump(value);
      collect_paths(below, path + "[" + key + "]", out);
    } else {
      collect_paths(below, path + "[=" + rest + "]", out);
    }
  }
}

}  // namespace

bool FieldSet::empty() const {
  return !owned && std::all_of(below.begin(), below.end(), [](const auto& each) { return each.second.empty(); });
}

FieldSet parse_field_set(const Json& fields_v1) {
  FieldSet set;
  if (!fields_v1.is_object()) return set;
  for (const auto& [step, below] : fields_v1.items()) {
    if (step == ".") {
      set.owned = true;
      continue;
    }
    FieldSet& child = set.below[step] = parse_field_set(below);
    if (below.empty()) child.owned = true;
  }
  return set;
}

Json to_fields_v1(const FieldSet& set) {
  Json json = Json::object();
  if (set.owned && !set.below.empty()) json["."] = Json::object();
  for (const auto& [step, below] : set.below)
    if (!below.empty()) json[step] = to_fields_v1(below);
  return json;
}

FieldSet unite(FieldSet a, const FieldSet& b) {
  a.owned = a.owned || b.owned;
  for (const auto& [step, below] : b.below) {
    FieldSet& mine = a.below[step];
    mine = unite(std::move(mine), below);
  }
  return a;
}

FieldSet subtract(const FieldSet& a, const FieldSet& b) {
  FieldSet left{.owned = a.owned && !b.owned};
  for (const auto& [step, below] : a.below) {
    auto other = b.below.find(step);
    left.below[step] = other == b.below.end() ? below : subtract(below, other->second);
  }
  tidy(left);
  return left;
}

FieldSet intersect(const FieldSet& a, const FieldSet& b) {
  FieldSet both{.owned = a.owned && b.owned};
  for (const auto& [step, below] : a.below)
    if (auto other = b.below.find(step); other != b.below.end()) both.below[step] = intersect(below, other->second);
  tidy(both);
  return both;
}

void cut(FieldSet& set, const std::vector<std::string>& path) {
  FieldSet* at = &set;
  for (size_t i = 0; i + 1 < path.size(); ++i) {
    auto next = at->below.find("f:" + path[i]);
    if (next == at->below.end()) return;
    at = &next->second;
  }
  at->below.erase("f:" + path.back());
}

std::vector<std::string> field_paths(const FieldSet& set) {
  std::vector<std::string> paths;
  collect_paths(set, "", paths);
  return paths;
}

FieldSet fields_of(const Json& value, const Shape& shape) {
  FieldSet set;
  if (merges_members(value, shape) && !value.empty()) {
    for (const auto& [name, member] : value.items()) set.below["f:" + name] = fields_of(member, shape.field(name));
  } else if (merges_items(value, shape) && !value.empty()) {
    for (const Json& each : value) {
      FieldSet& child = set.below[step_of(each, shape)] = fields_of(each, shape);
      child.owned = true;
    }
  } else {
    set.owned = true;
  }
  return set;
}

FieldComparison compare_fields(const Json& before, const Json& after, const Shape& shape) {
  FieldComparison result;
  auto part = [&](const std::string& step, const Json* old_value, const Json* new_value, const Shape& of) {
    if (!old_value) {
      result.changed.below[step] = everything(*new_value, of);
    } else if (!new_value) {
      result.removed.below[step] = everything(*old_value, of);
    } else if (*old_value != *new_value) {
      FieldComparison inner = compare_fields(*old_value, *new_value, of);
      if (!inner.changed.empty()) result.changed.below[step] = std::move(inner.changed);
      if (!inner.removed.empty()) result.removed.below[step] = std::move(inner.removed);
    }
  };
  if (merges_members(before, shape) && merges_members(after, shape)) {
    for (const auto& [name, value] : after.items()) part("f:" + name, find(before, {name}), &value, shape.field(name));
    for (const auto& [name, value] : before.items())
      if (!after.contains(name)) part("f:" + name, &value, nullptr, shape.field(name));
  } else if (merges_items(before, shape) && merges_items(after, shape)) {
    auto old_items = items_by_step(before, shape), new_items = items_by_step(after, shape);
    for (const auto& [step, value] : new_items)
      part(step, old_items.contains(step) ? old_items[step] : nullptr, value, shape);
    for (const auto& [step, value] : old_items)
      if (!new_items.contains(step)) part(step, value, nullptr, shape);
  } else if (before != after) {
    result.changed = everything(after, shape);
    result.removed = subtract(everything(before, shape), result.changed);
  }
  return result;
}

Json merge_applied(const Json& live, const Json& config, const Shape& shape) {
  if (merges_members(live, shape) && merges_members(config, shape)) {
    Json merged = live;
    for (const auto& [name, value] : config.items()) {
      const Json* mine = find(live, {name});
      merged[name] = mine ? merge_applied(*mine, value, shape.field(name)) : value;
    }
    return merged;
  }
  if (merges_items(live, shape) && merges_items(config, shape)) {
    auto asked = items_by_step(config, shape);
    Json merged = Json::array();
    for (const Json& each : live) {
      auto found = asked.find(step_of(each, shape));
      merged.push_back(found == asked.end() ? each : merge_applied(each, *found->second, shape));
    }
    auto present = items_by_step(live, shape);
    for (const Json& each : config)
      if (!present.contains(step_of(each, shape))) merged.push_back(each);
    return merged;
  }
  return config;
}

Json remove_fields(const Json& value, const FieldSet& set, const FieldSet& keep, const Shape& shape) {
  static const FieldSet none;
  auto kept_below = [&](const std::string& step) -> const FieldSet& {
    auto found = keep.below.find(step);
    return found == keep.below.end() ? none : found->second;
  };
  if (merges_members(value, shape)) {
    Json left = value;
    for (const auto& [step, below] : set.below) {
      std::string name = step.substr(2);
      if (!left.contains(name)) continue;
      const FieldSet& kept = kept_below(step);
      if (below.owned && kept.empty()) {
        left.erase(name);
        continue;
      }
      Json inner = remove_fields(left[name], below, kept, shape.field(name));
      // What became empty because its last field went is gone too.
      if (inner.empty() && !left[name].empty() && kept.empty() && (inner.is_object() || inner.is_array()))
        left.erase(name);
      else
        left[name] = std::move(inner);
    }
    return left;
  }
  if (merges_items(value, shape)) {
    Json left = Json::array();
    for (const Json& each : value) {
      std::string step = step_of(each, shape);
      auto found = set.below.find(step);
      if (found == set.below.end()) {
        left.push_back(each);
      } else if (const FieldSet& kept = kept_below(step); !(found->second.owned && kept.empty())) {
        left.push_back(remove_fields(each, found->second, kept, shape));
      }
    }
    return left;
  }
  return value;
}

}  // namespace reconciler
