#include "daemon/inventory_keeper.h"

#include <utility>

#include "base/log.h"

namespace reconciler {

InventoryKeeper::InventoryKeeper(InventoryStore& store, Cluster& cluster, Clock& clock, Workers& workers,
                                 std::string ns)
    : store_(store), cluster_(cluster), clock_(clock), workers_(workers), ns_(std::move(ns)) {}

void InventoryKeeper::reload() {
  loaded_ = false;
  load_again_ = loading_;
}

void InventoryKeeper::load() {
  if (loaded_ || loading_ || !storing_.empty() || clock_.monotonic() < not_before_) return;
  loading_ = true;
  workers_.run(Lane::Cluster,
               [this]() -> Completion { return [this, chunks = store_.load()] { finish_load(chunks); }; });
}

void InventoryKeeper::finish_load(const Result<std::vector<InventoryChunk>>& chunks) {
  loading_ = false;
  if (std::exchange(load_again_, false)) return;
  if (!chunks) return fail("the inventory cannot be read", chunks.error());
  inventory_ = Inventory();
  commits_.clear();
  for (const InventoryChunk& chunk : *chunks) {
    commits_[chunk.number] = chunk.commit;
    for (const std::string& trouble : inventory_.load(chunk.number, chunk.entries))
      log_warn("inventory: " + trouble + "; it is left alone");
  }
  loaded_ = true;
  namespace_known_ = !chunks->empty();
  succeed();
}

std::string InventoryKeeper::commit_of(const ObjectKey& key) const {
  auto chunk = inventory_.chunk_of(key);
  auto commit = chunk ? commits_.find(*chunk) : commits_.end();
  return commit == commits_.end() ? "" : commit->second;
}

void InventoryKeeper::store_additions(const std::string& commit) {
  if (inventory_.has_additions()) store(inventory_.chunks_with_additions(), commit);
}

void InventoryKeeper::store_all(const std::string& commit) {
  if (!inventory_.is_clean()) store(inventory_.unsaved_chunks(), commit);
}

void InventoryKeeper::store(const std::set<int>& chunks, const std::string& commit) {
  if (clock_.monotonic() < not_before_) return;
  for (int chunk : chunks) {
    if (!storing_.insert(chunk).second) continue;
    workers_.run(Lane::Cluster,
                 [this, change = inventory_.take_change(chunk), commit, known = namespace_known_]() -> Completion {
                   Result<void> stored = known ? Result<void>() : cluster_.ensure_namespace(ns_);
                   if (stored) stored = store_.save(change, commit);
                   return [this, change, commit, stored] { finish_store(change, commit, stored); };
                 });
  }
}

void InventoryKeeper::finish_store(const ChunkChange& change, const std::string& commit, const Result<void>& stored) {
  storing_.erase(change.chunk);
  if (!stored) {
    inventory_.not_saved(change);
    return fail("the inventory cannot be stored", stored.error());
  }
  inventory_.saved(change);
  commits_[change.chunk] = commit;
  namespace_known_ = true;
  succeed();
}

void InventoryKeeper::succeed() {
  trouble_.clear();
  refused_ = false;
  backoff_.succeed();
}

void InventoryKeeper::fail(const std::string& what, const Error& error) {
  const Duration now = clock_.monotonic();
  const std::string why = what + ": " + error.message;
  refused_ = error.kind == ErrorKind::Invalid;
  namespace_known_ = false;  // it may have gone meanwhile
  not_before_ = now + backoff_.next(now.count(), 0.5);
  if (trouble_ != why) log_warn(why);
  trouble_ = why;
}

Duration InventoryKeeper::next_due() const {
  const bool to_load = !loaded_ && !loading_, to_store = loaded_ && !inventory_.is_clean();
  const bool waits = (to_load || to_store) && storing_.empty();
  return waits ? std::max(clock_.monotonic(), not_before_) : Duration::max();
}

}  // namespace reconciler
