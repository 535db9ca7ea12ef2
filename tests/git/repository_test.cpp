#include <chrono>
#include <filesystem>
#include <map>
#include <utility>

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

TEST_CASE("with a status branch the watched branch is never written, and the other begins as an orphan", "[git]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto start = people.commit("main", {{"a.yaml", "a"}}, "start");
  auto options = options_for(people.remote(), folder / "state");
  options.status_branch = "serin";
  auto repository = open_repository(options);
  REQUIRE_OK(repository->poll());
  CHECK(repository->recorded("status")->empty());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  repository.reset();
  repository = open_repository(options);
  CHECK(repository->unpushed() == 1);
  CHECK(repository->push()->commits == 1);
  CHECK(people.subjects("serin") == std::vector<std::string>{"till: one"});
  CHECK(people.read("serin", "a.yaml").empty());
  auto head = repository->poll();
  REQUIRE(head);
  CHECK(head->commit == start);
  people.commit("serin", {{"status/other.yaml", "x"}}, "another daemon");
  REQUIRE_OK(repository->record({status_write("till", "2", "till: two")}));
  REQUIRE_OK(repository->push());
  CHECK(people.subjects("serin") == std::vector<std::string>{"till: two", "another daemon", "till: one"});
  CHECK(people.subjects("main") == std::vector<std::string>{"start"});
  people.delete_branch("serin");
  REQUIRE_OK(repository->record({status_write("till", "3", "till: three")}));
  auto pushed = repository->push();
  REQUIRE_FALSE(pushed);
  CHECK_THAT(pushed.error().message, ContainsSubstring("refs/heads/serin"));
}

TEST_CASE("rewritten history is followed when asked, and our status files are written onto it", "[git]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "1"}}, "one");
  people.commit("main", {{"a.yaml", "2"}}, "two");
  auto options = options_for(people.remote(), folder / "state");
  options.on_rewrite = OnRewrite::Follow;
  options.status_directory = "status/default";
  auto repository = open_repository(options);
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  REQUIRE_OK(repository->push());
  REQUIRE_OK(repository->record({status_write("cart", "1", "cart: one")}));
  auto tip = people.rewrite("main", {{"a.yaml", "3"}, {"status/default/shop/till.yaml", ""}});
  auto head = repository->poll();
  REQUIRE(head);
  CHECK(head->commit == tip);
  CHECK(head->complaint.empty());
  CHECK(repository->unpushed() == 2);
  REQUIRE_OK(repository->push());
  CHECK(people.read("main", "a.yaml") == "3");
  CHECK(people.read("main", "status/default/shop/till.yaml") == "1");
  CHECK(people.read("main", "status/default/shop/cart.yaml") == "1");
  CHECK(people.subjects("main").front() == "cart: one");
}

TEST_CASE("names that no checkout would accept are reported as unsafe and never read", "[git]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"good.yaml", "g"}});
  // Trees as an attacker makes them, past every check of git.
  run("cd " + people.remote() + " && cat > " + (folder / "tree.py") + R"(<<'END'
import subprocess, sys
def hash_object(kind, data):
    return subprocess.run(["git", "hash-object", "-t", kind, "-w", "--literally", "--stdin"], input=data, stdout=subprocess.PIPE).stdout.strip().decode()
def tree(*entries):
    return hash_object("tree", b"".join(mode + b" " + name + b"\0" + bytes.fromhex(id) for mode, name, id in entries))
blob = hash_object("blob", b"x")
inner = tree((b"100644", b"passwd", blob))
deep = inner
for _ in range(200):
    deep = tree((b"40000", b"d", deep))
print(tree((b"100644", b"z-first.yaml", blob), (b"40000", b"..", inner), (b"40000", b".", inner), (b"40000", b".GIT", inner),
           (b"100644", b"a/b", blob), (b"100644", b"a\\b", blob), (b"100644", b"line\nbreak", blob), (b"100644", b"\xff", blob),
           (b"120000", b"link", blob), (b"160000", b"module", "1" * 40), (b"100644", b"good.yaml", blob),
           (b"100644", b"good.yaml", inner), (b"40000", b"deep", deep)))
END
tree=$(python3 )" +
      (folder / "tree.py") + ") && git update-ref refs/heads/main $(git commit-tree -p main -m hostile $tree)");
  auto repository = open_repository(options_for(people.remote(), folder / "state"));
  auto head = repository->poll();
  REQUIRE(head);
  auto changes = repository->changes("", head->commit, "");
  REQUIRE(changes);
  std::map<std::string, EntryKind> kinds;
  for (const auto& change : *changes) kinds[change.path] = change.after->kind;
  for (auto path : {"..", ".", ".GIT", "a\\x2fb", "a\\x5cb", "line\\x0abreak", "\\xff"}) {
    INFO(path);
    REQUIRE(kinds.count(path));
    CHECK(kinds[path] == EntryKind::Unsafe);
  }
  CHECK(kinds["link"] == EntryKind::Symlink);
  CHECK(kinds["module"] == EntryKind::Submodule);
  CHECK(kinds["good.yaml"] == EntryKind::File);
  CHECK(kinds["z-first.yaml"] == EntryKind::File);
  CHECK(kinds.size() == 12);  // and one for what lies too deep
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  REQUIRE_OK(repository->push());
}

