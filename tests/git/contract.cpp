#include "git/contract.h"

#include "catch.h"

#include <algorithm>

namespace reconciler::testing {
namespace {

StatusWrite status(const std::string& name, const std::string& content, const std::string& message) {
  return {.path = "status/default/shop/" + name + ".yaml",
          .content = content,
          .message = message + "\n",
          .time = *parse_time("2026-11-22T10:00:02Z")};
}

std::vector<std::string> paths(const std::vector<TreeChange>& changes) {
  std::vector<std::string> all;
  for (const auto& change : changes) all.push_back(change.path);
  return all;
}

using Strings = std::vector<std::string>;
using Files = std::vector<std::pair<std::string, std::string>>;

}  // namespace

void check_git_repository_contract(const std::function<World()>& make_world) {
  auto world = make_world();
  auto& people = *world.people;

  SECTION("an empty repository is an error that says so, and nothing is in force") {
    auto repository = world.open("a");
    CHECK_FALSE(repository->head());
    auto polled = repository->poll();
    REQUIRE_FALSE(polled);
    CHECK_THAT(polled.error().message, ContainsSubstring("main"));
    CHECK_FALSE(repository->head());
    CHECK_FALSE(repository->record({status("till", "1", "one")}));
  }

  SECTION("a poll takes the tip, and what changed is found by comparing") {
    auto first = people.commit("main", {{"apps/a.yaml", "a"}, {"apps/b.yaml", "b"}, {"other/c.yaml", "c"}});
    auto repository = world.open("a");
    auto head = repository->poll();
    REQUIRE(head);
    CHECK(head->commit == first);
    CHECK(head->complaint.empty());
    CHECK(repository->head() == first);
    auto all = repository->changes("", first, "apps");
    REQUIRE(all);
    CHECK(paths(*all) == Strings{"apps/a.yaml", "apps/b.yaml"});

    auto second = people.commit("main", {{"apps/b.yaml", "B"}, {"apps/a.yaml", ""}, {"apps/deep/d.yaml", "d"}});
    REQUIRE_OK(repository->poll());
    auto changes = repository->changes(first, second, "");
    REQUIRE(changes);
    REQUIRE(paths(*changes) == Strings{"apps/a.yaml", "apps/b.yaml", "apps/deep/d.yaml"});
    CHECK_FALSE((*changes)[0].after);
    CHECK(*repository->read((*changes)[1].before->blob, 100) == "b");
    CHECK(*repository->read((*changes)[1].after->blob, 100) == "B");
    CHECK_FALSE((*changes)[2].before);
    auto limited = repository->read((*changes)[1].after->blob, 0);
    REQUIRE_FALSE(limited);
    CHECK(limited.error().kind == ErrorKind::Invalid);
  }

  SECTION("a directory that is missing is an error, not everything removed") {
    auto first = people.commit("main", {{"apps/a.yaml", "a"}});
    auto second = people.commit("main", {{"apps/a.yaml", ""}, {"b.yaml", "b"}});
    auto repository = world.open("a");
    REQUIRE_OK(repository->poll());
    auto changes = repository->changes(first, second, "apps");
    REQUIRE_FALSE(changes);
    CHECK(changes.error().kind == ErrorKind::Invalid);
  }

  SECTION("the commits that touched a file are listed newest first") {
    auto first = people.commit("main", {{"a.yaml", "1"}, {"b.yaml", "1"}}, "one");
    people.commit("main", {{"b.yaml", "2"}}, "two");
    people.commit("main", {{"a.yaml", "3"}}, "three");
    auto last = people.commit("main", {{"a.yaml", "4"}}, "four");
    auto repository = world.open("a");
    REQUIRE_OK(repository->poll());
    auto touching = repository->commits_touching("a.yaml", first, last, 10);
    REQUIRE(touching);
    REQUIRE(touching->size() == 2);
    CHECK(touching->front().id == last);
    CHECK(touching->front().author == "Ada <ada@example.com>");
    CHECK(touching->front().message == "four\n");
    CHECK(touching->back().message == "three\n");
    CHECK(repository->commits_touching("a.yaml", "", last, 10)->size() == 3);
    CHECK(repository->commits_touching("a.yaml", "", last, 1)->size() == 1);
    CHECK(repository->commits_touching("a.yaml", "", last, 1)->front().parent != "");
    CHECK(*repository->file(first, "a.yaml", 100) == "1");
    CHECK(*repository->file(last, "c.yaml", 100) == std::nullopt);
    CHECK(repository->file(last, "a.yaml", 0).error().kind == ErrorKind::Invalid);
    CHECK(repository->provenance(last, "a.yaml")->signer.empty());
    CHECK(repository->provenance(last, "a.yaml")->writers ==
          std::vector<std::string>{repository->commits_touching("", "", last, 1)->front().author});
  }

  SECTION("what is recorded is ours at once, one commit a write, and reaches the remote by a push") {
    people.commit("main", {{"a.yaml", "a"}}, "start");
    auto repository = world.open("a");
    REQUIRE_OK(repository->poll());
    REQUIRE_OK(repository->record({status("till", "1", "till: one"), status("cart", "1", "cart: one")}));
    REQUIRE_OK(repository->record({status("till", "2", "till: two")}));
    CHECK(repository->unpushed() == 3);
    CHECK(*repository->recorded("status") ==
          Files{{"status/default/shop/cart.yaml", "1"}, {"status/default/shop/till.yaml", "2"}});
    CHECK(people.subjects("main") == Strings{"start"});
    auto pushed = repository->push();
    REQUIRE(pushed);
    CHECK(pushed->commits == 3);
    CHECK(pushed->overwritten.empty());
    CHECK(people.subjects("main") == Strings{"till: two", "cart: one", "till: one", "start"});
    CHECK(people.read("main", "status/default/shop/till.yaml") == "2");
    CHECK(people.read("main", "a.yaml") == "a");
    CHECK(repository->unpushed() == 0);
    CHECK(repository->push()->commits == 0);
  }

  SECTION("after a push the watched head is our commit, and it changes no manifest") {
    auto start = people.commit("main", {{"apps/a.yaml", "a"}});
    auto repository = world.open("a");
    REQUIRE_OK(repository->poll());
    REQUIRE_OK(repository->record({status("till", "1", "till: one")}));
    REQUIRE_OK(repository->push());
    auto head = repository->poll();
    REQUIRE(head);
    CHECK(head->commit != start);
    CHECK(repository->changes(start, head->commit, "apps")->empty());
    CHECK(repository->commits_touching("status/default/shop/till.yaml", start, head->commit, 10)->front().time ==
          *parse_time("2026-11-22T10:00:02Z"));
  }

  SECTION("a write that changes nothing makes no commit; a removal leaves nothing behind") {
    people.commit("main", {{"a.yaml", "a"}}, "start");
    auto repository = world.open("a");
    REQUIRE_OK(repository->poll());
    REQUIRE_OK(repository->record({status("till", "1", "till: one")}));
    REQUIRE_OK(repository->record({status("till", "1", "till: again")}));
    CHECK(repository->unpushed() == 1);
    auto removal = status("till", "", "till: removed");
    removal.content.reset();
    REQUIRE_OK(repository->record({removal, removal}));
    CHECK(repository->unpushed() == 2);
    CHECK(repository->recorded("status")->empty());
    REQUIRE_OK(repository->push());
    CHECK(people.subjects("main") == Strings{"till: removed", "till: one", "start"});
  }

  SECTION("commits are rebuilt on what others pushed meanwhile, with nothing of theirs lost") {
    people.commit("main", {{"a.yaml", "a"}}, "start");
    auto repository = world.open("a");
    REQUIRE_OK(repository->poll());
    REQUIRE_OK(repository->record({status("till", "1", "till: one"), status("till", "2", "till: two")}));
    people.commit("main", {{"a.yaml", "A"}, {"status/other/shop/till.yaml", "x"}}, "theirs");
    auto pushed = repository->push();
    REQUIRE(pushed);
    CHECK(pushed->commits == 2);
    CHECK(pushed->overwritten.empty());
    CHECK(people.subjects("main") == Strings{"till: two", "till: one", "theirs", "start"});
    CHECK(people.read("main", "a.yaml") == "A");
    CHECK(people.read("main", "status/other/shop/till.yaml") == "x");
    CHECK(people.read("main", "status/default/shop/till.yaml") == "2");
  }

  SECTION("a status file that somebody else changed is overwritten, and that is said") {
    people.commit("main", {{"a.yaml", "a"}}, "start");
    auto repository = world.open("a");
    REQUIRE_OK(repository->poll());
    REQUIRE_OK(repository->record({status("till", "1", "till: one")}));
    REQUIRE_OK(repository->push());
    REQUIRE_OK(repository->record({status("till", "2", "till: two")}));
    people.commit("main", {{"status/default/shop/till.yaml", "edited"}}, "an edit");
    auto pushed = repository->push();
    REQUIRE(pushed);
    CHECK(pushed->overwritten == Strings{"status/default/shop/till.yaml"});
    CHECK(people.read("main", "status/default/shop/till.yaml") == "2");
  }

  SECTION("an edit is also reported when it is overwritten by a later push") {
    people.commit("main", {{"a.yaml", "a"}}, "start");
    auto repository = world.open("a");
    REQUIRE_OK(repository->poll());
    REQUIRE_OK(repository->record({status("till", "1", "till: one")}));
    REQUIRE_OK(repository->push());
    people.commit("main", {{"status/default/shop/till.yaml", "edited"}}, "an edit");
    REQUIRE_OK(repository->record({status("cart", "1", "cart: one")}));
    CHECK(repository->push()->overwritten.empty());
    REQUIRE_OK(repository->record({status("till", "2", "till: two")}));
    CHECK(repository->push()->overwritten == Strings{"status/default/shop/till.yaml"});
    REQUIRE_OK(repository->record({status("till", "3", "till: three")}));
    CHECK(repository->push()->overwritten.empty());
  }

  SECTION("a restart finds everything that was recorded") {
    auto start = people.commit("main", {{"a.yaml", "a"}}, "start");
    {
      auto repository = world.open("a");
      REQUIRE_OK(repository->poll());
      REQUIRE_OK(repository->record({status("till", "1", "till: one")}));
    }
    auto repository = world.open("a");
    CHECK(repository->head() == start);
    CHECK(repository->unpushed() == 1);
    CHECK(*repository->recorded("status") == Files{{"status/default/shop/till.yaml", "1"}});
    REQUIRE_OK(repository->push());
    CHECK(people.subjects("main") == Strings{"till: one", "start"});
  }

  SECTION("rewritten history is not followed: the last good commit stays in force and nothing is pushed") {
    people.commit("main", {{"a.yaml", "1"}}, "one");
    auto good = people.commit("main", {{"a.yaml", "2"}}, "two");
    auto repository = world.open("a");
    REQUIRE_OK(repository->poll());
    REQUIRE_OK(repository->record({status("till", "1", "till: one")}));
    people.rewrite("main", {{"a.yaml", "3"}});
    for (int i = 0; i < 2; i++) {
      auto head = repository->poll();
      REQUIRE(head);
      CHECK(head->commit == good);
      CHECK_THAT(head->complaint, ContainsSubstring("rewritten"));
    }
    auto pushed = repository->push();
    REQUIRE_FALSE(pushed);
    CHECK(pushed.error().kind == ErrorKind::Invalid);
    CHECK(repository->unpushed() == 1);
    CHECK(people.subjects("main") == Strings{"rewritten", "one"});
  }

  SECTION("a branch that vanished is held until it is back") {
    auto good = people.commit("main", {{"a.yaml", "1"}}, "one");
    people.commit("keep", {{"a.yaml", "1"}}, "one");
    auto repository = world.open("a");
    REQUIRE_OK(repository->poll());
    people.delete_branch("main");
    auto head = repository->poll();
    REQUIRE(head);
    CHECK(head->commit == good);
    CHECK_THAT(head->complaint, ContainsSubstring("main"));
    REQUIRE_OK(repository->record({status("till", "1", "till: one")}));
    CHECK_FALSE(repository->push());
    CHECK(repository->unpushed() == 1);
  }

  SECTION("unpushed commits about files that another daemon went on with are dropped, the others stay") {
    people.commit("main", {{"a.yaml", "a"}}, "start");
    auto first = world.open("a");
    REQUIRE_OK(first->poll());
    REQUIRE_OK(first->record({status("till", "1", "till: one"), status("cart", "1", "cart: one")}));
    REQUIRE_OK(first->push());
    REQUIRE_OK(first->record({status("till", "late", "till: late"), status("cart", "2", "cart: two")}));

    auto second = world.open("b");
    REQUIRE_OK(second->poll());
    CHECK(second->drop_outdated()->empty());
    REQUIRE_OK(second->record({status("till", "2", "till: two")}));
    REQUIRE_OK(second->push());

    REQUIRE_OK(first->poll());
    CHECK(*first->drop_outdated() == Strings{"status/default/shop/till.yaml"});
    CHECK(first->unpushed() == 1);
    CHECK(*first->recorded("status") ==
          Files{{"status/default/shop/cart.yaml", "2"}, {"status/default/shop/till.yaml", "2"}});
    CHECK(first->push()->overwritten.empty());
    CHECK(people.subjects("main") == Strings{"cart: two", "till: two", "cart: one", "till: one", "start"});
  }

  SECTION("of two daemons that push by turns nothing is lost and nothing reordered") {
    people.commit("main", {{"a.yaml", "a"}}, "start");
    std::unique_ptr<GitRepository> daemons[] = {world.open("a"), world.open("b")};
    for (auto& daemon : daemons) REQUIRE_OK(daemon->poll());
    for (int i = 0; i < 5; i++) {
      for (int d : {0, 1}) {
        auto name = d == 0 ? "till" : "cart";
        REQUIRE_OK(daemons[d]->record({status(name, std::to_string(i), name + (": " + std::to_string(i)))}));
        REQUIRE_OK(daemons[d]->push());
      }
    }
    auto subjects = people.subjects("main");
    REQUIRE(subjects.size() == 11);
    std::reverse(subjects.begin(), subjects.end());
    for (int i = 0; i < 5; i++) {
      CHECK(subjects[1 + 2 * i] == "till: " + std::to_string(i));
      CHECK(subjects[2 + 2 * i] == "cart: " + std::to_string(i));
    }
  }
}

}  // namespace reconciler::testing
