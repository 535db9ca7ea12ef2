#include "sim/sim_inventory.h"

#include "cluster/inventory_config_map.h"

namespace reconciler {
namespace {

constexpr const char* kInventoryOwner = "serin";
constexpr const char* kInventoryNamespace = "default";
const WriteOptions kInventoryWrite = {.manager = "serin"};

}  // namespace

ResourcePath SimInventory::path_of(int chunk) const {
  return {.type = world_.catalogue().by_kind("v1", "ConfigMap"),
          .ns = kInventoryNamespace,
          .name = inventory_name(kInventoryOwner, chunk)};
}

Result<std::vector<InventoryChunk>> SimInventory::load() {
  std::vector<InventoryChunk> out;
  for (const Object& object : world_.store().list(*path_of(0).type, kInventoryNamespace))
    if (text_at(*object, {"metadata", "labels", "serin.dev/inventory-of"}) == kInventoryOwner)
      if (auto chunk = read_inventory(*object)) out.push_back(std::move(*chunk));
  return out;
}

Result<void> SimInventory::save(const ChunkChange& change, const std::string& commit) {
  ++writer_.writes;
  const ResourcePath path = path_of(change.chunk);
  if (world_.get(path)) {
    auto patched = world_.patch(path, PatchKind::Merge, inventory_patch(change, commit), kInventoryWrite);
    if (!patched) return transient(patched.error().message);
    return {};
  }
  auto created =
      world_.create(path, inventory_config_map(kInventoryOwner, kInventoryNamespace, change, commit), kInventoryWrite);
  if (!created) return transient(created.error().message);
  return {};
}

Result<std::vector<InventoryChunk>> FaultyInventory::load() {
  if (faults_.cluster_down) return transient("the API server cannot be reached");
  if (faults_.strikes(faults_.mix().apply.fails)) return transient("inventory: connection refused");
  return inner_.load();
}

Result<void> FaultyInventory::save(const ChunkChange& change, const std::string& commit) {
  if (faults_.cluster_down) return transient("the API server cannot be reached");
  return faults_.around<void>(faults_.mix().apply, "store the inventory", [&] { return inner_.save(change, commit); });
}

}  // namespace reconciler
