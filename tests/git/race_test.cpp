// Two daemons that push to one branch at the same time.
#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "git/open_repository.h"
#include "git/servers.h"

#include "catch.h"

using namespace reconciler;
using namespace reconciler::testing;

namespace {

/// Records and pushes `rounds` times; a lost race is tried again. Returns the first error that is none.
std::string push_many(GitRepository& repository, const std::string& name, int rounds) {
  for (int i = 0; i < rounds; i++) {
    auto text = std::to_string(i);
    auto recorded = repository.record({status_write(name, text, name + " " + text)});
    if (!recorded) return recorded.error().message;
    for (int tries = 0; repository.unpushed() > 0; tries++) {
      auto pushed = repository.push();
      if (!pushed && pushed.error().kind != ErrorKind::Conflict) return pushed.error().message;
      if (pushed && !pushed->overwritten.empty()) return "overwrote " + pushed->overwritten.front();
      if (tries > 1000) return "never won a race";
    }
  }
  return {};
}

void race(GitPeople& people, int rounds,
          const std::function<std::unique_ptr<GitRepository>(const std::string&)>& open) {
  people.commit("main", {{"a.yaml", "a"}}, "start");
  std::vector<std::string> names = {"till", "cart"};
  std::vector<std::future<std::string>> writers;
  for (const auto& name : names) {
    writers.push_back(std::async(std::launch::async, [&, name]() -> std::string {
      auto repository = open(name);
      if (auto polled = repository->poll(); !polled) return polled.error().message;
      return push_many(*repository, name, rounds);
    }));
  }
  for (auto& writer : writers) CHECK(writer.get() == "");
  auto subjects = people.subjects("main");
  std::reverse(subjects.begin(), subjects.end());
  CHECK(subjects.size() == static_cast<size_t>(1 + 2 * rounds));
  for (const auto& name : names) {
    std::vector<std::string> of_one, expected;
    for (const auto& subject : subjects)
      if (subject.rfind(name, 0) == 0) of_one.push_back(subject);
    for (int i = 0; i < rounds; i++) expected.push_back(name + " " + std::to_string(i));
    CHECK(of_one == expected);
  }
  people.git("fsck --strict");
}

}  // namespace

TEST_CASE("two writers race in a folder: nothing is lost and nothing reordered", "[git][race]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  race(people, 50,
       [&](const std::string& name) { return open_repository(options_for(people.remote(), folder / name)); });
}

TEST_CASE("two writers race over HTTP: nothing is lost and nothing reordered", "[git][http][race]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.git("config http.receivepack true");
  HttpServer server(folder.path());
  race(people, 15,
       [&](const std::string& name) { return open_repository(options_for(server.url("git"), folder / name)); });
}

TEST_CASE("commits are recorded while a push runs, and none is lost", "[git][http][race]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.git("config http.receivepack true");
  people.commit("main", {{"a.yaml", "a"}}, "start");
  HttpServer server(folder.path());
  auto repository = open_repository(options_for(server.url("git"), folder / "state"));
  REQUIRE_OK(repository->poll());
  std::atomic<bool> done = false;
  struct AtEnd {
    std::atomic<bool>& done;
    ~AtEnd() { done = true; }
  };
  auto pushing = std::async(std::launch::async, [&]() -> std::string {
    while (!done || repository->unpushed() > 0) {
      auto pushed = repository->push();
      if (!pushed && pushed.error().kind != ErrorKind::Conflict) return pushed.error().message;
      if (auto polled = repository->poll(); !polled) return polled.error().message;
    }
    return {};
  });
  AtEnd at_end{done};  // however this thread leaves, the other one ends
  for (int i = 0; i < 200; i++) {
    CHECK_OK(repository->record({status_write("till", std::to_string(i), "till " + std::to_string(i))}));
    if (i % 50 == 0) people.commit("main", {{"a.yaml", std::to_string(i)}}, "theirs");
    CHECK_OK(repository->recorded("status"));
    CHECK_OK(repository->changes("", *repository->head(), ""));
  }
  done = true;
  CHECK(pushing.get() == "");
  auto subjects = people.subjects("main");
  subjects.erase(std::remove(subjects.begin(), subjects.end(), "theirs"), subjects.end());
  REQUIRE(subjects.size() == 201);
  for (int i = 0; i < 200; i++) CHECK(subjects[i] == "till " + std::to_string(199 - i));
}

TEST_CASE("200 pushes of people race 200 transitions: nothing is lost, reordered or doubled", "[git][nginx][race]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}}, "start");
  std::unique_ptr<NginxServer> server;
  if (NginxServer::is_installed()) server = std::make_unique<NginxServer>(folder.path(), NginxServer::Tls::None);
  if (!server) WARN("no nginx here: in a folder instead");
  auto repository = open_repository(options_for(server ? server->url("git") : people.remote(), folder / "state"));
  REQUIRE_OK(repository->poll());
  // A person who commits on what is newest and pushes, and fetches again whenever somebody was faster.
  auto pushing = std::async(std::launch::async, [&] {
    run("cd " + (folder / "people") +
        " && for i in $(seq 200); do until git fetch -q origin main && id=$(git commit-tree -p FETCH_HEAD -m \"person "
        "$i\" "
        "FETCH_HEAD^{tree}) && git push -q origin $id:refs/heads/main 2>/dev/null; do :; done; done");
  });
  std::atomic<bool> done = false;
  auto daemon = std::async(std::launch::async, [&]() -> std::string {
    while (!done || repository->unpushed() > 0) {
      auto pushed = repository->push();
      if (!pushed && pushed.error().kind != ErrorKind::Conflict) return pushed.error().message;
      if (pushed && !pushed->overwritten.empty()) return "overwrote " + pushed->overwritten.front();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // far more often than a daemon would
    }
    return {};
  });
  for (int i = 0; i < 200; i++) {
    CHECK_OK(repository->record({status_write("till", std::to_string(i), "till " + std::to_string(i))}));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the pace of transitions; nothing waits for it
  }
  pushing.get();
  done = true;
  CHECK(daemon.get() == "");
  auto subjects = people.subjects("main");
  std::reverse(subjects.begin(), subjects.end());
  CHECK(subjects.size() == 401);
  std::vector<std::string> of_person, of_daemon, persons, transitions;
  for (int i = 0; i < 200; i++) {
    persons.push_back("person " + std::to_string(i + 1));
    transitions.push_back("till " + std::to_string(i));
  }
  for (const auto& subject : subjects) {
    if (subject.starts_with("person")) of_person.push_back(subject);
    if (subject.starts_with("till")) of_daemon.push_back(subject);
  }
  CHECK(of_person == persons);
  CHECK(of_daemon == transitions);
  people.git("fsck --strict");
}
