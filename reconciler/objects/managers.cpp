#include "objects/managers.h"

#include <algorithm>
#include <array>
#include <vector>

namespace reconciler {
namespace {

constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

const Json kNoEntries = Json::array();

const Json& entries_of(const Json& live) {
  const Json* entries = find(live, {"metadata", "managedFields"});
  return entries && entries->is_array() ? *entries : kNoEntries;
}

FieldOwner owner_in(const Json& entry) {
  return {.manager = text_at(entry, {"manager"}),
          .verb = text_at(entry, {"operation"}),
          .subresource = text_at(entry, {"subresource"}),
          .time = text_at(entry, {"time"})};
}

/// Nothing below is named: the field is owned as a whole.
bool is_leaf(const Json& fields) {
  return !fields.is_object() || fields.empty() || (fields.size() == 1 && fields.contains("."));
}

bool has_keys(const Json& item, const Json& keys) {
  return item.is_object() && keys.is_object() &&
         std::all_of(keys.items().begin(), keys.items().end(), [&](const auto& key) {
           auto member = item.find(key.key());
           return member != item.end() && *member == key.value();
         });
}

/// The part of `value` that one member of fieldsV1 is about; null pointer when it is not there.
const Json* part_of(const Json* value, const std::string& step) {
  if (!value || step.size() < 2) return nullptr;
  const std::string name = step.substr(2);
  if (step.starts_with("f:")) return find(*value, {name});
  if (!value->is_array()) return nullptr;
  if (step.starts_with("i:")) return value_at(*value, {name});
  auto keys = parse_json(name);
  if (!keys) return nullptr;
  for (const Json& item : *value)
    if (step.starts_with("v:") ? item == *keys : has_keys(item, *keys)) return &item;
  return nullptr;
}

bool is_same(const Json* a, const Json* b) { return a == b || (a && b && *a == *b); }

/// Do the two differ in a field that is owned here?
bool touches(const Json& fields, const Json* live, const Json* wanted) {
  if (is_same(live, wanted)) return false;
  if (is_leaf(fields)) return true;
  return std::any_of(fields.items().begin(), fields.items().end(), [&](const auto& field) {
    return field.key() != "." && touches(field.value(), part_of(live, field.key()), part_of(wanted, field.key()));
  });
}

/// The member of fieldsV1 that stands for one step of a pointer into `live`; null pointer when there is none.
const Json* fields_at(const Json& fields, const Json* live, const std::string& step) {
  if (auto member = fields.find("f:" + step); member != fields.end()) return &*member;
  const Json* item = live && live->is_array() ? value_at(*live, {step}) : nullptr;
  if (!item) return nullptr;
  for (auto field = fields.begin(); field != fields.end(); ++field)
    if (part_of(live, field.key()) == item) return &*field;
  return nullptr;
}

bool owns(const Json& fields, const Json& live, const Pointer& pointer) {
  const Json* at = &fields;
  const Json* value = &live;
  for (const std::string& step : pointer) {
    if (at != &fields && is_leaf(*at)) return true;
    if (!(at = fields_at(*at, value, step))) return false;
    value = value ? value_at(*value, {step}) : nullptr;
  }
  return true;
}

const Json* fields_in(const Json& entry) {
  const Json* fields = find(entry, {"fieldsV1"});
  return fields && fields->is_object() ? fields : nullptr;
}

/// Those whose ownership would keep alive what leaves the manifest: kubectl in all its forms, and what was there
/// before the object was first applied.
bool is_taken_over(const FieldOwner& owner) {
  return owner.subresource.empty() && (owner.manager.starts_with("kubectl") || owner.manager == "before-first-apply");
}

/// The union of two field sets.
Json united(Json a, const Json& b) {
  if (!a.is_object() || !b.is_object()) return a;
  for (const auto& [name, below] : b.items()) {
    auto member = a.find(name);
    a[name] = member == a.end() ? below : united(std::move(*member), below);
  }
  return a;
}

}  // namespace

std::string FieldOwner::text() const {
  std::string out = manager + " (" + verb;
  if (!subresource.empty()) out += " of " + subresource;
  return out + (time.empty() ? ")" : ", " + time + ")");
}

bool is_written_by(const Json& live, std::string_view manager) {
  const Json& entries = entries_of(live);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const Json& entry) { return text_at(entry, {"manager"}) == manager; });
}

bool is_applied_by(const Json& live, std::string_view manager) {
  const Json& entries = entries_of(live);
  return std::any_of(entries.begin(), entries.end(), [&](const Json& entry) {
    return text_at(entry, {"manager"}) == manager && text_at(entry, {"operation"}) == "Apply";
  });
}

std::optional<FieldOwner> meddler(const Json& live, const Json& wanted, std::string_view manager) {
  std::optional<FieldOwner> owner, latest;
  for (const Json& entry : entries_of(live)) {
    FieldOwner candidate = owner_in(entry);
    if (candidate.manager == manager && candidate.verb == "Apply") continue;
    const Json* fields = fields_in(entry);
    auto later_of = [&](std::optional<FieldOwner>& known) {
      if (!known || known->time <= candidate.time) known = candidate;
    };
    if (fields && touches(*fields, &live, &wanted)) later_of(owner);
    if (candidate.subresource != "status") later_of(latest);
  }
  return owner ? owner : latest;
}

std::optional<FieldOwner> other_owner(const Json& live, const Pointer& pointer, std::string_view manager, Owns how) {
  for (const Json& entry : entries_of(live)) {
    FieldOwner owner = owner_in(entry);
    const Json* fields = fields_in(entry);
    const bool counts = owner.verb == "Apply" || how == Owns::Anyhow;
    if (counts && owner.manager != manager && fields && owns(*fields, live, pointer)) return owner;
  }
  return std::nullopt;
}

std::optional<Json> takeover_patch(const Json& live, std::string_view manager) {
  Json kept = Json::array();
  Json ours;
  bool any = false;
  for (const Json& entry : entries_of(live)) {
    const FieldOwner owner = owner_in(entry);
    const bool is_ours = owner.manager == manager && owner.verb == "Apply" && owner.subresource.empty();
    if (!is_ours && !is_taken_over(owner)) {
      kept.push_back(entry);
      continue;
    }
    any = any || !is_ours;
    Json fields = fields_in(entry) ? *fields_in(entry) : Json::object();
    if (ours.is_null()) {
      ours = entry;
      ours["manager"] = manager;
      ours["operation"] = "Apply";
      ours["fieldsV1"] = std::move(fields);
    } else {
      ours["fieldsV1"] = united(std::move(ours["fieldsV1"]), fields);
    }
  }
  const bool remembers = find(live, {"metadata", "annotations", kLastApplied}) != nullptr;
  if (!any && !remembers) return std::nullopt;
  Json patch = Json::array();
  patch.push_back({{"op", "test"},
                   {"path", "/metadata/resourceVersion"},
                   {"value", text_at(live, {"metadata", "resourceVersion"})}});
  if (any) {
    kept.push_back(std::move(ours));
    patch.push_back({{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", std::move(kept)}});
  }
  if (remembers) {
    const Pointer annotation{"metadata", "annotations", kLastApplied};
    patch.push_back({{"op", "remove"}, {"path", to_text(annotation)}});
  }
  return patch;
}

}  // namespace reconciler
