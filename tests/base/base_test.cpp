#include "base/base64.h"
#include "base/digest.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/object_map.h"
#include "base/parallel.h"
#include "base/text.h"
#include "base/time.h"
#include "catch.h"

using namespace reconciler;

TEST_CASE("durations are read in the forms people write", "[time]") {
  CHECK(parse_duration("500ms") == 500ms);
  CHECK(parse_duration("60s") == 60s);
  CHECK(parse_duration("5m") == 5min);
  CHECK(parse_duration("1h30m") == 90min);
  CHECK(parse_duration("30") == 30s);
  CHECK(parse_duration("0") == 0s);
  for (auto bad : {"", "m", "-5s", "5 m", "1.5s", "5x", "1h30", "99999999999999999999s", "9999999999999h"})
    CHECK_FALSE(parse_duration(bad));
}

TEST_CASE("a duration is written so that it reads back", "[time]") {
  for (Duration d : {Duration(0), Duration(500ms), Duration(90s), Duration(5min), Duration(1h), Duration(25h + 1s)})
    CHECK(parse_duration(format_duration(d)) == d);
  CHECK(format_duration(90s) == "1m30s");
}

TEST_CASE("times are read with zones and fractions and written in UTC", "[time]") {
  CHECK(format_time(*parse_time("2026-11-20T09:14:03Z")) == "2026-11-20T09:14:03Z");
  CHECK(format_time(*parse_time("2026-11-20T09:14:03.987+02:00")) == "2026-11-20T07:14:03Z");
  CHECK(format_time(*parse_time("2024-02-29T23:59:59-00:30")) == "2024-03-01T00:29:59Z");
  for (auto bad : {"", "2026-11-20", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-20T09:14:03",
                   "2026-11-20T24:00:00Z", "2026-11-20T09:14:03Zx"})
    CHECK_FALSE(parse_time(bad));
}

TEST_CASE("format puts each argument into its place", "[format]") {
  CHECK(format("{}:{}: weight must be {}-{}, got {}", "a.yaml", 12, 0, 100, 110u) ==
        "a.yaml:12: weight must be 0-100, got 110");
  CHECK(format("{} {} {}", 1.5, true, 'c') == "1.5 true c");
}

TEST_CASE("JSON that is too deep or broken is refused", "[json]") {
  CHECK(parse_json(R"({"a":[1,2]})"));
  CHECK_THAT(parse_json("{\"a\":").error().message, ContainsSubstring("line 1, column 6"));
  CHECK_FALSE(parse_json(std::string(100000, '[')));
  CHECK_FALSE(parse_json(std::string(200, '[') + std::string(200, ']')));
}

TEST_CASE("credentials never reach the log", "[log]") {
  CHECK(redact("fetch https://bob:hunter2@example.com/x.git failed") == "fetch https://***@example.com/x.git failed");
  CHECK(redact("Authorization: Bearer abcdefgh12345") == "Authorization: Bearer ***");
  CHECK(redact("https://example.com/a@b") == "https://example.com/a@b");
}

TEST_CASE("SHA-256 as hex", "[digest]") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("base64 is read back as it was written, line breaks and all", "[base64]") {
  for (auto bytes : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) CHECK(from_base64(to_base64(bytes)) == bytes);
  CHECK(to_base64("fooba") == "Zm9vYmE=");
  CHECK(from_base64("Zm9v\nYmFy\n") == "foobar");
  for (auto bad : {"Zm9", "Zm9v!", "Zm=v", "===="}) CHECK_FALSE(from_base64(bad));
}

TEST_CASE("a JSON document may be as deep as allowed, and brackets in text do not count", "[json]") {
  CHECK(parse_json(std::string(3, '[') + std::string(3, ']'), 3));
  CHECK_FALSE(parse_json(std::string(4, '[') + std::string(4, ']'), 3));
  CHECK(parse_json(R"({"a":"[[[[\"{{{{"})", 1));
  CHECK(parse_json(R"([{"a":1},{"b":[2]},{"c":3}])", 3));
}

TEST_CASE("work is shared out, each piece once", "[parallel]") {
  for (size_t count : {0, 1, 7, 1000}) {
    std::vector<int> done(count);
    parallel_for(count, [&](size_t i) { ++done[i]; });
    CHECK(done == std::vector<int>(count, 1));
  }
}

TEST_CASE("objects are kept and visited in order of key", "[object_map]") {
  ObjectMap<int> map;
  const std::vector<ObjectKey> keys = {
      {"", "Service", "cart", "a"}, {"", "Service", "shop", "a"}, {"", "Service", "shop", "b"}, {"apps", "A", "", "a"}};
  for (size_t i : {2, 0, 3, 1}) map[keys[i]] = int(i);
  const auto handle = map.handle(keys[1]);
  CHECK(map.size() == 4);
  CHECK_FALSE(map.contains({"", "Service", "shop", "c"}));
  map.erase({"", "Pod", "shop", "a"});
  map.erase(keys[2]);
  CHECK(map.find(keys[2]) == nullptr);
  CHECK(handle.key() == keys[1]);
  std::vector<std::pair<ObjectKey, int>> seen;
  map.for_each([&](const ObjectKey& key, int value) { seen.emplace_back(key, value); });
  CHECK(seen == std::vector<std::pair<ObjectKey, int>>{{keys[0], 0}, {keys[1], 1}, {keys[3], 3}});
}

TEST_CASE("text is taken apart and put together", "[text]") {
  using Parts = std::vector<std::string_view>;
  CHECK(split("a,,b", ',') == Parts{"a", "", "b"});
  CHECK(split("", ',') == Parts{""});
  CHECK(joined(Parts{"a", "b"}, " or ") == "a or b");
  CHECK(joined(Parts{}, ", ") == "");
}
