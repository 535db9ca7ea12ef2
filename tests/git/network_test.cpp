// The repository over real servers, and over servers that misbehave.
#include <chrono>
#include <filesystem>
#include <fstream>

#include "git/open_repository.h"
#include "git/servers.h"

#include "catch.h"

using namespace reconciler;
using namespace reconciler::testing;

namespace {

constexpr auto till = "status/default/shop/till.yaml";

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path) << content;
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

void allow_push(const GitPeople& people) { people.git("config http.receivepack true"); }

void set_hook(const GitPeople& people, const std::string& name, const std::string& script) {
  auto path = people.remote() + "/hooks/" + name;
  write_file(path, "#!/bin/sh\n" + script + "\n");
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

double seconds(const std::function<void()>& work) {
  auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("a repository over HTTP keeps the contract", "[git][http]") {
  TemporaryFolder folder;
  HttpServer server(folder.path());
  check_git_repository_contract([&] {
    auto people = std::make_unique<GitPeople>(folder.path());
    allow_push(*people);
    return World{std::move(people), [&](const std::string& daemon) {
                   return open_repository(options_for(server.url("git"), folder / daemon));
                 }};
  });
}

TEST_CASE("a poll of an unchanged branch is one listing, also after our own push", "[git][http]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  allow_push(people);
  people.commit("main", {{"a.yaml", "a"}});
  HttpServer server(folder.path());
  auto repository = open_repository(options_for(server.url("git"), folder / "state"));
  REQUIRE_OK(repository->poll());
  CHECK(server.requests("POST /git/remote.git/git-upload-pack") == 1);
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  REQUIRE_OK(repository->push());
  auto before = server.requests("");
  for (int i = 0; i < 3; i++) REQUIRE_OK(repository->poll());
  CHECK(server.requests("") == before + 3);
  CHECK(server.requests("upload-pack HTTP") == 0);
  CHECK(server.requests("POST /git/remote.git/git-upload-pack") == 1);
}

TEST_CASE("a server that never answers, trickles or stops in mid-pack is left at the deadline", "[git][http]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  auto good = people.commit("main", {{"a.yaml", std::string(100'000, 'a')}});
  HttpServer server(folder.path());
  auto how = GENERATE(as<std::string>(), "stall", "trickle", "stall-pack");
  INFO(how);
  auto options = options_for(server.url(how), folder / "state");
  options.remote.deadline = 700ms;
  auto repository = open_repository(options);
  double took = seconds([&] {
    auto polled = repository->poll();
    REQUIRE_FALSE(polled);
    CHECK(polled.error().kind == ErrorKind::Transient);
    CHECK_THAT(polled.error().message, ContainsSubstring("no end within 700ms"));
  });
  CHECK(took > 0.6);
  CHECK(took < 5);
  CHECK(run("find " + (folder / "state") + " -name 'pack_git2_*' -o -name 'tmp_*' -o -name '*.lock'").empty());
  // The next try is a new one.
  CHECK_FALSE(repository->poll());
  CHECK_FALSE(repository->head());
}

TEST_CASE("a stalled push ends at the deadline and its commits stay", "[git][http]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  allow_push(people);
  people.commit("main", {{"a.yaml", "a"}});
  HttpServer server(folder.path());
  auto options = options_for(server.url("git"), folder / "state");
  options.remote.deadline = 1500ms;
  auto repository = open_repository(options);
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  set_hook(people, "pre-receive", "touch " + (folder / "reached") + "; exec sleep 4");
  auto pushed = repository->push();
  REQUIRE_FALSE(pushed);
  CHECK(pushed.error().kind == ErrorKind::Transient);
  CHECK(std::filesystem::exists(folder / "reached"));
  CHECK(repository->unpushed() == 1);
}

TEST_CASE("answers that are no Git are told apart: refused, or to be tried again", "[git][http]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}});
  HttpServer server(folder.path());
  struct Case {
    const char* how;
    ErrorKind kind;
  };
  auto [how, kind] = GENERATE(Case{"unauthorized", ErrorKind::Invalid}, Case{"forbidden", ErrorKind::Invalid},
                              Case{"redirect", ErrorKind::Invalid}, Case{"broken", ErrorKind::Transient},
                              Case{"html", ErrorKind::Transient}, Case{"hang-up", ErrorKind::Transient},
                              Case{"reset-pack", ErrorKind::Transient}, Case{"wrong-ids", ErrorKind::Transient});
  INFO(how);
  auto repository = open_repository(options_for(server.url(how), folder / "state"));
  auto polled = repository->poll();
  REQUIRE_FALSE(polled);
  CHECK(polled.error().kind == kind);
  CHECK(server.requests("") <= 2);
  CHECK(server.requests("GET /git/") == 0);
}

TEST_CASE("a server that says yes to a push without saying what became of it is not believed", "[git][http]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  allow_push(people);
  people.commit("main", {{"a.yaml", "a"}}, "start");
  HttpServer server(folder.path());
  auto how = GENERATE(as<std::string>(), "html-for-push", "empty-report");
  INFO(how);
  auto repository = open_repository(options_for(server.url(how), folder / "state"));
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  for (int i = 0; i < 2; i++) {
    auto pushed = repository->push();
    REQUIRE_FALSE(pushed);
    CHECK(pushed.error().kind == ErrorKind::Transient);
    CHECK(repository->unpushed() == 1);
  }
  CHECK(people.subjects("main") == std::vector<std::string>{"start"});
}

TEST_CASE("addresses where clouds hand out credentials are not connected to", "[git][http]") {
  TemporaryFolder folder;
  for (auto host : {"169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]"}) {
    auto repository = open_repository(options_for("https://" + std::string(host) + "/r.git", folder / "state"));
    auto polled = repository->poll();
    REQUIRE_FALSE(polled);
    INFO(polled.error().message);
    CHECK_THAT(polled.error().message, ContainsSubstring("link-local"));
  }
}

TEST_CASE("nobody listens: the error names the place and may pass", "[git][http]") {
  TemporaryFolder folder;
  auto repository = open_repository(options_for("http://127.0.0.1:1/r.git", folder / "state"));
  auto polled = repository->poll();
  REQUIRE_FALSE(polled);
  CHECK(polled.error().kind == ErrorKind::Transient);
  CHECK_THAT(polled.error().message, ContainsSubstring("127.0.0.1:1"));
  CHECK_THAT(polled.error().message, ContainsSubstring("refused"));
}

TEST_CASE("a token from a file opens the door, a wrong one is offered once", "[git][http]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  allow_push(people);
  people.commit("main", {{"a.yaml", "a"}});
  HttpServer server(folder.path());
  auto token_file = folder / "token";
  auto [how, scheme] = GENERATE(std::pair("token", TokenScheme::Basic), std::pair("bearer", TokenScheme::Bearer));
  auto options = options_for(server.url(how), folder / "state");
  options.remote.credentials.token_file = token_file;
  options.remote.credentials.token_scheme = scheme;
  auto repository = open_repository(options);
  CHECK_THAT(repository->poll().error().message, ContainsSubstring("token file"));
  write_file(token_file, "wrong\n");
  auto refused = repository->poll();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Invalid);
  CHECK_THAT(refused.error().message, ContainsSubstring("refused our token"));
  CHECK(refused.error().message.find("wrong") == std::string::npos);
  CHECK(server.requests("") <= 2);
  write_file(token_file, "secret\n");  // renewed while we run
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  REQUIRE_OK(repository->push());
  CHECK(people.read("main", till) == "1");
}

TEST_CASE("a refusal by a hook is reported in its words, and nothing is lost", "[git][http]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  allow_push(people);
  people.commit("main", {{"a.yaml", "a"}}, "start");
  HttpServer server(folder.path());
  auto repository = open_repository(options_for(server.url("git"), folder / "state"));
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  set_hook(people, "pre-receive", "exit 1");
  for (int i = 0; i < 2; i++) {
    auto pushed = repository->push();
    REQUIRE_FALSE(pushed);
    CHECK(pushed.error().kind == ErrorKind::Invalid);
    CHECK_THAT(pushed.error().message, ContainsSubstring("pre-receive hook declined"));
  }
  CHECK(people.subjects("main") == std::vector<std::string>{"start"});
  CHECK(repository->unpushed() == 1);
  set_hook(people, "pre-receive", "exit 0");
  CHECK(repository->push()->commits == 1);
  CHECK(people.subjects("main") == std::vector<std::string>{"till: one", "start"});
}

TEST_CASE("a race lost between listing and update is a conflict, and the next try wins", "[git][http]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  allow_push(people);
  people.commit("main", {{"a.yaml", "a"}}, "start");
  auto other = people.commit("side", {{"b.yaml", "b"}}, "theirs");
  HttpServer server(folder.path());
  auto repository = open_repository(options_for(server.url("git"), folder / "state"));
  REQUIRE_OK(repository->poll());
  people.git("update-ref refs/heads/side " + people.git("commit-tree -p main -m theirs " + other + "^{tree}"));
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  // The update hook runs after the server compared what we asked for; then somebody else is faster, once.
  set_hook(
      people, "update",
      "[ -e " + (folder / "done") + " ] || git update-ref refs/heads/main refs/heads/side; touch " + (folder / "done"));
  auto pushed = repository->push();
  REQUIRE_FALSE(pushed);
  CHECK(pushed.error().kind == ErrorKind::Conflict);
  CHECK(repository->unpushed() == 1);
  REQUIRE_OK(repository->push());
  CHECK(people.subjects("main") == std::vector<std::string>{"till: one", "theirs", "start"});
}

TEST_CASE("a push whose answer was lost is known again by its ids", "[git][http]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  allow_push(people);
  people.commit("main", {{"a.yaml", "a"}}, "start");
  HttpServer server(folder.path());
  auto repository = open_repository(options_for(server.url("lose-answer"), folder / "state"));
  REQUIRE_OK(repository->poll());
  people.commit("main", {{"a.yaml", "A"}}, "theirs");
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  auto pushed = repository->push();
  REQUIRE_FALSE(pushed);
  CHECK(pushed.error().kind == ErrorKind::Transient);
  bool restarted = GENERATE(false, true);
  if (restarted) {
    repository.reset();
    repository = open_repository(options_for(server.url("lose-answer"), folder / "state"));
  }
  people.commit("main", {{"a.yaml", "AA"}}, "theirs again");
  REQUIRE_OK(repository->record({status_write("till", "2", "till: two")}));
  REQUIRE_OK(repository->poll());
  CHECK(repository->unpushed() == 1);
  CHECK_FALSE(repository->push());  // this answer is lost, too
  REQUIRE_OK(repository->poll());
  CHECK(repository->unpushed() == 0);
  CHECK(people.subjects("main") ==
        std::vector<std::string>{"till: two", "theirs again", "till: one", "theirs", "start"});
}

TEST_CASE("a transfer beyond its limits is given up", "[git][http]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", run("head -c 300000 /dev/urandom | base64")}});
  HttpServer server(folder.path());
  auto options = options_for(server.url("git"), folder / "state");
  options.remote.received_bytes_max = 100'000;
  auto repository = open_repository(options);
  auto polled = repository->poll();
  REQUIRE_FALSE(polled);
  CHECK(polled.error().kind == ErrorKind::Invalid);
  CHECK_THAT(polled.error().message, ContainsSubstring("larger than 100000 bytes"));
  options.remote.received_bytes_max = 10'000'000;
  repository = open_repository(options);
  REQUIRE_OK(repository->poll());
}

