#pragma once

#include "ports.h"
#include "sim/faults.h"
#include "sim/sim_cluster.h"
#include "sim/world.h"

namespace reconciler {

/// The inventory in ConfigMaps of a world in memory, written as over HTTP.
class SimInventory : public InventoryStore {
 public:
  SimInventory(World& world, Writer& writer) : world_(world), writer_(writer) {}

  Result<std::vector<InventoryChunk>> load() override;
  Result<void> save(const ChunkChange& change, const std::string& commit) override;

 private:
  ResourcePath path_of(int chunk) const;

  World& world_;
  Writer& writer_;
};

/// An inventory whose calls go wrong.
class FaultyInventory : public InventoryStore {
 public:
  FaultyInventory(InventoryStore& inner, Faults& faults) : inner_(inner), faults_(faults) {}

  Result<std::vector<InventoryChunk>> load() override;
  Result<void> save(const ChunkChange& change, const std::string& commit) override;

 private:
  InventoryStore& inner_;
  Faults& faults_;
};

}  // namespace reconciler
