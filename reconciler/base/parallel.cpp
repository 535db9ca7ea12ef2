#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace reconciler {

void parallel_for(size_t count, const std::function<void(size_t)>& work) {
  constexpr size_t kWorthAThread = 8;
  constexpr size_t kThreadsMax = 8;
  std::atomic<size_t> next{0};
  auto take_turns = [&] {
    for (size_t i = next++; i < count; i = next++) work(i);
  };
  const size_t cores = std::min<size_t>(std::max(1u, std::thread::hardware_concurrency()), kThreadsMax);
  std::vector<std::jthread> others;
  for (size_t i = 1; i < std::min(cores, count / kWorthAThread); ++i) others.emplace_back(take_turns);
  take_turns();
}

}  // namespace reconciler
