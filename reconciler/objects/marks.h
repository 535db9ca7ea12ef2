// What a manifest says about how it wants to be applied: labels or annotations of the name `serin.dev/...`.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "objects/pointer.h"

namespace reconciler {

enum class ApplyMark {
  Always,    ///< as the manifest says, and again when somebody changes it
  IfAbsent,  ///< made when it is not there, and left alone after that
  Merge,     ///< its fields are set; what other managers own there is left to them when it is taken over
};

struct Marks {
  bool reconciled = true;  ///< `serin.dev/reconcile: disabled` is not there
  ApplyMark apply = ApplyMark::Always;
  bool replaced = false;             ///< `serin.dev/force: enabled`: made anew when a field cannot be changed
  std::vector<Pointer> ignored;      ///< `serin.dev/ignore: /spec/replicas,/data/x`: fields that are left to others
  std::vector<std::string> unknown;  ///< marks whose value nobody understands, as `name: value`
  bool operator==(const Marks&) const = default;
};

/// An annotation wins over a label of the same name.
Marks marks_of(const Json& object);

}  // namespace reconciler
