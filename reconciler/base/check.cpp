#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace reconciler {

void check_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "serin: internal error at %s:%d: %s\n", file, line, what);
  std::abort();
}

}  // namespace reconciler
