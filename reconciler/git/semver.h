// Semantic versions (semver.org 2.0) and ranges of them as package managers write them.
//
//   >=1.2 <2      both          1.2.x, 1.2, 1.*   any patch of 1.2, any of 1
//   1.x || 3.0.1  either        ~1.2.3            >=1.2.3 <1.3.0
//   * (or empty)  any           ^1.2.3            >=1.2.3 <2.0.0; ^0.2.3: <0.3.0
//
// A version with a pre-release (1.3.0-rc.1) is in a range only when a part of the range names one for the same
// major.minor.patch, so that nobody gets one unasked.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace reconciler {

struct Version {
  uint64_t major = 0, minor = 0, patch = 0;
  std::vector<std::string> prerelease = {};
};

/// By precedence; build metadata is not looked at.
std::strong_ordering compare(const Version& a, const Version& b);

/// `1.2.3`, `v1.2.3-rc.1+build.5`; nothing for anything else.
std::optional<Version> parse_version(std::string_view text);

class VersionRange {
 public:
  /// `Invalid` when it cannot be understood.
  static Result<VersionRange> parse(std::string_view text);

  bool contains(const Version& version) const;

 private:
  enum class Relation { Less, LessOrEqual, Equal, NotEqual, GreaterOrEqual, Greater };
  struct Bound {
    Relation relation = Relation::Equal;
    Version version;
  };
  using All = std::vector<Bound>;

  static bool add_part(std::string_view part, All& bounds);
  static bool holds(const Bound& bound, const Version& version);

  std::vector<All> either_;
};

}  // namespace reconciler
