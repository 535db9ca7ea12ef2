#include "base/credential_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/digest.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// A file that goes away with the test.
class File {
 public:
  File(const std::string& text, mode_t mode)
      : path_(std::filesystem::temp_directory_path() / ("serin-credential-" + std::to_string(getpid()))) {
    std::ofstream(path_) << text;
    chmod(path_.c_str(), mode);
  }
  ~File() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("a secret is read from a file that is ours alone", "[credentials]") {
  for (mode_t good : {0400, 0600, 0440})
    CHECK(*read_secret_line(File("s3cret\r\n", good).path(), "token file") == "s3cret");
  for (mode_t bad : {0644, 0604, 0660, 0420, 0601}) {
    auto refused = read_secret_line(File("s3cret\n", bad).path(), "token file");
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message, ContainsSubstring("others may read it"));
    CHECK(refused.error().message.find("s3cret") == std::string::npos);
  }
  for (const char* text : {"", "\n", "a\nb\n"}) CHECK_FALSE(read_secret_line(File(text, 0600).path(), "token file"));
  CHECK_FALSE(read_secret_file(File(std::string(2 << 20, 'x'), 0600).path(), "token file"));
  CHECK_FALSE(read_secret_file("/", "token file"));
  CHECK_THAT(read_secret_file("/no/such", "token file").error().message, ContainsSubstring("token file /no/such: "));
  if (geteuid() == 0) {
    File theirs("s3cret\n", 0600);
    REQUIRE(chown(theirs.path().c_str(), 12345, 0) == 0);
    CHECK_THAT(read_secret_line(theirs.path(), "token file").error().message, ContainsSubstring("another user"));
  }
}

TEST_CASE("whom to trust may be read by all and written by nobody else", "[credentials]") {
  CHECK(*read_trust_file(File("hosts\n", 0644).path(), "known_hosts file") == "hosts\n");
  for (mode_t bad : {0666, 0664, 0602}) CHECK_FALSE(read_trust_file(File("hosts\n", bad).path(), "known_hosts file"));
}

TEST_CASE("digests are those of the standards", "[digest]") {
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 4231, test cases 2 and 6
  CHECK(hmac_sha256_hex("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hmac_sha256_hex(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First") ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hmac_sha256_hex("", "") == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
  CHECK(equal_in_constant_time("abc", "abc"));
  CHECK_FALSE(equal_in_constant_time("abc", "abd"));
  CHECK_FALSE(equal_in_constant_time("abc", "ab"));
  CHECK(equal_in_constant_time("", ""));
}
