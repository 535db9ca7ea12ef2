// What every GitRepository does. One suite for the real adapter and for the one in memory that the simulator uses.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "git/people.h"
#include "ports.h"

/// A call that should succeed; its error is shown when it does not.
#define CHECK_OK(call)                                               \
  do {                                                               \
    auto result_of_call = (call);                                    \
    if (!result_of_call) FAIL_CHECK(result_of_call.error().message); \
  } while (false)

/// The same, and the test ends when it does not.
#define REQUIRE_OK(call)                                       \
  do {                                                         \
    auto result_of_call = (call);                              \
    if (!result_of_call) FAIL(result_of_call.error().message); \
  } while (false)

namespace reconciler::testing {

/// One remote repository (empty at first), its people, and daemons that watch its branch `main`. Status lies under
/// `status`.
struct World {
  std::unique_ptr<People> people;
  /// A repository with a state of its own; the same `daemon` name means the same state, as after a restart. The former
  /// one of that name is gone by then.
  std::function<std::unique_ptr<GitRepository>(const std::string& daemon)> open;
};

/// Runs every section of the contract, each in a fresh world. Call it inside one TEST_CASE.
void check_git_repository_contract(const std::function<World()>& make_world);

}  // namespace reconciler::testing
