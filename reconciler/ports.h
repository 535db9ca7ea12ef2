// The outside world on one page. Everything the program does goes through these; retry, dry run, logging and faults
// are decorators, not flags.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/object_key.h"
#include "base/result.h"
#include "base/time.h"
#include "objects/health.h"
#include "objects/inventory.h"
#include "rollout/action.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"

namespace reconciler {

// ---- Git ----------------------------------------------------------------------------------------------------------

struct CommitInfo {
  std::string id;
  std::string author;  ///< `Name <email>`
  TimePoint time;      ///< author date
  std::string message;
  std::string parent = {};  ///< its first parent; empty without one
};

/// Who stands behind a commit.
struct Provenance {
  std::string signer;                ///< principal of its good signature; empty without one
  std::string unsigned_because;      ///< why there is none
  std::vector<std::string> writers;  ///< authors of what it made of a path: of a merge, those of what it merged
};

/// The watched branch after a poll.
struct Head {
  std::string commit;  ///< what is in force: the fetched tip, or the last good one while held
  std::string
      complaint;  ///< why the remote's tip is not followed (history rewritten, branch missing); empty when it is
};

enum class EntryKind {
  File,
  Symlink,
  Submodule,
  Unsafe,  ///< a name that no checkout would accept (`..`, `.git`, control characters), escaped; never to be read
};

struct TreeEntry {
  std::string blob;  ///< object id
  EntryKind kind = EntryKind::File;
  bool operator==(const TreeEntry&) const = default;
};

/// One path that differs between two commits.
struct TreeChange {
  std::string path;
  std::optional<TreeEntry> before;
  std::optional<TreeEntry> after;
};

/// One status commit: one file written, or removed when there is no content.
struct StatusWrite {
  std::string path;
  std::optional<std::string> content;
  std::string message;
  TimePoint time;  ///< author date: the moment of the decision
};

struct PushReport {
  size_t commits = 0;                    ///< how many became part of the remote branch
  std::vector<std::string> overwritten;  ///< status files that somebody else had changed meanwhile
};

/// A bare clone: the branch as fetched ("theirs") and our status commits on top of it ("ours"), kept apart.
/// `poll` and `push` talk to the network and belong to one I/O thread; the rest is local and belongs to the
/// decision thread. Each network call ends within its deadline.
class GitRepository {
 public:
  virtual ~GitRepository() = default;

  /// Lists the remote's refs once and fetches when the watched branch moved. An error (`Transient`: unreachable;
  /// `Invalid`: refused) leaves the last good head in force.
  virtual Result<Head> poll() = 0;

  /// The head in force without asking the remote; nothing before the first successful poll of this clone.
  virtual std::optional<std::string> head() = 0;

  /// The paths under `directory` (empty: all) that differ between two commits; `from` empty means from nothing.
  /// Costs a tree comparison by id. A directory that is missing in `to` is `Invalid`, never "everything removed".
  virtual Result<std::vector<TreeChange>> changes(const std::string& from, const std::string& to,
                                                  const std::string& directory) = 0;

  /// The content of a blob; `Invalid` above `bytes_max`, found out without loading it.
  virtual Result<std::string> read(const std::string& blob, size_t bytes_max) = 0;

  /// First-parent commits of (`from`, `to`] that changed `path` (empty: all, even empty ones), newest first, at most
  /// `limit`; `from` empty: from the root.
  virtual Result<std::vector<CommitInfo>> commits_touching(const std::string& path, const std::string& from,
                                                           const std::string& to, size_t limit) = 0;

  /// The content of a file of a commit; nothing when there is none. `Invalid` when it is too large or no regular file.
  virtual Result<std::optional<std::string>> file(const std::string& commit, const std::string& path,
                                                  size_t bytes_max) = 0;

  /// Who made a commit, and what it made of `path`. May wait for a child process, so it belongs to I/O threads.
  virtual Result<Provenance> provenance(const std::string& commit, const std::string& path) = 0;

  /// The files under `directory` as ours has them: what was recorded last, pushed or not.
  virtual Result<std::vector<std::pair<std::string, std::string>>> recorded(const std::string& directory) = 0;

  /// Makes one local commit per write, in order, durable when it returns. A write that changes nothing makes none.
  virtual Result<void> record(const std::vector<StatusWrite>& writes) = 0;

  /// Rebuilds our commits on the remote's tip and pushes them: one try. `Conflict`: somebody was faster, try again.
  virtual Result<PushReport> push() = 0;

