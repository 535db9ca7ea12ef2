#include "sim/managed_fields.h"

#include <algorithm>
#include <tuple>

#include "base/format.h"

namespace reconciler {
namespace {

struct Entry {
  std::string manager;
  std::string operation;
  std::string api_version;
  std::string subresource;
  std::string time;
  FieldSet fields;

  bool is(const FieldManager& who, std::string_view how) const {
    return manager == who.name && operation == how && subresource == who.subresource &&
           (how == "Apply" || api_version == who.api_version);
  }
};

std::vector<Entry> read_entries(const Json& object) {
  std::vector<Entry> entries;
  const Json* list = find(object, {"metadata", "managedFields"});
  if (!list || !list->is_array()) return entries;
  for (const Json& each : *list) {
    const Json* fields = find(each, {"fieldsV1"});
    entries.push_back({text_at(each, {"manager"}), text_at(each, {"operation"}), text_at(each, {"apiVersion"}),
                       text_at(each, {"subresource"}), text_at(each, {"time"}),
                       parse_field_set(fields ? *fields : Json::object())});
  }
  return entries;
}

void write_entries(Json& object, std::vector<Entry> entries) {
  std::erase_if(entries, [](const Entry& each) { return each.fields.empty(); });
  // Kubernetes writes appliers first, then updaters by time.
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    if (a.operation != b.operation) return a.operation < b.operation;
    return std::tie(a.time, a.manager) < std::tie(b.time, b.manager);
  });
  Json list = Json::array();
  for (const Entry& each : entries) {
    Json entry = {{"manager", each.manager}, {"operation", each.operation}, {"apiVersion", each.api_version},
                  {"time", each.time},       {"fieldsType", "FieldsV1"},    {"fieldsV1", to_fields_v1(each.fields)}};
    if (!each.subresource.empty()) entry["subresource"] = each.subresource;
    list.push_back(std::move(entry));
  }
  if (list.empty())
    object["metadata"].erase("managedFields");
  else
    object["metadata"]["managedFields"] = std::move(list);
}

/// Nobody owns what the server fills in.
void strip(FieldSet& set, std::string_view subresource) {
  for (auto name : {"apiVersion", "kind"}) cut(set, {name});
  for (auto name : {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "selfLink",
                    "managedFields", "clusterName"})
    cut(set, {"metadata", name});
  if (auto metadata = set.below.find("f:metadata"); metadata != set.below.end()) metadata->second.owned = false;
  set.owned = false;
  if (subresource != "status") cut(set, {"status"});
}

FieldComparison compare_owned(const Json& before, const Json& after, std::string_view subresource, const Shape& shape) {
  FieldComparison result = compare_fields(before.is_object() ? before : Json::object(), after, shape);
  strip(result.changed, subresource);
  strip(result.removed, subresource);
  return result;
}

Entry& entry_of(std::vector<Entry>& entries, const FieldManager& manager, std::string_view operation) {
  for (Entry& each : entries)
    if (each.is(manager, operation)) return each;
  return entries.emplace_back(
      Entry{manager.name, std::string(operation), manager.api_version, manager.subresource, "", {}});
}

ApiError conflict_error(std::vector<std::pair<const Entry*, FieldSet>> conflicts) {
  std::stable_sort(conflicts.begin(), conflicts.end(),
                   [](const auto& a, const auto& b) { return a.first->manager < b.first->manager; });
  struct Group {
    std::string text;
    std::vector<std::string> fields;
  };
  std::vector<Group> groups;
  Json causes = Json::array();
  size_t count = 0;
  for (const auto& [owner, fields] : conflicts) {
    std::string text = format("\"{}\"", owner->manager);
    if (!owner->subresource.empty()) text += format(" with subresource \"{}\"", owner->subresource);
    if (owner->operation == "Update") text += format(" using {}", owner->api_version);
    Group& group = groups.emplace_back(Group{text, field_paths(fields)});
    count += group.fields.size();
    for (const std::string& field : group.fields)
      causes.push_back({{"reason", "FieldManagerConflict"}, {"message", "conflict with " + text}, {"field", field}});
  }
  std::string message = format("Apply failed with {} conflict{}: ", count, count == 1 ? "" : "s");
  std::string list;
  for (const Group& group : groups) {
    if (!list.empty()) list += "\n";
    if (count == 1) {
      list += format("conflict with {}: {}", group.text, group.fields[0]);
    } else {
      list += format("conflicts with {}:", group.text);
      for (const std::string& field : group.fields) list += "\n- " + field;
    }
  }
  return {409, "Conflict", message + list, {{"causes", causes}}};
}

