#include "rollout/cron.h"

#include "catch.h"

using namespace reconciler;
using namespace std::chrono;

namespace {

bool comes(std::string_view text, year_month_day day) { return parse_cron(text)->comes_on(sys_days(day)); }

}  // namespace

TEST_CASE("the five fields of cron", "[cron]") {
  const Cron cron = *parse_cron("*/15 9-17/4 1,15 * mon-fri");
  CHECK(cron.minutes.count() == 4);
  CHECK(cron.minutes[45]);
  CHECK(cron.hours.to_ulong() == (1u << 9 | 1u << 13 | 1u << 17));
  CHECK(cron.weekdays.to_ulong() == 0b0111110);
  CHECK(parse_cron("0 0 * * 7")->weekdays == parse_cron("0 0 * * sun")->weekdays);
  CHECK(parse_cron("5/20 0 * JAN,dec *")->minutes.to_ullong() == (1ull << 5 | 1ull << 25 | 1ull << 45));
}

TEST_CASE("what cannot be a time is refused", "[cron]") {
  for (const char* wrong : {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
                            "* * * * 8", "*/0 * * * *", "5-1 * * * *", "1-2-3 * * * *", "a * * * *", "1, * * * *",
                            "* * * * fri/x", "-1 * * * *", "+1 * * * *", "@daily"})
    CHECK_FALSE(parse_cron(wrong));
  CHECK(parse_cron("* 25 * * *").error().message == "has the hour 25, which cannot be");
}

TEST_CASE("a day of the month or a day of the week is enough", "[cron]") {
  const auto friday_27 = 2026y / November / 27, tuesday_1 = 2026y / December / 1, sunday_29 = 2026y / November / 29;
  CHECK(comes("0 0 * * fri", friday_27));
  CHECK_FALSE(comes("0 0 * * fri", tuesday_1));
  CHECK(comes("0 0 1 * fri", friday_27));
  CHECK(comes("0 0 1 * fri", tuesday_1));
  CHECK_FALSE(comes("0 0 1 * fri", sunday_29));
  CHECK_FALSE(comes("0 0 * 12 *", friday_27));
}
