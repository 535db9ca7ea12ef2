#include "base/memory.h"

#include <malloc.h>

namespace reconciler {
namespace {

constexpr int kHeaps = 2;

}  // namespace

void share_heaps() { mallopt(M_ARENA_MAX, kHeaps); }

void give_back_memory() { malloc_trim(0); }

}  // namespace reconciler
