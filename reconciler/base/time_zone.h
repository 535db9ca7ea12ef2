// Times as wall clocks show them, by the time zones of the system's tzdata.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace reconciler {

/// A minute of a calendar and a wall clock.
struct CivilMinute {
  std::chrono::year_month_day day;
  int hour = 0;
  int minute = 0;
};

/// One zone with all its rules, read once: what it answers depends on nothing else.
class TimeZone {
 public:
  /// By its IANA name (`Europe/Berlin`, `UTC`); nothing when the system knows none of that name.
  static std::optional<TimeZone> named(std::string_view name);

  const std::string& name() const { return name_; }
  CivilMinute civil(TimePoint time) const;

  /// When clocks begin to show a minute: the first time and the last, which differ when clocks are put back over it.
  /// One that is skipped when clocks are put forward: the moment of that.
  struct Shown {
    TimePoint first, last;
  };
  Shown shown(const CivilMinute& minute) const;

  bool operator==(const TimeZone& other) const { return name_ == other.name_; }

 private:
  struct Rules;
  TimeZone(std::string name, std::shared_ptr<const Rules> rules) : name_(std::move(name)), rules_(std::move(rules)) {}

  std::string name_;
  std::shared_ptr<const Rules> rules_;
};

}  // namespace reconciler
