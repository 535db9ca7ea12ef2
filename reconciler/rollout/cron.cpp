#include "rollout/cron.h"

#include <charconv>
#include <vector>

#include "base/format.h"
#include "base/text.h"

namespace reconciler {
namespace {

constexpr size_t kTextMax = 256;

struct CronField {
  std::string_view name;
  int least = 0;
  int most = 0;
  std::string_view names = "";  ///< three letters each, from `least` on
};

std::optional<int> number_in(std::string_view text, const CronField& field) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && !text.empty())
    return number >= field.least && number <= field.most ? std::optional(number) : std::nullopt;
  if (text.size() != 3) return std::nullopt;
  const std::string lower = lower_case(text);
  for (size_t i = 0; i + 3 <= field.names.size(); i += 3)
    if (field.names.substr(i, 3) == lower) return field.least + int(i / 3);
  return std::nullopt;
}

/// `9-17/2`: the numbers it stands for, as bits; nothing when it is wrong.
std::optional<uint64_t> read_part(std::string_view part, const CronField& field) {
  const auto stepped = split(part, '/');
  const auto range = split(stepped[0], '-');
  if (stepped.size() > 2 || range.size() > 2) return std::nullopt;
  std::optional<int> first, last, step = 1;
  if (stepped[0] == "*") {
    first = field.least;
    last = field.most;
  } else {
    first = number_in(range[0], field);
    last = range.size() == 2 ? number_in(range[1], field) : stepped.size() == 2 ? std::optional(field.most) : first;
  }
  if (stepped.size() == 2) step = number_in(stepped[1], {.name = field.name, .least = 1, .most = field.most});
  if (!first || !last || !step || *first > *last) return std::nullopt;
  uint64_t bits = 0;
  for (int i = *first; i <= *last; i += *step) bits |= uint64_t(1) << i;
  return bits;
}

}  // namespace

bool Cron::comes_on(std::chrono::sys_days day) const {
  const std::chrono::year_month_day date(day);
  if (!months[unsigned(date.month())]) return false;
  const bool by_day = days[unsigned(date.day())];
  const bool by_weekday = weekdays[std::chrono::weekday(day).c_encoding()];
  return every_day || every_weekday ? by_day && by_weekday : by_day || by_weekday;
}

Result<Cron> parse_cron(std::string_view text) {
  if (text.size() > kTextMax) return invalid(format("is longer than {} characters", kTextMax));
  constexpr CronField kFields[] = {{"minute", 0, 59},
                                   {"hour", 0, 23},
                                   {"day of the month", 1, 31},
                                   {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                   {"day of the week", 0, 7, "sunmontuewedthufrisat"}};
  std::vector<std::string_view> words;
  for (std::string_view word : split(text, ' '))
    if (!word.empty()) words.push_back(word);
  if (words.size() != std::size(kFields))
    return invalid("must have five fields (minute hour day-of-month month day-of-week), such as 0 18 * * fri");
  uint64_t bits[std::size(kFields)] = {};
  for (size_t i = 0; i < words.size(); ++i)
    for (std::string_view part : split(words[i], ',')) {
      auto some = read_part(part, kFields[i]);
      if (!some) return invalid(format("has the {} {}, which cannot be", kFields[i].name, words[i]));
      bits[i] |= *some;
    }
  const uint64_t weekdays = (bits[4] | bits[4] >> 7) & 0x7f;
  return Cron{.minutes = std::bitset<60>(bits[0]),
              .hours = std::bitset<24>(bits[1]),
              .days = std::bitset<32>(bits[2]),
              .months = std::bitset<13>(bits[3]),
              .weekdays = std::bitset<7>(weekdays),
              .every_day = words[2].front() == '*',
              .every_weekday = words[4].front() == '*'};
}

}  // namespace reconciler
