// Months of use in a minute: the clone stays small.
#include "git/packing.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>

#include "git/open_repository.h"

#include "catch.h"

using namespace reconciler;
using namespace reconciler::testing;

namespace {

int count(const std::string& command) { return std::stoi(run(command + " | wc -l")); }

}  // namespace

// A thousand transitions; ten thousand when SERIN_LONG is set, as by `tests/run.sh --long`.
TEST_CASE("after thousands of transitions the clone is still small", "[git][packing]") {
  const int pushes = std::getenv("SERIN_LONG") ? 100 : 10;
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}}, "start");
  auto repository = open_repository(options_for("file://" + people.remote(), folder / "state"));
  REQUIRE_OK(repository->poll());
  const std::string clone = folder / "state/repository.git";
  int packs_most = 0;
  for (int push = 0; push < pushes; push++) {
    // A person is faster each time, so that everything of ours is built twice.
    people.git("update-ref refs/heads/main $(git -C " + people.remote() +
               " commit-tree -p main -m theirs main^{tree})");
    std::vector<StatusWrite> writes;
    for (int i = 0; i < 100; i++)
      writes.push_back(status_write("rollout-" + std::to_string(i), "weight: " + std::to_string(push), "recorded"));
    REQUIRE_OK(repository->record(writes));
    REQUIRE_OK(repository->push());
    REQUIRE_OK(repository->poll());
    packs_most = std::max(packs_most, count("ls " + clone + "/objects/pack/*.pack 2>/dev/null"));
  }
  REQUIRE_OK(repository->recorded("status"));
  CHECK(people.subjects("main").size() == static_cast<size_t>(1 + pushes + pushes * 100));
  CHECK(packs_most < 80);  // the bound, once more while the old ones are still read from
  const int loose = count("find " + clone + "/objects -type f -path '*/objects/[0-9a-f][0-9a-f]/*'");
  CHECK(loose < 10'000);
  const int kilobytes = std::stoi(run("du -sk " + clone));
  WARN(pushes * 100 << " transitions: " << kilobytes << " KiB, " << loose << " loose objects, at most " << packs_most
                    << " packs");
  CHECK(kilobytes < 60'000);
  run("git -C " + clone + " fsck --full --strict");
}

// The figures of ARCHITECTURE.md are those of SERIN_LONG.
TEST_CASE("hours without the remote leave the clone small, and all of them are pushed in order", "[git][packing]") {
  const int passes = std::getenv("SERIN_LONG") ? 1'000 : 100;
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}}, "start");
  auto repository = open_repository(options_for("file://" + people.remote(), folder / "state"));
  REQUIRE_OK(repository->poll());
  const std::string clone = folder / "state/repository.git", away = people.remote() + ".away";
  std::filesystem::rename(people.remote(), away);
  int packs_most = 0;
  for (int pass = 0; pass < passes; pass++) {
    std::vector<StatusWrite> writes;
    for (int i = 0; i < 10; i++) {
      const std::string number = std::to_string(pass * 10 + i);
      writes.push_back(
          status_write("rollout-" + std::to_string((pass * 10 + i) % 300), number, "transition " + number));
    }
    REQUIRE_OK(repository->record(writes));
    if (pass % 10 != 0) continue;
    CHECK_FALSE(repository->poll());
    CHECK_FALSE(repository->push());
    packs_most = std::max(packs_most, count("ls " + clone + "/objects/pack/*.pack"));
  }
  const int loose = count("find " + clone + "/objects -type f -path '*/objects/[0-9a-f][0-9a-f]/*'");
  const int kilobytes = std::stoi(run("du -sk " + clone));
  CHECK(packs_most < 80);
  CHECK(loose < 10'000);
  CHECK(repository->unpushed() == static_cast<size_t>(passes * 10));
  std::filesystem::rename(away, people.remote());
  people.commit("main", {{"b.yaml", "b"}}, "theirs");
  const auto began = std::chrono::steady_clock::now();
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->push());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  WARN(passes * 10 << " transitions: " << kilobytes << " KiB, " << loose << " loose objects, at most " << packs_most
                   << " packs; built again and pushed in " << took.count() << " s");
  auto subjects = people.subjects("main");
  REQUIRE(subjects.size() == static_cast<size_t>(2 + passes * 10));
  for (int i = 0; i < passes * 10; i++)
    REQUIRE(subjects[static_cast<size_t>(i)] == "transition " + std::to_string(passes * 10 - 1 - i));
  REQUIRE_OK(repository->poll());
  CHECK(repository->unpushed() == 0);
}

TEST_CASE("small packs become one, and every handle finds everything", "[git][packing]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto repository = open_repository(options_for("file://" + people.remote(), folder / "state"));
  std::string first = people.commit("main", {{"a.yaml", "0"}});
  REQUIRE_OK(repository->poll());
  for (int i = 1; i <= 100; i++) {
    people.git("update-ref refs/heads/main $(git -C " + people.remote() + " commit-tree -p main -m " +
               std::to_string(i) + " main^{tree})");
    REQUIRE_OK(repository->poll());
    if (i % 10 == 0) CHECK(repository->commits_touching("a.yaml", "", *repository->head(), 1)->front().id == first);
  }
  CHECK(count("ls " + (folder / "state/repository.git/objects/pack/") + "*.pack") < 70);
  run("git -C " + (folder / "state/repository.git") + " fsck --full --strict");
}
