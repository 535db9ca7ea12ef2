#include "daemon/git_sync.h"

#include "sim/sim_clock.h"
#include "sim/sim_git.h"
#include "sim/sim_workers.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// A branch that takes no pushes from us, as long as it is closed.
class ProtectedBranch : public GitRepository {
 public:
  explicit ProtectedBranch(GitRepository& inner) : inner_(inner) {}
  bool closed = true;
  int tries = 0;
  size_t more_unpushed = 0;

  Result<PushReport> push() override {
    ++tries;
    if (closed) return invalid("push to refs/heads/main was refused: protected branch hook declined");
    return inner_.push();
  }
  size_t unpushed() override { return inner_.unpushed() + more_unpushed; }
  Result<Head> poll() override { return inner_.poll(); }
  std::optional<std::string> head() override { return inner_.head(); }
  Result<std::vector<TreeChange>> changes(const std::string& from, const std::string& to,
                                          const std::string& directory) override {
    return inner_.changes(from, to, directory);
  }
  Result<std::string> read(const std::string& blob, size_t bytes_max) override { return inner_.read(blob, bytes_max); }
  Result<std::vector<CommitInfo>> commits_touching(const std::string& path, const std::string& from,
                                                   const std::string& to, size_t limit) override {
    return inner_.commits_touching(path, from, to, limit);
  }
  Result<std::optional<std::string>> file(const std::string& commit, const std::string& path,
                                          size_t bytes_max) override {
    return inner_.file(commit, path, bytes_max);
  }
  Result<Provenance> provenance(const std::string& commit, const std::string& path) override {
    return inner_.provenance(commit, path);
  }
  Result<std::vector<std::pair<std::string, std::string>>> recorded(const std::string& directory) override {
    return inner_.recorded(directory);
  }
  Result<void> record(const std::vector<StatusWrite>& writes) override { return inner_.record(writes); }
  Result<std::vector<std::string>> drop_outdated() override { return inner_.drop_outdated(); }

 private:
  GitRepository& inner_;
};

class SyncedBranch {
 public:
  SyncedBranch() {
    remote_.commit(kBranch, {{"a.yaml", "a"}}, {}, "start");
    settle();
  }

  void transition(const std::string& number) {
    REQUIRE(branch.record({{.path = "status/default/shop/till.yaml", .content = number, .message = number}}));
    sync.push_soon(true);
    settle();
  }
  void settle() {
    do sync.run_due();
    while (workers_.run_one());
  }
  /// Second by second, as the loop would.
  void pass(Duration time) {
    for (Duration passed{0}; passed < time; passed += 1s) {
      clock_.advance_to(clock_.passed() + 1s);
      settle();
    }
  }

 private:
  SimClock clock_{TimePoint{} + 24h * 20000};
  SimRemote remote_;
  SimClone clone_;
  SimGit git_{remote_, clone_};
  SimWorkers workers_{clock_, Random(1), {}};

 public:
  ProtectedBranch branch{git_};
  GitSync sync{branch, clock_, workers_, 60s, [](const std::string&) {}};
};

}  // namespace

TEST_CASE("a refused push is tried again after ten minutes, however much is recorded meanwhile", "[sync]") {
  SyncedBranch world;
  world.transition("1");
  CHECK(world.branch.tries == 1);
  CHECK(world.sync.push_refused());
  CHECK(world.sync.trouble() == "push to refs/heads/main was refused: protected branch hook declined");
  for (int i = 2; i <= 10; ++i) {
    world.transition(std::to_string(i));
    world.pass(59s);
  }
  CHECK(world.branch.tries == 1);
  world.pass(2min);
  CHECK(world.branch.tries == 2);
  CHECK(world.branch.unpushed() == 10);
  world.branch.closed = false;
  world.pass(10min);
  CHECK(world.branch.tries == 3);
  CHECK(world.branch.unpushed() == 0);
  CHECK(world.sync.trouble().empty());
  CHECK_FALSE(world.sync.push_refused());
}

TEST_CASE("more than ten thousand transitions that wait are an alert, until they are pushed", "[sync]") {
  SyncedBranch world;
  world.branch.more_unpushed = 9'998;
  world.transition("1");
  world.transition("2");
  CHECK_FALSE(world.sync.many_unpushed());
  world.transition("3");
  CHECK(world.sync.many_unpushed());
  world.branch.closed = false;
  world.branch.more_unpushed = 0;
  world.pass(11min);
  CHECK(world.branch.unpushed() == 0);
  CHECK_FALSE(world.sync.many_unpushed());
}
