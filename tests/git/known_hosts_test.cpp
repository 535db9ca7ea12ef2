#include "git/known_hosts.h"

#include "git/address.h"
#include "git/people.h"

#include "catch.h"

using namespace reconciler;
using namespace reconciler::testing;

namespace {

// base64 of these raw keys
const std::string key = "the key";
const std::string key64 = "dGhlIGtleQ==";
const std::string other64 = "YW5vdGhlciBrZXk=";

bool trusts(const std::string& line, const std::string& host, const std::string& port = "22") {
  return static_cast<bool>(check_host_key(line, host, port, key));
}

}  // namespace

TEST_CASE("a host is trusted by its names as OpenSSH writes them", "[known_hosts]") {
  CHECK(trusts("git.example.com ssh-ed25519 " + key64, "git.example.com"));
  CHECK(trusts("# comment\n\na,git.example.com,b ssh-ed25519 " + key64 + " who@where\n", "git.example.com"));
  CHECK(trusts("*.example.com ssh-ed25519 " + key64, "git.example.com"));
  CHECK(trusts("[git.example.com]:2222 ssh-ed25519 " + key64, "git.example.com", "2222"));
  CHECK(trusts("h ssh-rsa " + other64 + "\nh ssh-ed25519 " + key64, "h"));
  CHECK_FALSE(trusts("[git.example.com]:2222 ssh-ed25519 " + key64, "git.example.com"));
  CHECK_FALSE(trusts("git.example.com ssh-ed25519 " + key64, "git.example.com", "2222"));
  CHECK_FALSE(trusts("*.example.com,!git.example.com ssh-ed25519 " + key64, "git.example.com"));
  CHECK_FALSE(trusts("git.example.com ssh-ed25519 " + other64, "git.example.com"));
  CHECK_FALSE(trusts("@cert-authority git.example.com ssh-ed25519 " + key64, "git.example.com"));
  CHECK_FALSE(trusts("h ssh-ed25519 " + key64 + "\n@revoked h ssh-ed25519 " + key64, "h"));
  CHECK_FALSE(trusts("", "h"));
  CHECK_FALSE(trusts("h", "h"));
  CHECK_FALSE(trusts("h ssh-ed25519", "h"));
  CHECK_FALSE(trusts("h ssh-ed25519 !!!!", "h"));
  CHECK_FALSE(check_host_key("h ssh-ed25519 !!!!", "h", "22", ""));
}

TEST_CASE("hashed names are understood", "[known_hosts]") {
  TemporaryFolder folder;
  auto file = folder / "known_hosts";
  run("printf 'git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5uFFRfGXMzYqvhZ0FnCRtM6cw0XCYJ5GMYYAKOZ/fN\\n"
      "[h.example.com]:2222 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE5uFFRfGXMzYqvhZ0FnCRtM6cw0XCYJ5GMYYAKOZ/fN\\n' > " +
      file + " && ssh-keygen -q -H -f " + file + " && ! grep -q example " + file);
  auto hashed = run("cat " + file);
  auto raw = run("printf AAAAC3NzaC1lZDI1NTE5AAAAIE5uFFRfGXMzYqvhZ0FnCRtM6cw0XCYJ5GMYYAKOZ/fN | base64 -d");
  CHECK(check_host_key(hashed, "git.example.com", "22", raw));
  CHECK(check_host_key(hashed, "h.example.com", "2222", raw));
  CHECK_FALSE(check_host_key(hashed, "h.example.com", "22", raw));
  CHECK_FALSE(check_host_key(hashed, "other.example.com", "22", raw));
}

TEST_CASE("addresses that are unsafe or not understood are refused", "[address]") {
  auto read = [](const char* url) { return parse_address(url, PlainHttp::LoopbackOnly); };
  for (auto good : {"https://git.example.com/shop/deploy.git", "ssh://git@git.example.com:2222/r.git", "/srv/git/r.git",
                    "file:///srv/git/r.git", "http://127.0.0.1:8080/r.git", "http://[::1]:80/r", "http://localhost/r",
                    "relative/path", "https://[2001:db8::1]/r.git"}) {
    INFO(good);
    CHECK(read(good));
  }
  for (auto bad : {"", "https://", "https://user:secret@h/r", "https://user@h/r", "ssh://git:secret@h/r", "git@h:r.git",
                   "git://h/r", "ftp://h/r", "file://other/r", "http://h/r", "http://127.evil.example/r",
                   "https://h:x/r", "https://h:123456/r", "https://[::1/r", "ext::sh -c x", "https://h/r\nx"}) {
    auto address = read(bad);
    INFO(bad);
    REQUIRE_FALSE(address);
    CHECK(address.error().message.find("secret") == std::string::npos);
  }
  CHECK(parse_address("http://h/r", PlainHttp::Anywhere));
  CHECK(read("https://H.Example/r")->host == "h.example");
  CHECK(read("ssh://git@h/r")->port == "22");
  CHECK(read("ssh://git@h:2222/r")->user == "git");
  CHECK(read("file:///srv/../r.git/")->url == "/r.git/");
}
