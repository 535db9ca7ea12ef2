#include "cluster/inventory_config_map.h"

#include <charconv>

#include "base/format.h"

namespace reconciler {
namespace {

/// The labels tell whose inventory it is and the number of a chunk, the annotation the commit in force when it was
/// stored. The owner label is not among them: by that, applied objects are followed, and this is none.
constexpr std::string_view kInventoryOfLabel = "serin.dev/inventory-of";
constexpr std::string_view kInventoryLabel = "serin.dev/inventory-chunk";
constexpr std::string_view kCommitAnnotation = "serin.dev/commit";
constexpr int kChunksMax = 10000;

}  // namespace

std::string inventory_name(std::string_view owner, int chunk) { return format("serin-{}-{}", owner, chunk); }

std::string inventory_selector(std::string_view owner) { return format("{}={}", kInventoryOfLabel, owner); }

Json inventory_patch(const ChunkChange& change, const std::string& commit) {
  Json data = Json::object();
  for (const auto& [id, text] : change.entries) data[id] = text ? Json(*text) : Json(nullptr);
  return {{"metadata", {{"annotations", {{std::string(kCommitAnnotation), commit}}}}}, {"data", std::move(data)}};
}

Json inventory_config_map(std::string_view owner, const std::string& ns, const ChunkChange& change,
                          const std::string& commit) {
  Json data = Json::object();
  for (const auto& [id, text] : change.entries)
    if (text) data[id] = *text;
  Json labels = {{std::string(kInventoryOfLabel), std::string(owner)},
                 {std::string(kInventoryLabel), std::to_string(change.chunk)}};
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata",
           {{"name", inventory_name(owner, change.chunk)},
            {"namespace", ns},
            {"labels", std::move(labels)},
            {"annotations", {{std::string(kCommitAnnotation), commit}}}}},
          {"data", std::move(data)}};
}

std::optional<InventoryChunk> read_inventory(const Json& config_map) {
  const std::string number = text_at(config_map, {"metadata", "labels", kInventoryLabel});
  InventoryChunk out{.commit = text_at(config_map, {"metadata", "annotations", kCommitAnnotation})};
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), out.number);
  if (error != std::errc() || *end != '\0' || out.number < 0 || out.number >= kChunksMax) return std::nullopt;
  const Json* data = find(config_map, {"data"});
  if (!data || !data->is_object()) return out;
  for (const auto& [id, text] : data->items())
    if (text.is_string()) out.entries[id] = text.get<std::string>();
  return out;
}

}  // namespace reconciler
