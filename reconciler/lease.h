// The one port that only a leader's election needs; the others are in ports.h.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace reconciler {

/// What daemons agree by on who of them decides: a record that all of them see and only one can replace.
struct LeaseRecord {
  std::string holder;       ///< empty: nobody
  std::string last_holder;  ///< who held it last, also after it was released
  bool taken_over = false;  ///< that one had read what was recorded before it, and may have decided
  Duration duration{0};     ///< how long the holder may be silent
  TimePoint acquired;
  TimePoint renewed;
  int64_t transitions = 0;  ///< how often it changed hands
  std::string version;      ///< of the record as stored; empty: not stored yet
  bool operator==(const LeaseRecord&) const = default;
};

/// Where that record is kept. Belongs to one thread.
class Lease {
 public:
  virtual ~Lease() = default;

  /// The record as it is; nothing when there is none.
  virtual Result<std::optional<LeaseRecord>> read() = 0;

  /// Creates the record, or replaces exactly `record.version`; returns it as stored. `Conflict`: somebody was faster.
  virtual Result<LeaseRecord> write(const LeaseRecord& record) = 0;
};

}  // namespace reconciler
