// The inventory as ConfigMaps, `serin-<owner>-<n>`: one data key an entry, so that a change is a patch of its own
// entries. Pure; the simulator stores with exactly what goes over the wire to a real cluster.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "objects/inventory.h"
#include "ports.h"

namespace reconciler {

/// `serin-<owner>-<n>`
std::string inventory_name(std::string_view owner, int chunk);
/// Finds the ConfigMaps of an owner.
std::string inventory_selector(std::string_view owner);

/// The merge patch that stores a change.
Json inventory_patch(const ChunkChange& change, const std::string& commit);
/// The ConfigMap to create when there is none to patch.
Json inventory_config_map(std::string_view owner, const std::string& ns, const ChunkChange& change,
                          const std::string& commit);
/// Nothing when it is no part of an inventory.
std::optional<InventoryChunk> read_inventory(const Json& config_map);

}  // namespace reconciler
