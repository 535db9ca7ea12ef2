#pragma once

#include <deque>
#include <string>

#include "base/time.h"

namespace reconciler {

/// How often one and the same drift of an object was corrected lately. Times are monotonic.
class DriftHistory {
 public:
  static constexpr size_t kCorrectionsMax = 5;
  static constexpr Duration kWithin = 10min;

  /// A drift of these fields is about to be corrected. False when it was corrected too often within the last ten
  /// minutes: somebody else wants it otherwise, and going on would be a fight. Another drift starts anew.
  bool may_correct(const std::string& fields, Duration now);

  /// Something else changed: the manifest, or the other side.
  void forget();

 private:
  std::string fields_;
  std::deque<Duration> corrected_;
};

}  // namespace reconciler
