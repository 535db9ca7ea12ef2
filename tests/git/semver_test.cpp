#include "git/semver.h"

#include <algorithm>

#include "catch.h"

using namespace reconciler;

namespace {

bool in(const char* range, const char* version) {
  auto parsed = VersionRange::parse(range);
  REQUIRE(parsed);
  auto value = parse_version(version);
  REQUIRE(value);
  return parsed->contains(*value);
}

}  // namespace

TEST_CASE("versions are ordered as semver.org orders them", "[semver]") {
  const char* ascending[] = {"0.9.9",
                             "1.0.0-alpha",
                             "1.0.0-alpha.1",
                             "1.0.0-alpha.beta",
                             "1.0.0-beta",
                             "1.0.0-beta.2",
                             "1.0.0-beta.11",
                             "1.0.0-rc.1",
                             "1.0.0",
                             "v1.0.1",
                             "1.2.0",
                             "1.10.0",
                             "18446744073709551614.0.0"};
  for (size_t i = 0; i + 1 < std::size(ascending); ++i) {
    INFO(ascending[i] << " and " << ascending[i + 1]);
    auto a = parse_version(ascending[i]), b = parse_version(ascending[i + 1]);
    REQUIRE(a);
    REQUIRE(b);
    CHECK((compare(*a, *b) < 0));
    CHECK((compare(*b, *a) > 0));
    CHECK((compare(*a, *a) == 0));
  }
  CHECK((compare(*parse_version("1.0.0+build.1"), *parse_version("1.0.0+build.2")) == 0));
}

TEST_CASE("what is no version is not taken for one", "[semver]") {
  for (auto text : {"", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+", "a.b.c",
                    "1.2.3 ", "-1.2.3", "vv1.2.3", "1.2.3-\xc3\xa4", "18446744073709551616.0.0", "release-1.2.3"}) {
    INFO(text);
    CHECK_FALSE(parse_version(text));
  }
}

TEST_CASE("ranges mean what package managers mean by them", "[semver]") {
  struct Case {
    const char* range;
    const char* inside;
    const char* outside;
  };
  for (auto [range, inside, outside] : {Case{">=1.2 <2", "1.2.0", "2.0.0"},
                                        Case{">=1.2 <2", "1.99.0", "1.1.9"},
                                        Case{">=1.2,<2", "1.5.0", "0.1.0"},
                                        Case{">= 1.2.0 < 2.0.0", "1.5.0", "2.0.0"},
                                        Case{"1.2.x", "1.2.9", "1.3.0"},
                                        Case{"1.2", "1.2.9", "1.3.0"},
                                        Case{"1", "1.9.9", "2.0.0"},
                                        Case{"1.*", "1.0.0", "0.9.0"},
                                        Case{"~1.2.3", "1.2.9", "1.3.0"},
                                        Case{"~1", "1.9.0", "2.0.0"},
                                        Case{"^1.2.3", "1.9.0", "2.0.0"},
                                        Case{"^0.2.3", "0.2.9", "0.3.0"},
                                        Case{"^0.0.3", "0.0.3", "0.0.4"},
                                        Case{"^0", "0.9.0", "1.0.0"},
                                        Case{"=1.2.3", "1.2.3", "1.2.4"},
                                        Case{"v1.2.3", "1.2.3", "1.2.4"},
                                        Case{">1.2", "1.3.0", "1.2.9"},
                                        Case{">1.2.3", "1.2.4", "1.2.3"},
                                        Case{"<=1.2", "1.2.9", "1.3.0"},
                                        Case{"<1.2", "1.1.9", "1.2.0"},
                                        Case{"!=1.2.3 1.2.x", "1.2.4", "1.2.3"},
                                        Case{"1.x || 3.0.1", "3.0.1", "3.0.2"},
                                        Case{">=1.0.0-rc.1", "1.0.0-rc.2", "1.0.0-beta"},
                                        Case{">=1.0.0-rc.1", "1.0.0", "1.1.0-rc.1"},
                                        Case{"*", "7.0.0", "7.0.0-rc.1"},
                                        Case{"", "7.0.0", "7.0.0-rc.1"},
                                        Case{"^1.2.3", "1.2.3", "2.0.0-rc.1"}}) {
    INFO(range << ": " << inside << " but not " << outside);
    CHECK(in(range, inside));
    CHECK_FALSE(in(range, outside));
  }
}

TEST_CASE("ranges that cannot be understood are refused", "[semver]") {
  for (auto text : {"latest", ">=", "1.2.3 - 2", "1..2", ">>1", "1.x.3", "^", "> < 1", "1 |2", "=>1", "!=1.2"}) {
    INFO(text);
    CHECK_FALSE(VersionRange::parse(text));
  }
  CHECK_FALSE(VersionRange::parse(std::string(1000, ' ')));
}
