// Many small files made one: each recorded commit is about six loose objects, and libgit2 has no `git gc`.
#pragma once

#include <string>

#include "base/result.h"
#include "git/handle.h"

namespace reconciler {

/// When the clone holds at least `loose_min` loose objects: writes them as one durable pack, then removes the loose
/// copies. Another handle that looks for one of them finds the pack. Returns how many were packed.
Result<size_t> pack_loose_objects(git_repository& repository, const std::string& clone, size_t loose_min);

}  // namespace reconciler
