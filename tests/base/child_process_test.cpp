#include "base/child_process.h"

#include <chrono>

#include "catch.h"

using namespace reconciler;

TEST_CASE("a child gets its input and arguments, and its output and exit code come back", "[child]") {
  auto counted = run_child({.program = "wc", .arguments = {"-c"}, .input = std::string(1'000'000, 'x')});
  REQUIRE(counted);
  CHECK(counted->exit_code == 0);
  CHECK(counted->output == "1000000\n");
  // Arguments are no shell text.
  CHECK(run_child({.program = "printf", .arguments = {"%s", "$(id); `id` > x"}})->output == "$(id); `id` > x");
  auto failed = run_child({.program = "cat", .arguments = {"/no/such/file"}});
  REQUIRE(failed);
  CHECK(failed->exit_code == 1);
  CHECK_THAT(failed->complaint, ContainsSubstring("/no/such/file"));
}

TEST_CASE("a child sees nothing of our environment", "[child]") {
  auto environment = run_child({.program = "env"});
  REQUIRE(environment);
  CHECK(environment->output == "PATH=/usr/local/bin:/usr/bin:/bin\nLC_ALL=C\n");
}

TEST_CASE("a child that hangs is killed with all it started", "[child]") {
  auto start = std::chrono::steady_clock::now();
  auto hung = run_child({.program = "sleep", .arguments = {"60"}, .time_limit = 200ms});
  REQUIRE_FALSE(hung);
  CHECK(hung.error().message == "sleep did not end within 200ms");
  auto silent =
      run_child({.program = "sh", .arguments = {"-c", "exec >/dev/null 2>&1; sleep 60 & wait"}, .time_limit = 200ms});
  REQUIRE_FALSE(silent);
  CHECK(std::chrono::steady_clock::now() - start < 10s);
}

TEST_CASE("a child may say only so much, and may leave its input unread", "[child]") {
  auto talkative = run_child({.program = "yes"});
  REQUIRE_FALSE(talkative);
  CHECK(talkative.error().message == "yes says too much");
  auto uninterested = run_child({.program = "true", .input = std::string(10'000'000, 'x')});
  REQUIRE(uninterested);
  CHECK(uninterested->exit_code == 0);
  auto missing = run_child({.program = "no-such-program"});
  REQUIRE_FALSE(missing);
  CHECK_THAT(missing.error().message, ContainsSubstring("cannot start no-such-program"));
}