Json without_nulls(const Json& value) {
  if (value.is_object()) {
    Json object = Json::object();
    for (const auto& [name, member] : value.items())
      if (!member.is_null()) object[name] = without_nulls(member);
    return object;
  }
  if (!value.is_array()) return value;
  Json list = Json::array();
  for (const Json& each : value) list.push_back(without_nulls(each));
  return list;
}

}  // namespace

void record_update(const Json& before, Json& after, const FieldManager& manager, const Shape& shape, TimePoint now) {
  std::vector<Entry> entries = read_entries(before);
  const Json* given = find(after, {"metadata", "managedFields"});
  if (given && given->is_array() && given->size() == 1 && given->front().empty())
    entries.clear();
  else if (given && given->is_array() && !given->empty())
    entries = read_entries(after);  // whoever writes may say anew who owns what
  FieldComparison difference = compare_owned(before, after, manager.subresource, shape);
  for (Entry& each : entries) {
    if (!each.is(manager, "Update")) each.fields = subtract(each.fields, difference.changed);
    each.fields = subtract(each.fields, difference.removed);
  }
  if (!difference.changed.empty() && !manager.name.empty()) {
    Entry& mine = entry_of(entries, manager, "Update");
    FieldSet owned = unite(mine.fields, difference.changed);
    if (owned != mine.fields || mine.time.empty() || !difference.changed.empty()) mine.time = format_time(now);
    mine.fields = std::move(owned);
  }
  write_entries(after, std::move(entries));
}

bool same_but_for_times(const Json& a, const Json& b) {
  auto without_times = [](Json object) {
    if (auto metadata = object.find("metadata"); metadata != object.end() && metadata->contains("managedFields"))
      for (Json& entry : (*metadata)["managedFields"]) entry.erase("time");
    return object;
  };
  if (a == b) return true;
  // Cheap before exact: most changes are outside the metadata.
  for (const auto& [name, value] : a.items())
    if (name != "metadata" && (!b.contains(name) || b[name] != value)) return false;
  return without_times(a) == without_times(b);
}

Answer<Json> apply_server_side(const Json& live, const Json& config, const FieldManager& manager,
                               OnConflict on_conflict, const Shape& shape, TimePoint now) {
  Json asked = without_nulls(config);
  if (asked.contains("metadata"))
    for (auto name : {"managedFields", "creationTimestamp", "generation", "selfLink"}) asked["metadata"].erase(name);
  std::vector<Entry> entries = read_entries(live);
  FieldSet set = fields_of(asked, shape);
  strip(set, manager.subresource);

  Entry& mine = entry_of(entries, manager, "Apply");
  FieldSet dropped = subtract(mine.fields, set);
  bool same_fields = mine.fields == set;
  mine.fields = set;
  mine.api_version = manager.api_version;

  Json merged = live.is_object() ? merge_applied(live, asked, shape) : asked;
  FieldSet owned_by_any;
  for (const Entry& each : entries) owned_by_any = unite(std::move(owned_by_any), each.fields);
  merged = remove_fields(merged, subtract(dropped, owned_by_any), owned_by_any, shape);

  FieldComparison difference = compare_owned(live, merged, manager.subresource, shape);
  std::vector<std::pair<const Entry*, FieldSet>> conflicts;
  for (const Entry& each : entries) {
    if (&each == &mine) continue;
    FieldSet both = intersect(each.fields, difference.changed);
    if (!both.empty()) conflicts.emplace_back(&each, std::move(both));
  }
  if (!conflicts.empty() && on_conflict == OnConflict::Refuse) return conflict_error(conflicts);
  for (Entry& each : entries) {
    if (&each != &mine) each.fields = subtract(each.fields, difference.changed);
    each.fields = subtract(each.fields, difference.removed);
  }
  bool changed = !difference.changed.empty() || !difference.removed.empty() || !same_fields;
  if (changed || mine.time.empty()) mine.time = format_time(now);
  write_entries(merged, std::move(entries));
  return merged;
}

}  // namespace reconciler
