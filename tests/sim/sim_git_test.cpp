#include "sim/sim_git.h"

#include "git/contract.h"
#include "git/people.h"

#include "catch.h"

using namespace reconciler;
using namespace reconciler::testing;

namespace {

class SimPeople : public People {
 public:
  explicit SimPeople(SimRemote& remote) : remote_(remote) {}

  std::string commit(const std::string& branch, const std::map<std::string, std::string>& files,
                     const std::string& message) override {
    return remote_.commit(branch, changes_of(files), {}, message);
  }
  std::string rewrite(const std::string& branch, const std::map<std::string, std::string>& files) override {
    std::string& tip = remote_.branches[branch];
    tip = remote_.commits.find(tip)->parent;
    return commit(branch, files, "rewritten");
  }
  void delete_branch(const std::string& branch) override { remote_.branches.erase(branch); }
  std::string read(const std::string& branch, const std::string& path) override {
    return remote_.read(branch, path).value_or("");
  }
  std::vector<std::string> subjects(const std::string& branch) override {
    std::vector<std::string> out;
    for (auto at = remote_.commits.find(remote_.branches[branch]); at; at = remote_.commits.find(at->parent))
      out.push_back(at->message.substr(0, at->message.find('\n')));
    return out;
  }

 private:
  static std::vector<FileChange> changes_of(const std::map<std::string, std::string>& files) {
    std::vector<FileChange> changes;
    for (const auto& [path, content] : files)
      changes.push_back({path, content.empty() ? std::nullopt : std::optional(content)});
    return changes;
  }
  SimRemote& remote_;
};

}  // namespace

TEST_CASE("the repository in memory keeps the contract", "[sim]") {
  std::vector<std::unique_ptr<SimRemote>> remotes;
  std::map<std::string, SimClone> disks;
  check_git_repository_contract([&] {
    disks.clear();
    SimRemote& remote = *remotes.emplace_back(std::make_unique<SimRemote>());
    return testing::World{std::make_unique<SimPeople>(remote),
                          [&](const std::string& daemon) -> std::unique_ptr<GitRepository> {
                            return std::make_unique<SimGit>(remote, disks[daemon]);
                          }};
  });
}