  /// How many of our commits the remote does not have.
  virtual size_t unpushed() = 0;

  /// At start and on gaining the lease, after a poll: drops unpushed commits about files that somebody else changed
  /// since they were built. Returns those paths.
  virtual Result<std::vector<std::string>> drop_outdated() = 0;
};

// ---- Kubernetes ---------------------------------------------------------------------------------------------------

/// What the watch of a followed kind shows of an object.
struct Glimpse {
  uint64_t content = 0;  ///< `content_digest`: equal means that nothing but status and bookkeeping changed
  Health health;
};

/// Something in the cluster changed that a rollout or an applied object may care about.
struct ClusterChange {
  ObjectKey key;
  std::optional<RolloutKey> rollout;  ///< set for ReplicaSets and pods of a rollout
  std::optional<Glimpse> seen;        ///< of followed kinds; nothing when the object is gone
};

enum class Follow {
  Ours,  ///< what carries our owner label: enough to see what happens to what we applied
  All,   ///< for what must be found whoever made it
};

/// A kind of object that the cache is to hold.
struct FollowedKind {
  std::string api_version;
  std::string kind;
  Follow which = Follow::Ours;
  auto operator<=>(const FollowedKind&) const = default;
};

enum class ApplyMode {
  Write,
  DryRun,
  Status,  ///< writes the status subresource of an object that exists, and nothing else
};

enum class ReadMode {
  Known,  ///< as the cache has it, where it has it: without managedFields and status
  Fresh,  ///< as the API server has it now, managedFields included
};

/// The live cluster. Reads come from watch caches and never touch the network; an answer to a write enters the cache
/// like a watch event. `observe`, `follow` and `take_changes` belong to the decision thread, the rest to any thread.
class Cluster {
 public:
  virtual ~Cluster() = default;

  /// Nothing is decided before this succeeds: the caches have listed once. Says what is missing. A followed kind that
  /// cannot be listed is tried once and holds nobody up.
  virtual Result<void> ready() = 0;

  /// Holds these kinds in the cache, beside those that rollouts are made of, and tells what changes about them, the
  /// first list included. What an earlier call named and this one does not is forgotten.
  virtual void follow(const std::set<FollowedKind>& kinds) = 0;

  /// What this rollout looks like at `now`.
  virtual Result<Observed> observe(const Rollout& rollout, TimePoint now) = 0;

  /// Makes it so. `Conflict`: what the action was planned on is out of date. `Invalid`: refused by the API server.
  virtual Result<void> carry_out(const RolloutKey& rollout, const Action& action) = 0;

  /// The live object; nothing when it does not exist. May ask the API server, so it belongs to an I/O thread.
  virtual Result<std::optional<Json>> read(const Json& manifest, ReadMode mode) = 0;

  /// Server-side apply with our field manager and owner label, ownership forced. Returns the object after it.
  virtual Result<Json> apply(const Json& object, ApplyMode mode) = 0;

  /// Changes a live object by a JSON patch (RFC 6902). `Conflict`: a test in it failed.
  virtual Result<void> patch(const Json& manifest, const Json& patch) = 0;

  /// Deletes this live object, by its name and UID, and in the background what belongs to it. One that is gone is as it
  /// should be. `Conflict`: another object has taken the name.
  virtual Result<void> remove(const Json& live) = 0;

  /// Creates the namespace unless it exists.
  virtual Result<void> ensure_namespace(const std::string& name) = 0;

  /// What changed since the last call, each object once.
  virtual std::vector<ClusterChange> take_changes() = 0;

  /// `wake` is called, from any thread, when `take_changes` has something new. It must return at once.
  virtual void on_change(std::function<void()> wake) = 0;
};

/// A stored part of the inventory.
struct InventoryChunk {
  int number = 0;
  std::string commit;                          ///< in force when it was stored last
  std::map<std::string, std::string> entries;  ///< by id
};

/// Where the inventory is kept. Belongs to I/O threads, each chunk to one at a time.
class InventoryStore {
 public:
  virtual ~InventoryStore() = default;

  virtual Result<std::vector<InventoryChunk>> load() = 0;

  /// Stores what changed of one chunk; the rest of it stays as it is. Safe to repeat.
  virtual Result<void> save(const ChunkChange& change, const std::string& commit) = 0;
};

// ---- Time ---------------------------------------------------------------------------------------------------------

class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall-clock time, for what is recorded.
  virtual TimePoint now() = 0;
  /// Never goes back; for waits and deadlines.
  virtual Duration monotonic() = 0;
};

}  // namespace reconciler
