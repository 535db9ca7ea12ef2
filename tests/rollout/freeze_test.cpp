#include "rollout/freeze.h"

#include "catch.h"

using namespace reconciler;

namespace {

const RolloutKey kTill{"shop", "till"};

TimePoint when(std::string_view text) { return parse_time(text).value(); }

FreezeWindow window(std::string_view start, Duration length, std::string_view zone = "Europe/Berlin",
                    const std::string& reason = "Black Friday") {
  return {"shop/*", *parse_cron(start), TimeZone::named(zone).value(), length, reason, false};
}

/// `frozen until ...` at that moment; empty when it is not.
std::string at_moment(const std::vector<FreezeWindow>& windows, std::string_view now) {
  auto freeze = open_freeze(windows, kTill, when(now));
  return freeze ? frozen_text(*freeze) : "";
}

}  // namespace

TEST_CASE("a window is open from its start until its length is over", "[freeze]") {
  const std::vector<FreezeWindow> weekend = {window("0 18 * * fri", 62h)};
  CHECK(at_moment(weekend, "2026-11-27T16:59:59Z").empty());
  CHECK(at_moment(weekend, "2026-11-27T17:00:00Z") == "frozen until 2026-11-30T07:00Z: Black Friday");
  CHECK(at_moment(weekend, "2026-11-30T06:59:59Z") == "frozen until 2026-11-30T07:00Z: Black Friday");
  CHECK(at_moment(weekend, "2026-11-30T07:00:00Z").empty());
  CHECK_FALSE(open_freeze(weekend, {"mail", "relay"}, when("2026-11-28T12:00:00Z")));
}

TEST_CASE("over the end of a year", "[freeze]") {
  const std::vector<FreezeWindow> holidays = {window("0 0 24 12 *", 24h * 10)};
  CHECK(at_moment(holidays, "2027-01-01T12:00:00Z") == "frozen until 2027-01-02T23:00Z: Black Friday");
  CHECK(at_moment(holidays, "2027-01-02T23:00:00Z").empty());
}

TEST_CASE("a time that clocks skip begins at the jump", "[freeze]") {
  // In Berlin 02:00 to 03:00 does not exist on 2027-03-28.
  const std::vector<FreezeWindow> nightly = {window("30 2 * * *", 1h)};
  CHECK(at_moment(nightly, "2027-03-28T00:59:59Z").empty());
  CHECK(at_moment(nightly, "2027-03-28T01:00:00Z") == "frozen until 2027-03-28T02:00Z: Black Friday");
  CHECK(at_moment(nightly, "2027-03-28T02:00:00Z").empty());
  CHECK(at_moment(nightly, "2027-03-27T01:30:00Z") != "");
  CHECK(at_moment(nightly, "2027-03-29T00:30:00Z") != "");
}

TEST_CASE("a time that clocks show twice begins the first time, once", "[freeze]") {
  // In Berlin 02:30 comes at 00:30Z and again at 01:30Z on 2026-10-25.
  const std::vector<FreezeWindow> nightly = {window("30 2 * * *", 45min)};
  CHECK(at_moment(nightly, "2026-10-25T00:29:59Z").empty());
  CHECK(at_moment(nightly, "2026-10-25T00:30:00Z") == "frozen until 2026-10-25T01:15Z: Black Friday");
  CHECK(at_moment(nightly, "2026-10-25T01:15:00Z").empty());
  CHECK(at_moment(nightly, "2026-10-25T01:30:00Z").empty());
  CHECK(at_moment(nightly, "2026-10-24T00:30:00Z") != "");
  CHECK(at_moment(nightly, "2026-10-26T01:30:00Z") != "");
}

TEST_CASE("a window over a change of the clocks lasts as long as it says", "[freeze]") {
  const std::vector<FreezeWindow> night = {window("0 22 * * *", 10h)};
  // 22:00 CEST is 20:00Z; ten hours later Berlin shows 07:00 CET.
  CHECK(at_moment(night, "2026-10-25T05:59:59Z") == "frozen until 2026-10-25T06:00Z: Black Friday");
  CHECK(at_moment(night, "2026-10-25T06:00:00Z").empty());
  // 22:00 CET is 21:00Z; ten hours later Berlin shows 09:00 CEST.
  CHECK(at_moment(night, "2027-03-28T06:59:59Z") == "frozen until 2027-03-28T07:00Z: Black Friday");
  CHECK(at_moment(night, "2027-03-28T07:00:00Z").empty());
}

TEST_CASE("of several open windows a hard one counts, then the one that ends last", "[freeze]") {
  FreezeWindow hard = window("0 12 * * *", 1h, "UTC", "hard");
  hard.hard = true;
  const std::vector<FreezeWindow> all = {window("0 0 * * *", 14h, "UTC", "short"), hard,
                                         window("0 0 * * *", 20h, "UTC", "long")};
  CHECK(at_moment(all, "2026-11-27T11:00:00Z") == "frozen until 2026-11-27T20:00Z: long");
  CHECK(open_freeze(all, kTill, when("2026-11-27T12:30:00Z"))->hard);
  CHECK(at_moment(all, "2026-11-27T13:00:00Z") == "frozen until 2026-11-27T20:00Z: long");
}

TEST_CASE("windows that follow one another at once leave no gap", "[freeze]") {
  const std::vector<FreezeWindow> always = {window("*/30 * * * *", 30min)};
  for (TimePoint now = when("2026-10-24T20:00:00Z"); now < when("2026-10-25T06:00:00Z"); now += 7min) {
    INFO(format_time(now));
    CHECK(open_freeze(always, kTill, now));
  }
}

TEST_CASE("only names of time zones are time zones", "[time_zone]") {
  CHECK(TimeZone::named("Europe/Berlin"));
  CHECK(TimeZone::named("UTC"));
  for (const char* wrong :
       {"", "Mars/Olympus", "localtime", "/etc/passwd", "../../etc/passwd", "Europe/Berlin\n", ":UTC"})
    CHECK_FALSE(TimeZone::named(wrong));
}