TEST_CASE("HTTPS trusts the given authority, for names and addresses, and no other", "[git][https]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  allow_push(people);
  people.commit("main", {{"a.yaml", "a"}}, "start");
  auto [name, host] = GENERATE(std::pair("DNS:localhost", "localhost"), std::pair("IP:127.0.0.1", "127.0.0.1"));
  HttpServer server(folder.path(), name);
  auto options = options_for(server.url("git", "remote.git", host), folder / "state");
  auto untrusted = open_repository(options)->poll();
  REQUIRE_FALSE(untrusted);
  CHECK(untrusted.error().kind == ErrorKind::Invalid);
  CHECK_THAT(untrusted.error().message, ContainsSubstring("certificate"));
  options.remote.credentials.ca_file = server.certificate();
  auto repository = open_repository(options);
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  REQUIRE_OK(repository->push());
  CHECK(people.read("main", till) == "1");
  auto wrong_host = std::string(host) == "localhost" ? "127.0.0.1" : "localhost";
  auto mismatched = options_for(server.url("git", "remote.git", wrong_host), folder / "other");
  mismatched.remote.credentials.ca_file = server.certificate();
  CHECK_THAT(open_repository(mismatched)->poll().error().message, ContainsSubstring("mismatch"));
}

TEST_CASE("SSH trusts pinned host keys only, and works with a key file", "[git][ssh]") {
  if (!SshServer::is_installed()) {
    WARN("no sshd here: not tested");
    return;
  }
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}}, "start");
  SshServer server(folder.path());
  auto options = options_for(server.url(people.remote()), folder / "state");
  auto known_hosts = folder / "known_hosts";
  options.remote.credentials.ssh_key_file = server.client_key();
  CHECK_THAT(open_repository(options)->poll().error().message, ContainsSubstring("known_hosts"));
  options.remote.credentials.known_hosts_file = known_hosts;
  auto repository = open_repository(options);
  write_file(known_hosts, "[127.0.0.2]:" + server.port() + " " + server.host_key() + "\n");
  auto unknown = repository->poll();
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().kind == ErrorKind::Invalid);
  CHECK_THAT(unknown.error().message, ContainsSubstring("not in the known_hosts file"));
  auto other_key = run("cut -d' ' -f1,2 " + server.client_key() + ".pub");
  write_file(known_hosts, "[127.0.0.1]:" + server.port() + " " + other_key + "\n");
  CHECK_THAT(repository->poll().error().message, ContainsSubstring("it changed"));
  write_file(known_hosts, "[127.0.0.1]:" + server.port() + " " + server.host_key() + "\n");
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  REQUIRE_OK(repository->push());
  CHECK(people.read("main", till) == "1");
  run("ssh-keygen -q -t ed25519 -N '' -f " + (folder / "stranger"));
  options.remote.credentials.ssh_key_file = folder / "stranger";
  auto stranger = open_repository(options)->poll();
  REQUIRE_FALSE(stranger);
  CHECK(stranger.error().kind == ErrorKind::Invalid);
  CHECK_THAT(stranger.error().message, ContainsSubstring("refused our key"));
}
