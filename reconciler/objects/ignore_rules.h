// Fields that are left to others: which, of which objects, and what that makes of a manifest.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "objects/pointer.h"

namespace reconciler {

/// Paths of the objects that fit all of what is given; `*` in a text stands for anything.
struct IgnoreRule {
  std::string group = "*";
  std::string kind = "*";
  std::string ns = "*";
  std::string name = "*";
  std::map<std::string, std::string> labels = {};  ///< of the manifest; each must be there
  std::vector<Pointer> paths = {};
  bool operator==(const IgnoreRule&) const = default;
};

/// Every path of the manifest that a rule or its own mark `serin.dev/ignore` leaves to others.
std::vector<Pointer> ignored_paths(const std::vector<IgnoreRule>& rules, const Json& manifest);

/// The manifest that leaves these paths as they are in `live`, which has managedFields. What another manager applies is
/// left out, and so is what is not there; what was only ever updated keeps its live value.
Json leaving_alone(Json manifest, const Json& live, const std::vector<Pointer>& paths, std::string_view manager);

/// The manifest without the paths that anybody else owns in `live`, by whatever verb: they stay there when it is
/// applied. The others are as in `live`, so that giving up their ownership removes nothing.
Json left_to_others(Json manifest, const Json& live, const std::vector<Pointer>& paths, std::string_view manager);

/// As `leaving_alone`, for comparing with a `live` that has no managedFields: each path as it is there.
Json as_in(Json manifest, const Json& live, const std::vector<Pointer>& paths);

}  // namespace reconciler
