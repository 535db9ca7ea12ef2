// Chance, always from a seed: the same seed draws the same numbers on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/time.h"

namespace reconciler {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// 0 to `count` - 1.
  int below(int count) {
    CHECK(count > 0);
    return int(next() % uint64_t(count));
  }
  int between(int lowest, int highest) { return lowest + below(highest - lowest + 1); }
  bool chance(double probability) { return double(next() >> 11) < probability * double(uint64_t(1) << 53); }
  Duration between(Duration shortest, Duration longest) {
    return shortest + Duration(int64_t(next() % uint64_t((longest - shortest).count() + 1)));
  }
  template <class T>
  const T& pick(const std::vector<T>& all) {
    return all[size_t(below(int(all.size())))];
  }
  /// A generator of its own, so that what one part draws does not move the others.
  Random fork() { return Random(next()); }

 private:
  uint64_t state_;
};

}  // namespace reconciler
