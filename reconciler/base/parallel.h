#pragma once

#include <cstddef>
#include <functional>

namespace reconciler {

/// Calls `work(i)` for each i below `count`, on all cores, and returns when all are done. What `work` touches is its
/// own or constant; it does not throw. A few are not worth a thread and run here.
void parallel_for(size_t count, const std::function<void(size_t)>& work);

}  // namespace reconciler
