#include "objects/inventory.h"

#include "base/check.h"
#include "base/format.h"

namespace reconciler {
namespace {

/// Far below what a ConfigMap may hold: a change makes the API server store the whole chunk again.
constexpr size_t kChunkBytesMax = 128 << 10;
/// What an entry takes beside its text: id, quotes, and room for the UID that comes later.
constexpr size_t kEntryOverhead = 100;

size_t weight(const InventoryEntry& entry) { return entry_text(entry).size() + kEntryOverhead; }

}  // namespace

std::vector<std::string> Inventory::load(int chunk, const std::map<std::string, std::string>& entries) {
  std::vector<std::string> troubles;
  if (size_t(chunk) >= bytes_.size()) bytes_.resize(size_t(chunk) + 1);
  for (const auto& [id, text] : entries) {
    auto entry = read_entry(text);
    if (!entry || entry_id(entry->key) != id) {
      troubles.push_back(format("entry {} of chunk {}: {}", id, chunk,
                                entry ? "it stands under the wrong name" : entry.error().message));
      continue;
    }
    bytes_[size_t(chunk)] += weight(*entry);
    if (entries_.contains(entry->key)) continue;
    entries_[entry->key] = {entry->version, entry->uid, entry->services, entry->mark, chunk, true};
    ++groups_[entry->key.group];
  }
  return troubles;
}

InventoryEntry Inventory::entry_of(const ObjectKey& key, const Kept& kept) {
  return {.key = key, .version = kept.version, .uid = kept.uid, .mark = kept.mark, .services = kept.services};
}

std::optional<InventoryEntry> Inventory::find(const ObjectKey& key) const {
  const Kept* kept = entries_.find(key);
  return kept ? std::optional(entry_of(key, *kept)) : std::nullopt;
}

std::vector<ObjectKey> Inventory::keys() const {
  std::vector<ObjectKey> out;
  out.reserve(entries_.size());
  entries_.for_each([&](const ObjectKey& key, const Kept&) { out.push_back(key); });
  return out;
}

std::optional<int> Inventory::chunk_of(const ObjectKey& key) const {
  const Kept* kept = entries_.find(key);
  return kept ? std::optional(kept->chunk) : std::nullopt;
}

int Inventory::chunk_with_room(size_t bytes) {
  for (size_t chunk = 0; chunk < bytes_.size(); ++chunk)
    if (bytes_[chunk] + bytes <= kChunkBytesMax) return int(chunk);
  bytes_.push_back(0);
  return int(bytes_.size()) - 1;
}

void Inventory::touch(int chunk, const ObjectKey& key) { unsaved_[chunk][entry_id(key)] = key; }

void Inventory::name(const InventoryEntry& entry) {
  Kept* kept = entries_.find(entry.key);
  if (!kept) {
    const size_t bytes = weight(entry);
    const int chunk = chunk_with_room(bytes);
    bytes_[size_t(chunk)] += bytes;
    entries_[entry.key] = {entry.version, entry.uid, entry.services, entry.mark, chunk, false};
    ++groups_[entry.key.group];
    ++additions_;
    return touch(chunk, entry.key);
  }
  const InventoryEntry before = entry_of(entry.key, *kept);
  InventoryEntry next = entry;
  next.uid = before.uid;
  if (next == before) return;
  size_t& bytes = bytes_[size_t(kept->chunk)];
  bytes = bytes - weight(before) + weight(next);
  kept->version = next.version;
  kept->mark = next.mark;
  kept->services = next.services;
  touch(kept->chunk, entry.key);
}

void Inventory::set_uid(const ObjectKey& key, const std::string& uid) {
  Kept* kept = entries_.find(key);
  if (!kept || kept->uid == uid) return;
  size_t& bytes = bytes_[size_t(kept->chunk)];
  bytes -= weight(entry_of(key, *kept));
  kept->uid = uid;
  bytes += weight(entry_of(key, *kept));
  touch(kept->chunk, key);
}

void Inventory::erase(const ObjectKey& key) {
  const Kept* kept = entries_.find(key);
  if (!kept) return;
  bytes_[size_t(kept->chunk)] -= weight(entry_of(key, *kept));
  if (!kept->stored) --additions_;
  if (--groups_[key.group] == 0) groups_.erase(key.group);
  touch(kept->chunk, key);
  entries_.erase(key);
}

std::optional<ObjectKey> Inventory::alias_of(const InventoryEntry& entry) const {
  if (entry.uid.empty()) return std::nullopt;
  for (const auto& [group, count] : groups_) {
    if (group == entry.key.group) continue;
    ObjectKey other = entry.key;
    other.group = group;
    const Kept* kept = entries_.find(other);
    if (kept && kept->uid == entry.uid) return other;
  }
  return std::nullopt;
}

bool Inventory::is_stored(const ObjectKey& key) const {
  const Kept* kept = entries_.find(key);
  return kept && kept->stored;
}

std::set<int> Inventory::unsaved_chunks() const {
  std::set<int> out;
  for (const auto& [chunk, keys] : unsaved_) out.insert(chunk);
  return out;
}

std::set<int> Inventory::chunks_with_additions() const {
  std::set<int> out;
  for (const auto& [chunk, keys] : unsaved_)
    for (const auto& [id, key] : keys)
      if (const Kept* kept = entries_.find(key); kept && !kept->stored) {
        out.insert(chunk);
        break;
      }
  return out;
}

ChunkChange Inventory::take_change(int chunk) {
  ChunkChange out{.chunk = chunk};
  auto keys = unsaved_.find(chunk);
  if (keys == unsaved_.end()) return out;
  for (const auto& [id, key] : keys->second) {
    const Kept* kept = entries_.find(key);
    const bool here = kept && kept->chunk == chunk;
    out.entries[id] = here ? std::optional(entry_text(entry_of(key, *kept))) : std::nullopt;
  }
  unsaved_.erase(keys);
  return out;
}

void Inventory::saved(const ChunkChange& change) {
  for (const auto& [id, text] : change.entries) {
    if (!text) continue;
    auto entry = read_entry(*text);
    CHECK(entry);
    Kept* kept = entries_.find(entry->key);
    if (!kept || kept->stored || kept->chunk != change.chunk) continue;
    kept->stored = true;
    --additions_;
  }
}

void Inventory::not_saved(const ChunkChange& change) {
  for (const auto& [id, text] : change.entries) {
    // What became of it meanwhile is what is to be stored; an entry that is gone is known by its id alone.
    auto entry = text ? read_entry(*text) : Result<InventoryEntry>(invalid("gone"));
    unsaved_[change.chunk].try_emplace(id, entry ? entry->key : ObjectKey{});
  }
}

}  // namespace reconciler
