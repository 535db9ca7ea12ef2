#pragma once

namespace reconciler {

/// Prints where and what, then aborts. Used by CHECK and unreachable(); not called directly.
[[noreturn]] void check_failed(const char* what, const char* file, int line);

/// Ends a function whose `switch` names every case.
#define unreachable() ::reconciler::check_failed("unreachable", __FILE__, __LINE__)

/// What can go wrong only through our own bug; always on. Never used for input, files or the network.
#define CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::reconciler::check_failed(#condition, __FILE__, __LINE__))

}  // namespace reconciler
