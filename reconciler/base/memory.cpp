#include "base/memory.h"

#include <malloc.h>

namespace reconciler {
namespace {

constexpr int kHeaps = 2;
constexpr size_t kMuchBytes = 4 << 20;

}  // namespace

void share_heaps() { mallopt(M_ARENA_MAX, kHeaps); }

void give_back_memory() {
  if (mallinfo2().fordblks > kMuchBytes) malloc_trim(0);
}

}  // namespace reconciler
