#include "git/open_repository.h"

#include "catch.h"

using namespace reconciler;
using namespace reconciler::testing;

TEST_CASE("a repository in a folder keeps the contract", "[git]") {
  TemporaryFolder folder;
  check_git_repository_contract([&] {
    auto people = std::make_unique<GitPeople>(folder.path());
    std::string url = "file://" + people->remote();
    return World{std::move(people), [&folder, url](const std::string& daemon) -> std::unique_ptr<GitRepository> {
                   return open_repository(options_for(url, folder / daemon));
                 }};
  });
}
