// What strangers write, at random but the same each time: nothing of it crashes a parser, hangs it, or gets through.
#include <cstdint>
#include <string>

#include "git/address.h"
#include "git/known_hosts.h"
#include "git/semver.h"

#include "catch.h"

using namespace reconciler;

namespace {

class Dice {
 public:
  uint64_t below(uint64_t bound) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return (state_ >> 33) % bound;
  }
  /// Up to `most` of the pieces in a row.
  template <size_t n>
  std::string text(const std::string_view (&pieces)[n], uint64_t most) {
    std::string out;
    for (uint64_t left = below(most); left > 0; --left) out += pieces[below(n)];
    return out;
  }

 private:
  uint64_t state_ = 42;
};

constexpr int kRounds = 50'000;

}  // namespace

TEST_CASE("random known_hosts files trust only the key they hold", "[known_hosts][fuzz]") {
  constexpr std::string_view pieces[] = {"git.example.com",
                                         "*",
                                         "?",
                                         "!",
                                         ",",
                                         "|1|",
                                         "|",
                                         "[",
                                         "]",
                                         ":22",
                                         ":2222",
                                         " ",
                                         "\t",
                                         "\n",
                                         "\r",
                                         "#",
                                         "@revoked ",
                                         "@cert-authority ",
                                         "@",
                                         "ssh-ed25519",
                                         "dGhlIGtleQ==",
                                         "YW5vdGhlciBrZXk=",
                                         "AAAA",
                                         "=",
                                         "\0",
                                         "\xff",
                                         "\\"};
  Dice dice;
  int trusted = 0;
  for (int i = 0; i < kRounds; ++i) {
    auto file = dice.text(pieces, 24);
    if (!check_host_key(file, "git.example.com", dice.below(2) ? "22" : "2222", "the key")) continue;
    ++trusted;
    INFO(file);
    CHECK(file.find("dGhlIGtleQ==") != file.npos);
    CHECK_FALSE(check_host_key(file, "git.example.com", "22", "a third key"));
  }
  CHECK(trusted > 0);  // or nothing was tested
}

TEST_CASE("random addresses are understood whole or refused, and never with a password", "[address][fuzz]") {
  constexpr std::string_view pieces[] = {
      "https://",  "http://",   "ssh://",          "file://", "ext::",  "://", "/", "//", ":",  "@", "[",  "]",  "::1",
      "127.0.0.1", "localhost", "git.example.com", "user",    "secret", "%",   "?", "#",  "..", " ", "\n", "\0", "\xff",
      "22",        "99999",     "-oProxyCommand=x"};
  Dice dice;
  int understood = 0;
  for (int i = 0; i < kRounds; ++i) {
    auto text = dice.text(pieces, 10);
    auto address = parse_address(text, PlainHttp::LoopbackOnly);
    if (!address) {
      CHECK(address.error().message.find("secret@") == std::string::npos);
      continue;
    }
    ++understood;
    INFO(text);
    CHECK(address->url.find('\n') == std::string::npos);
    if (address->transport == Transport::File) continue;
    CHECK_FALSE(address->host.empty());
    CHECK(address->host.find_first_of(" @/?#[]%\xff") == std::string::npos);
    CHECK(address->port.find_first_not_of("0123456789") == std::string::npos);
    CHECK((address->transport != Transport::Http || is_loopback(address->host)));
    CHECK((address->transport == Transport::Ssh || address->user.empty()));
  }
  CHECK(understood > 0);
}

TEST_CASE("random ranges and versions are understood or refused, and ordering stays an order", "[semver][fuzz]") {
  constexpr std::string_view pieces[] = {
      "0",   "1", "2", "10", ".",  "-", "+", "v",  "x", "*", "rc", "alpha", ">=",
      "<=",  ">", "<", "=",  "!=", "~", "^", "||", "|", ",", " ",  "01",    "18446744073709551615",
      "\xff"};
  Dice dice;
  int both = 0;
  for (int i = 0; i < kRounds; ++i) {
    auto range = VersionRange::parse(dice.text(pieces, 12));
    std::string text = std::to_string(dice.below(3)) + "." + std::to_string(dice.below(3)) + "." +
                       std::to_string(dice.below(3)) + (dice.below(2) ? "" : "-" + dice.text(pieces, 4));
    auto a = parse_version(text), b = parse_version(dice.text(pieces, 8));
    if (a && b) CHECK(((compare(*a, *b) < 0) == (compare(*b, *a) > 0)));
    if (!range || !a) continue;
    ++both;
    static_cast<void>(range->contains(*a));
  }
  CHECK(both > 0);
}
