#include "git/libgit2_repository.h"

#include "catch.h"
#include "git/contract.h"
#include "git/people.h"

using namespace reconciler;
using namespace reconciler::testing;

namespace {

GitOptions options_for(const std::string& url, const std::string& state) {
  GitOptions options;
  options.url = url;
  options.state_directory = state;
  options.remote.deadline = 20s;
  return options;
}

}  // namespace

TEST_CASE("a repository in a folder keeps the contract", "[git]") {
  TemporaryFolder folder;
  check_git_repository_contract([&] {
    auto people = std::make_unique<GitPeople>(folder.path());
    std::string url = "file://" + people->remote();
    return World{std::move(people), [&folder, url](const std::string& daemon) -> std::unique_ptr<GitRepository> {
                   auto opened = Libgit2Repository::open(options_for(url, folder / daemon));
                   REQUIRE(opened);
                   return std::move(*opened);
                 }};
  });
}
