// When something comes round: the five fields of cron(8).
#pragma once

#include <bitset>
#include <string_view>

#include "base/result.h"
#include "base/time_zone.h"

namespace reconciler {

struct Cron {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;     ///< of the month, from 1
  std::bitset<13> months;   ///< from 1
  std::bitset<7> weekdays;  ///< from Sunday
  bool every_day = false;   ///< the field `days` begins with `*`
  bool every_weekday = false;
  bool operator==(const Cron&) const = default;

  /// With both restricted, one of the two is enough, as cron has it.
  bool comes_on(std::chrono::sys_days day) const;
};

/// `minute hour day-of-month month day-of-week`, each `*`, a number, a name (`fri`, `nov`), a range, a step (`*/15`,
/// `9-17/2`) or a list of those. Sunday is 0 and 7.
Result<Cron> parse_cron(std::string_view text);

}  // namespace reconciler
