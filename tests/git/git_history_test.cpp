#include "git/git_history.h"

#include "git/people.h"

#include "catch.h"

using namespace reconciler;
using namespace reconciler::testing;

namespace {

GitHistory history_of(const GitPeople& people) {
  auto opened = GitHistory::of(people.remote(), PlainHttp::LoopbackOnly, {});
  REQUIRE(opened);
  return std::move(*opened);
}

}  // namespace

TEST_CASE("a repository is found around a folder in it", "[history]") {
  TemporaryFolder folder;
  run("git init -q -b main " + (folder / "work") + " && cd " + (folder / "work") +
      " && mkdir -p deep/er && echo a > a.yaml && git add . && git commit -qm one");
  auto history = GitHistory::around(folder / "work/deep/er");
  REQUIRE(history);
  auto head = history->resolve("HEAD");
  REQUIRE(head);
  CHECK(*head == run("git -C " + (folder / "work") + " rev-parse HEAD"));
  CHECK(history->commit(*head)->message == "one\n");
  auto outside = GitHistory::around(folder.path());
  REQUIRE_FALSE(outside);
  CHECK_THAT(outside.error().message, ContainsSubstring("--repo"));
}

TEST_CASE("a revision is a branch, a tag, an id or the start of one, and nothing else", "[history]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto first = people.commit("main", {{"a", "1"}});
  auto second = people.commit("main", {{"a", "2"}});
  people.git("tag light " + first);
  people.git("-c user.name=Ada -c user.email=a@b.c tag -a -m annotated heavy " + first);
  people.git("branch feature/x " + first);
  auto history = history_of(people);
  for (auto name : {"main", "refs/heads/main", "heads/main", "HEAD"}) CHECK(*history.resolve(name) == second);
  for (auto name : {"light", "heavy", "feature/x", "main~1", "HEAD~", "refs/tags/heavy"})
    CHECK(*history.resolve(name) == first);
  CHECK(*history.resolve(first) == first);
  CHECK(*history.resolve(first.substr(0, 7)) == first);
  CHECK(*history.resolve(second + "~1") == first);
  CHECK(*history.resolve(second + "~0") == second);
  for (auto name : {"", "nothing", "main~2", "main~x", "main~99999999999", "main^", "main@{yesterday}", "main:a",
                    ":/change", "..", "a..b", "-x", "refs/heads/../heads/main", "abc", "\n"}) {
    auto resolved = history.resolve(name);
    INFO(name);
    REQUIRE_FALSE(resolved);
    CHECK(resolved.error().kind == ErrorKind::Invalid);
  }
}

TEST_CASE("files of a commit are read with their content", "[history]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto commit = people.commit("main", {{"status/a.yaml", "A"}, {"status/deep/b.yaml", "B"}, {"c.yaml", "C"}});
  auto history = history_of(people);
  auto files = history.files(commit, "status/", 100);
  REQUIRE(files);
  REQUIRE(files->size() == 2);
  CHECK((*files)[0].path == "status/a.yaml");
  CHECK((*files)[0].content == "A");
  CHECK((*files)[1].path == "status/deep/b.yaml");
  CHECK(history.files(commit, "", 100)->size() == 3);
  CHECK(history.files(commit, "nowhere", 100)->empty());
  CHECK_THAT(history.files(commit, "status", 0).error().message, ContainsSubstring("status/a.yaml"));
  CHECK(*history.file(commit, "c.yaml", 100) == "C");
  CHECK(*history.file(commit, "d.yaml", 100) == std::nullopt);
  CHECK(*history.file(commit, "status", 100) == std::nullopt);
}

TEST_CASE("a log follows the first parents through merges", "[history]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto start = people.commit("main", {{"a", "1"}, {"b", "1"}}, "start");
  people.git("branch side " + start);
  people.commit("side", {{"a", "2"}}, "on the side");
  people.commit("main", {{"b", "2"}}, "on main");
  run("cd " + (folder / "people") +
      " && git fetch -q && git checkout -q --detach origin/main && git merge -q --no-ff -m merged " +
      "origin/side && git push -q origin HEAD:main");
  auto history = history_of(people);
  auto tip = *history.resolve("main");
  auto log = history.log("a", "", tip, 10);
  REQUIRE(log);
  REQUIRE(log->size() == 2);
  CHECK((*log)[0].message == "merged\n");
  CHECK((*log)[1].message == "start\n");
  CHECK(history.log("a", start, tip, 10)->size() == 1);
  CHECK(history.log("nothing", "", tip, 10)->empty());

  auto walk = history.walk(tip);
  CHECK((*walk.next())->message == "merged\n");
  CHECK((*walk.next())->message == "on main\n");
  CHECK((*walk.next())->message == "start\n");
  CHECK(*walk.next() == std::nullopt);
  auto forward = history.walk_from_root(tip);
  REQUIRE(forward);
  CHECK((*forward->next())->message == "start\n");
  CHECK((*forward->next())->message == "on main\n");
  CHECK((*forward->next())->message == "merged\n");
  CHECK(*forward->next() == std::nullopt);
}

TEST_CASE("who is behind a merge is told, and what a commit changed", "[history]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto start = people.commit("main", {{"a/x", "1"}, {"b", "1"}}, "start");
  people.git("branch side " + start);
  auto first = people.commit("side", {{"a/x", "2"}}, "on the side");
  people.commit("side", {{"a/x", "3"}}, "again");
  auto plain = people.commit("main", {{"b", "2"}}, "on main");
  run("cd " + (folder / "people") + " && git fetch -q && git checkout -q --detach origin/main && " +
      "GIT_AUTHOR_NAME=Mo GIT_AUTHOR_EMAIL=mo@example.com git merge -q --no-ff -m merged origin/side && " +
      "git push -q origin HEAD:main");
  auto history = history_of(people);
  auto tip = *history.resolve("main");
  auto main_line = history.main_line(tip);
  auto merge = history.people(tip, main_line);
  REQUIRE(merge);
  CHECK(merge->authors == std::vector<std::string>{history.commit(first)->author});
  CHECK(merge->first == history.commit(first)->time);
  CHECK(history.commit(tip)->author == "Mo <mo@example.com>");
  CHECK(history.people(plain, main_line)->authors.empty());
  CHECK(history.people(plain, main_line)->committer == history.commit(plain)->author);

  CHECK(*history.changed(tip, "a/x"));
  CHECK(*history.changed(tip, "a"));
  CHECK_FALSE(*history.changed(tip, "b"));
  CHECK_FALSE(*history.changed(plain, "a/x"));
  CHECK(*history.changed(start, "b"));
  CHECK_FALSE(*history.changed(start, "nothing"));
  CHECK(*history.paths(tip, "a") == std::vector<std::string>{"a/x"});
}

TEST_CASE("a log of a history of many thousand commits is quick", "[history]") {
  TemporaryFolder folder;
  run("git init -q --bare -b main " + (folder / "r.git") +
      " && { for i in $(seq 5000); do printf "
      "'commit refs/heads/main\\ncommitter Ada <a@b.c> %d +0000\\ndata 2\\nc\\nM 100644 inline f/d%d/x\\ndata "
      "<<E\\n%d\\nE\\n\\n' "
      "$((1700000000+i)) $((i%100)) $i; done; } | git -C " +
      (folder / "r.git") + " fast-import --quiet");
  auto history = GitHistory::of(folder / "r.git", PlainHttp::LoopbackOnly, {});
  REQUIRE(history);
  auto log = history->log("f/d7/x", "", *history->resolve("main"), 1000);
  REQUIRE(log);
  CHECK(log->size() == 50);
}
