#pragma once

#include <map>
#include <string>
#include <utility>

#include "base/object_key.h"
#include "daemon/object_work.h"
#include "objects/health.h"

namespace reconciler {

/// A drift that is not corrected.
struct DriftReport {
  Drift drift;
  bool is_fight = false;  ///< corrected again and again, and somebody changes it back
  /// Who changed it, as far as anybody knows.
  std::string who() const { return drift.by.empty() ? "somebody unknown" : drift.by; }
  std::string text() const;
};

/// The plain objects, for people, metrics and exit codes.
struct ObjectReport {
  std::map<std::string, size_t> total;       ///< by kind
  std::map<ObjectKey, std::string> failed;   ///< not as Git asks for, and why
  std::map<ObjectKey, Health> unsettled;     ///< as Git asks for, but not current
  std::map<ObjectKey, DriftReport> drifted;  ///< changed by others, and left so

  /// How often something happened to objects of a kind since the start: `applied`, `corrected`, `reported`, `fight`.
  using Counts = std::map<std::pair<std::string, std::string>, size_t>;
  Counts counts;  ///< by kind and what happened

  /// Everything is as Git asks for, and works. What is suspended on purpose counts.
  bool in_sync() const;
};

}  // namespace reconciler
