// What Git names no more, and which of it may be deleted: the rules of spec/gitops.md 8, as a function.
//
//   stale = inventory - Git ──► held (too many, everything, a dangerous kind, still serving), until people release it
//                          └──► goes, last applied first, if the live object is the very one and still ours
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "objects/inventory.h"

namespace reconciler {

/// One object that Git names no more.
struct Stale {
  InventoryEntry entry;
  bool released = false;   ///< people asked for it, by the trailer on a commit
  std::string needed_for;  ///< what would be harmed, and what people can do; empty when nothing is
};

/// What people can do about most holds.
constexpr std::string_view kReleaseAdvice =
    "to release it, put the trailer `Serin-Prune: allow` on a commit, even an empty one";

struct PrunePlan {
  std::vector<InventoryEntry> go;         ///< in order: last applied, first removed
  std::vector<InventoryEntry> unmanaged;  ///< they stay in the cluster and are no longer ours: `prune: disabled`
  std::map<ObjectKey, std::string> held;  ///< and what people can do about it
};

/// `set`: how many objects the inventory holds, the stale ones among them.
PrunePlan plan_prune(const std::vector<Stale>& stale, size_t set);

/// Does this kind take more along than itself, so that it only goes when people say so?
bool is_dangerous(const ObjectKey& key);

/// Does a commit message carry the trailer `Serin-Prune: allow`?
bool allows_prune(std::string_view message);

enum class LiveFate {
  Delete,
  Gone,   ///< it does not exist any more
  Leave,  ///< it is not ours any more, for good
  Hold,   ///< only people can let it go
};

struct LiveVerdict {
  LiveFate fate = LiveFate::Leave;
  std::string why;
};

/// The last look before a deletion.
LiveVerdict judge_live(const Stale& stale, const std::optional<Json>& live, std::string_view owner);

}  // namespace reconciler
