// What can be watched beside a branch: a tag, a range of tags, one commit.
#include "git/open_repository.h"

#include "catch.h"

using namespace reconciler;
using namespace reconciler::testing;

namespace {

GitOptions watching(const GitPeople& people, const std::string& state, RefKind kind, const std::string& name) {
  auto options = options_for("file://" + people.remote(), state);
  options.watched = {kind, name};
  options.status_branch = "serin";
  return options;
}

void tag(const GitPeople& people, const std::string& name, const std::string& commit) {
  people.git("tag -f -m release " + name + " " + commit);
}

}  // namespace

TEST_CASE("a tag is followed forwards, and held when it is moved elsewhere or deleted", "[git][refs]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto one = people.commit("main", {{"a.yaml", "1"}}, "one");
  auto two = people.commit("main", {{"a.yaml", "2"}}, "two");
  bool annotated = GENERATE(true, false);
  auto move = [&](const std::string& commit) {
    annotated ? tag(people, "live", commit) : static_cast<void>(people.git("tag -f live " + commit));
  };
  auto options = watching(people, folder / "state", RefKind::Tag, "live");
  auto repository = open_repository(options);
  CHECK_THAT(repository->poll().error().message, ContainsSubstring("has no refs/tags/live"));
  move(one);
  CHECK(repository->poll()->commit == one);
  move(two);
  CHECK(repository->poll()->commit == two);
  move(one);
  auto held = repository->poll();
  CHECK(held->commit == two);
  CHECK_THAT(held->complaint, ContainsSubstring("rewritten"));
  people.git("tag -d live");
  held = repository->poll();
  CHECK(held->commit == two);
  CHECK_THAT(held->complaint, ContainsSubstring("has no refs/tags/live"));
  move(two);
  CHECK(repository->poll()->complaint.empty());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  REQUIRE_OK(repository->push());
  CHECK(people.subjects("serin") == std::vector<std::string>{"till: one"});
}

TEST_CASE("of a range the highest tag is followed, also onto another line of history", "[git][refs]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto start = people.commit("main", {{"a.yaml", "1"}}, "one");
  auto options = watching(people, folder / "state", RefKind::TagRange, ">=1.2 <2");
  auto repository = open_repository(options);
  tag(people, "v1.1.0", start);
  tag(people, "nonsense", start);
  CHECK_THAT(repository->poll().error().message, ContainsSubstring("has no tags in >=1.2 <2"));
  tag(people, "v1.2.0", start);
  CHECK(repository->poll()->commit == start);
  auto main = people.commit("main", {{"a.yaml", "2"}}, "two");
  tag(people, "v2.0.0", main);
  tag(people, "v1.3.0-rc.1", main);
  CHECK(repository->poll()->commit == start);
  auto fix = people.commit("release", {{"a.yaml", "fix"}}, "a fix on another line");
  tag(people, "v1.2.10", fix);
  CHECK(repository->poll()->commit == fix);
  tag(people, "v1.3.0", main);
  repository.reset();
  repository = open_repository(options);
  CHECK(repository->poll()->commit == main);  // 1.2.10 does not lie below it

  SECTION("a tag that is moved is held") {
    tag(people, "v1.3.0", fix);
    auto held = repository->poll();
    CHECK(held->commit == main);
    CHECK_THAT(held->complaint, ContainsSubstring("rewritten"));
  }
  SECTION("deleting the highest tag is no way back unless rewriting is followed") {
    people.git("tag -d v1.3.0 v1.3.0-rc.1 v2.0.0");
    auto held = repository->poll();
    CHECK(held->commit == main);
    CHECK_FALSE(held->complaint.empty());
    repository.reset();
    options.on_rewrite = OnRewrite::Follow;
    CHECK(open_repository(options)->poll()->commit == fix);
  }
}

TEST_CASE("a fixed commit stays, whatever happens to the branches", "[git][refs]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto one = people.commit("main", {{"a.yaml", "1"}}, "one");
  people.commit("main", {{"a.yaml", "2"}}, "two");
  auto repository = open_repository(watching(people, folder / "state", RefKind::Commit, one));
  CHECK(repository->poll()->commit == one);
  people.rewrite("main", {{"a.yaml", "3"}});
  CHECK(repository->poll()->commit == one);
  CHECK(repository->poll()->complaint.empty());
  auto missing = open_repository(watching(people, folder / "other", RefKind::Commit, std::string(40, 'a')))->poll();
  REQUIRE_FALSE(missing);
  CHECK(missing.error().kind == ErrorKind::Invalid);
  CHECK_THAT(missing.error().message, ContainsSubstring("no commit aaaa"));
}

TEST_CASE("what cannot be watched is refused before anything is made", "[git][refs]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  for (auto [kind, name] : {std::pair(RefKind::Tag, "a b"),
                            {RefKind::Tag, ""},
                            {RefKind::TagRange, "newest"},
                            {RefKind::Commit, "main"},
                            {RefKind::Commit, "abc123"}})
    CHECK_FALSE(Libgit2Repository::open(watching(people, folder / "state", kind, name)));
  auto without = watching(people, folder / "state", RefKind::Tag, "v1");
  without.status_branch.clear();
  auto opened = Libgit2Repository::open(without);
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message, ContainsSubstring("--status-branch"));
}

TEST_CASE("a push concerns us when it touches what is watched or where status goes", "[git][refs]") {
  using Names = std::vector<std::string>;
  GitOptions options;
  CHECK(refs_of_interest(options) == Names{"refs/heads/main"});
  options.status_branch = "serin";
  CHECK(refs_of_interest(options) == Names{"refs/heads/main", "refs/heads/serin"});
  options.watched = {RefKind::TagRange, "1.x"};
  CHECK(refs_of_interest(options) == Names{"refs/tags/", "refs/heads/serin"});
}
