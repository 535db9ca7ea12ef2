#include "base/digest.h"
#include "base/format.h"
#include "base/labels.h"
#include "objects/inventory.h"

namespace reconciler {
namespace {

constexpr size_t kIdLength = 24;

std::string_view to_text(PruneMark mark) { return mark == PruneMark::Disabled ? "disabled" : "allow"; }

PruneMark mark_of(std::string_view text) {
  if (text == "disabled") return PruneMark::Disabled;
  return text == "allow" ? PruneMark::Allow : PruneMark::None;
}

}  // namespace

PruneMark prune_mark(const Json& object) {
  const PruneMark label = mark_of(text_at(object, {"metadata", "labels", kPruneMark}));
  const PruneMark annotation = mark_of(text_at(object, {"metadata", "annotations", kPruneMark}));
  if (label == PruneMark::Disabled || annotation == PruneMark::Disabled) return PruneMark::Disabled;
  return label == PruneMark::None ? annotation : label;
}

std::string api_version_of(const InventoryEntry& entry) {
  return entry.key.group.empty() ? entry.version : entry.key.group + "/" + entry.version;
}

std::string entry_id(const ObjectKey& key) {
  // No part can hold a slash, so different objects have different texts.
  return sha256_hex(format("{}/{}/{}/{}", key.group, key.kind, key.ns, key.name)).substr(0, kIdLength);
}

std::string entry_text(const InventoryEntry& entry) {
  Json json = {{"kind", entry.key.kind}, {"name", entry.key.name}, {"version", entry.version}};
  if (!entry.key.group.empty()) json["group"] = entry.key.group;
  if (!entry.key.ns.empty()) json["namespace"] = entry.key.ns;
  if (!entry.uid.empty()) json["uid"] = entry.uid;
  if (entry.mark != PruneMark::None) json["prune"] = to_text(entry.mark);
  if (!entry.services.empty()) json["services"] = entry.services;
  return dump(json);
}

Result<InventoryEntry> read_entry(std::string_view text) {
  auto json = parse_json(text);
  if (!json) return json.error();
  InventoryEntry out{.key = {.group = text_at(*json, {"group"}),
                             .kind = text_at(*json, {"kind"}),
                             .ns = text_at(*json, {"namespace"}),
                             .name = text_at(*json, {"name"})},
                     .version = text_at(*json, {"version"}),
                     .uid = text_at(*json, {"uid"}),
                     .mark = mark_of(text_at(*json, {"prune"}))};
  if (out.key.kind.empty() || out.key.name.empty() || out.version.empty())
    return invalid("an inventory entry needs kind, name and version");
  if (const Json* services = find(*json, {"services"}); services && services->is_array())
    for (const Json& service : *services)
      if (service.is_string()) out.services.push_back(service.get<std::string>());
  return out;
}

}  // namespace reconciler
