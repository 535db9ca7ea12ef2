#pragma once

#include <string>

#include "cluster/api.h"
#include "ports.h"

namespace reconciler {

/// The inventory in ConfigMaps of Serin's namespace, which is made when it is missing.
class KubernetesInventory : public InventoryStore {
 public:
  KubernetesInventory(KubernetesApi& api, std::string owner, std::string ns)
      : api_(api), owner_(std::move(owner)), ns_(std::move(ns)) {}

  Result<std::vector<InventoryChunk>> load() override;
  Result<void> save(const ChunkChange& change, const std::string& commit) override;

 private:
  Result<bool> patch(const ChunkChange& change, const std::string& commit);
  Result<void> create(const ChunkChange& change, const std::string& commit);

  KubernetesApi& api_;
  const std::string owner_;
  const std::string ns_;
};

}  // namespace reconciler
