// libgit2 has no gc. Loose objects become packs, and many small packs one, so that a clone stays small and quick over
// months of recording and fetching.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "git/handle.h"

namespace reconciler {

/// Writes all loose objects into one pack and removes them, when there are `loose_min` or more. Returns how many.
Result<size_t> pack_loose_objects(git_repository& repository, const std::string& clone, size_t loose_min);

/// Writes everything in the small packs into one, when there are `packs_min` of them or more. Returns the packs that it
/// stands for: they may go once no handle that was opened before is read from any more.
Result<std::vector<std::string>> merge_small_packs(git_repository& repository, const std::string& clone,
                                                   size_t packs_min);

/// Removes packs that another one stands for.
Result<void> remove_packs(const std::vector<std::string>& packs);

}  // namespace reconciler