TEST_CASE("what a killed process left does not stop the next one", "[git]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}}, "start");
  auto options = options_for(people.remote(), folder / "state");
  auto repository = open_repository(options);
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  repository.reset();
  auto clone = folder / "state/repository.git";
  CHECK(run("stat -c %a " + (folder / "state") + " " + clone) == "700\n700");
  run("cd " + clone +
      " && touch config.lock refs/serin/ours.lock objects/pack/pack_git2_abc packed-refs.lock && "
      "mkdir -p objects/ab && touch objects/ab/00000000000000000000000000000000000000");
  repository = open_repository(options);
  CHECK(run("find " + clone + " -name '*.lock' -o -name 'pack_git2*' -o -empty -type f -path '*objects*'").empty());
  REQUIRE_OK(repository->record({status_write("till", "2", "till: two")}));
  REQUIRE_OK(repository->push());
  CHECK(people.subjects("main") == std::vector<std::string>{"till: two", "till: one", "start"});
}

TEST_CASE("a clone of another URL is set aside, not used and not lost", "[git]") {
  TemporaryFolder folder;
  std::filesystem::create_directories(folder / "one");
  std::filesystem::create_directories(folder / "two");
  GitPeople one(folder / "one"), two(folder / "two");
  one.commit("main", {{"a.yaml", "1"}});
  auto other = two.commit("main", {{"a.yaml", "2"}});
  auto repository = open_repository(options_for(one.remote(), folder / "state"));
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  repository = open_repository(options_for(two.remote(), folder / "state"));
  CHECK_FALSE(repository->head());
  CHECK(repository->poll()->commit == other);
  CHECK(run("git -C " + (folder / "state/repository.git.aside-1") + " log -1 --format=%s refs/serin/ours") ==
        "till: one");
}

TEST_CASE("options that cannot be right are refused before anything is made", "[git]") {
  TemporaryFolder folder;
  auto refuses = [&](auto change) {
    auto options = options_for(folder / "remote.git", folder / "state");
    change(options);
    return !Libgit2Repository::open(options);
  };
  CHECK(refuses([](auto& options) { options.watched.name = "a..b"; }));
  CHECK(refuses([](auto& options) { options.watched.name = ""; }));
  CHECK(refuses([](auto& options) { options.status_branch = options.watched.name; }));
  for (auto author : {"", "Serin", "<a@b>", "Serin <a@b> x", "Se<rin <a@b>", "Serin <a@b", "Serin\n <a@b>"})
    CHECK(refuses([&](auto& options) { options.author = author; }));
  CHECK_FALSE(refuses([](auto&) {}));
}

TEST_CASE("a thousand transitions among ten thousand files are recorded and pushed", "[git]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  run("cd " + people.remote() +
      " && { printf 'commit refs/heads/main\\ncommitter Ada <a@b.c> 1700000000 +0000\\ndata 1\\nc\\n'; for i in $(seq "
      "0 9999); "
      "do printf 'M 100644 inline apps/d%d/f%d.yaml\\ndata <<E\\n%d\\nE\\n' $((i%100)) $i $i; done; } | git "
      "fast-import --quiet");
  auto repository = open_repository(options_for(people.remote(), folder / "state"));
  auto head = repository->poll();
  REQUIRE(head);
  CHECK(repository->changes("", head->commit, "apps")->size() == 10'000);
  auto start = std::chrono::steady_clock::now();
  auto passed = [&] {
    auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start, now)).count();
  };
  for (int batch = 0; batch < 10; batch++) {
    std::vector<StatusWrite> writes;
    for (int i = 0; i < 100; i++)
      writes.push_back(status_write("n" + std::to_string(i) + "/r" + std::to_string(batch), "x", "recorded"));
    REQUIRE_OK(repository->record(writes));
  }
  double recording = passed();
  CHECK(repository->push()->commits == 1000);
  double pushing = passed();
  for (int i = 0; i < 20; i++) REQUIRE_OK(repository->record({status_write("one", std::to_string(i), "one")}));
  double single = passed() / 20;
  // 6,000 loose objects have become one pack, under the eyes of both threads' handles.
  CHECK(std::stoi(run("find " + (folder / "state/repository.git/objects") +
                      " -type f -regex '.*/[0-9a-f][0-9a-f]/[0-9a-f]*' | wc -l")) < 500);
  CHECK(repository->recorded("status")->size() == 1001);
  REQUIRE_OK(repository->push());
  run("git -C " + (folder / "state/repository.git") + " fsck --full --strict");
  WARN("1,000 transitions: recorded in " << recording << " s, pushed in " << pushing << " s; one alone " << single
                                         << " s");
}
