// What we have asked the cluster to hold, so that we know what to remove when Git names it no more. Kept in the cluster
// as chunks of text entries; an entry stays in the chunk it was put into, so that a change costs its own entries only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/object_key.h"
#include "base/object_map.h"
#include "base/result.h"

namespace reconciler {

/// What people say about pruning one object, as a label or annotation `serin.dev/prune`.
enum class PruneMark { None, Disabled, Allow };

/// The mark on an object, live or in its manifest. `disabled` counts wherever it stands.
PruneMark prune_mark(const Json& object);

/// What an object has to remember of its manifest.
struct InventoryEntry {
  ObjectKey key;
  std::string version;                ///< `v1`, without the group
  std::string uid;                    ///< empty until it was seen; then only the owner label tells
  PruneMark mark = PruneMark::None;   ///< of the last manifest
  std::vector<std::string> services;  ///< of a Rollout: those whose selectors it writes
  bool operator==(const InventoryEntry&) const = default;
};

/// `apps/v1` of an entry.
std::string api_version_of(const InventoryEntry& entry);

/// The name of an entry within its chunk: short, and the same for the same object.
std::string entry_id(const ObjectKey& key);
/// One line of JSON; same entry, same text.
std::string entry_text(const InventoryEntry& entry);
Result<InventoryEntry> read_entry(std::string_view text);

/// Entries of one chunk that differ from what is stored; nothing for one that is gone.
struct ChunkChange {
  int chunk = 0;
  std::map<std::string, std::optional<std::string>> entries;  ///< by id
};

class Inventory {
 public:
  /// Takes over a stored chunk; says what of it cannot be read, which is then left as it is.
  std::vector<std::string> load(int chunk, const std::map<std::string, std::string>& entries);

  /// Nothing when it does not hold the object.
  std::optional<InventoryEntry> find(const ObjectKey& key) const;
  bool contains(const ObjectKey& key) const { return entries_.contains(key); }
  size_t size() const { return entries_.size(); }
  std::vector<ObjectKey> keys() const;
  /// Where the entry is kept.
  std::optional<int> chunk_of(const ObjectKey& key) const;

  /// Adds the object or takes over what its manifest says now; the UID stays.
  void name(const InventoryEntry& entry);
  void set_uid(const ObjectKey& key, const std::string& uid);
  void erase(const ObjectKey& key);

  /// The key, if any, under which the same live object stands too: a kind that moved to another group.
  std::optional<ObjectKey> alias_of(const InventoryEntry& entry) const;

  /// Is it stored that the object is ours, so that it may be written?
  bool is_stored(const ObjectKey& key) const;
  /// Objects that wait to be stored before they may be written.
  bool has_additions() const { return additions_ > 0; }
  bool is_clean() const { return unsaved_.empty(); }
  /// The chunks that differ from what is stored.
  std::set<int> unsaved_chunks() const;
  /// Those of them that hold something new.
  std::set<int> chunks_with_additions() const;
  /// What of a chunk is to be stored now; `saved` or `not_saved` must follow.
  ChunkChange take_change(int chunk);
  void saved(const ChunkChange& change);
  void not_saved(const ChunkChange& change);

 private:
  /// An entry without its key: tens of thousands are kept.
  struct Kept {
    std::string version;
    std::string uid;
    std::vector<std::string> services;
    PruneMark mark = PruneMark::None;
    int chunk = 0;
    bool stored = false;
  };
  static InventoryEntry entry_of(const ObjectKey& key, const Kept& kept);
  int chunk_with_room(size_t bytes);
  void touch(int chunk, const ObjectKey& key);

  ObjectMap<Kept> entries_;
  std::map<std::string, int> groups_;                        ///< how many entries each API group has
  std::vector<size_t> bytes_;                                ///< of each chunk
  std::map<int, std::map<std::string, ObjectKey>> unsaved_;  ///< by chunk and id
  size_t additions_ = 0;
};

}  // namespace reconciler
