// Keeps the inventory and its copy in the cluster the same: read once, then each change of a chunk by itself. What is
// new is stored before it is written to the cluster, the rest when there is time.
#pragma once

#include <map>
#include <set>
#include <string>

#include "daemon/backoff.h"
#include "daemon/workers.h"
#include "objects/inventory.h"
#include "ports.h"

namespace reconciler {

class InventoryKeeper {
 public:
  /// `ns` is the namespace of the store; it is made when the first chunk is.
  InventoryKeeper(InventoryStore& store, Cluster& cluster, Clock& clock, Workers& workers, std::string ns);

  Inventory& inventory() { return inventory_; }
  const Inventory& inventory() const { return inventory_; }

  /// What is known may be out of date: it is to be read anew.
  void reload();
  /// Starts reading it unless that was done or is under way.
  void load();
  bool loaded() const { return loaded_; }
  /// The commit in force when the chunk of this entry was stored last; empty when that is not known.
  std::string commit_of(const ObjectKey& key) const;

  /// Stores the chunks with something new in them, with all that changed there.
  void store_additions(const std::string& commit);
  /// Stores every chunk that differs.
  void store_all(const std::string& commit);

  Duration next_due() const;
  /// Nothing differs, nothing is under way.
  bool idle() const { return inventory_.is_clean() && storing_.empty(); }
  /// Why it cannot be read or stored now; empty when it can.
  const std::string& trouble() const { return trouble_; }
  /// It is refused for good, so waiting does not help.
  bool refused() const { return refused_; }

 private:
  void finish_load(const Result<std::vector<InventoryChunk>>& chunks);
  void store(const std::set<int>& chunks, const std::string& commit);
  void finish_store(const ChunkChange& change, const std::string& commit, const Result<void>& stored);
  void fail(const std::string& what, const Error& error);
  void succeed();

  InventoryStore& store_;
  Cluster& cluster_;
  Clock& clock_;
  Workers& workers_;
  const std::string ns_;

  Inventory inventory_;
  std::map<int, std::string> commits_;
  bool loading_ = false, loaded_ = false, load_again_ = false, namespace_known_ = false;
  std::set<int> storing_;
  std::string trouble_;
  bool refused_ = false;
  Backoff backoff_{1s, 2.0, 1min};
  Duration not_before_{0};
};

}  // namespace reconciler
