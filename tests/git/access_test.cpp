// Every way of proving who we are, against the servers people run: nginx before git http-backend, OpenSSH, and GitHub's
// API for apps.
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "git/open_repository.h"
#include "git/servers.h"

#include "catch.h"

using namespace reconciler;
using namespace reconciler::testing;

namespace {

constexpr auto till_path = "status/default/shop/till.yaml";

std::string secret_file(const std::string& path, const std::string& content) {
  std::ofstream(path) << content;
  chmod(path.c_str(), 0600);
  return path;
}

/// Reads, records and pushes.
void check_works(const GitOptions& options, GitPeople& people) {
  auto repository = open_repository(options);
  REQUIRE_OK(repository->poll());
  auto content = people.read("main", till_path) + "x";
  REQUIRE_OK(repository->record({status_write("till", content, "till: " + content)}));
  REQUIRE_OK(repository->push());
  CHECK(people.read("main", till_path) == content);
}

/// The first poll is refused for good, without a secret in the words.
std::string refusal(const GitOptions& options) {
  auto polled = open_repository(options)->poll();
  REQUIRE_FALSE(polled);
  CHECK(polled.error().kind == ErrorKind::Invalid);
  CHECK(polled.error().message.find("secret") == std::string::npos);
  return polled.error().message;
}

bool is_missing(bool installed, const char* what) {
  if (!installed) WARN(std::string(what) + " is not here: not tested");
  return !installed;
}

}  // namespace

TEST_CASE("nginx lets us in by basic and bearer, over TLS of a private authority", "[git][nginx]") {
  if (is_missing(NginxServer::is_installed(), "nginx")) return;
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}}, "start");
  NginxServer server(folder.path(), NginxServer::Tls::Server);
  auto options = options_for(server.url("basic"), folder / "state");
  CHECK_THAT(refusal(options), ContainsSubstring("certificate refused"));
  options.remote.credentials.ca_file = server.certificate();
  CHECK_THAT(refusal(options), ContainsSubstring("asks for credentials"));
  options.remote.credentials.token_file = secret_file(folder / "token", "secret\n");
  CHECK_THAT(refusal(options), ContainsSubstring("refused our token"));  // the user is not "x" here
  options.remote.credentials.user = "bot";
  check_works(options, people);
  options.url = server.url("bearer");
  CHECK_THAT(refusal(options), ContainsSubstring("refused our token"));
  options.remote.credentials.token_scheme = TokenScheme::Bearer;
  check_works(options, people);
  chmod((folder / "token").c_str(), 0644);
  CHECK_THAT(refusal(options), ContainsSubstring("others may read it"));
}

TEST_CASE("nginx lets us in by a client certificate", "[git][nginx]") {
  if (is_missing(NginxServer::is_installed(), "nginx")) return;
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}}, "start");
  NginxServer server(folder.path(), NginxServer::Tls::ServerAndClient);
  auto options = options_for(server.url("certified"), folder / "state");
  options.remote.credentials.ca_file = server.certificate();
  CHECK_THAT(refusal(options), ContainsSubstring("403"));
  options.remote.credentials.client_certificate_file = server.client_certificate();
  options.remote.credentials.client_key_file = server.client_key();
  check_works(options, people);
  chmod(server.client_key().c_str(), 0644);
  CHECK_THAT(refusal(options), ContainsSubstring("client key file"));
  chmod(server.client_key().c_str(), 0600);
  run("openssl pkcs8 -topk8 -passout pass:secret -in " + server.client_key() + " -out " + (folder / "locked.key"));
  options.remote.credentials.client_key_file = folder / "locked.key";
  auto locked = open_repository(options)->poll();  // does not ask the terminal for a passphrase
  REQUIRE_FALSE(locked);
  CHECK_THAT(locked.error().message, ContainsSubstring("TLS files"));
}

TEST_CASE("reading and pushing may have credentials of their own", "[git][nginx]") {
  if (is_missing(NginxServer::is_installed(), "nginx")) return;
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}}, "start");
  NginxServer server(folder.path(), NginxServer::Tls::None);
  auto options = options_for(server.url("read"), folder / "state");
  auto repository = open_repository(options);
  REQUIRE_OK(repository->poll());
  REQUIRE_OK(repository->record({status_write("till", "1", "till: one")}));
  auto refused = repository->push();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Invalid);
  CHECK(repository->unpushed() == 1);
  repository.reset();
  options.remote.push_credentials = GitCredentials{.token_file = secret_file(folder / "push", "secret"), .user = "bot"};
  repository = open_repository(options);
  REQUIRE_OK(repository->push());
  CHECK(people.read("main", till_path) == "1");
}

TEST_CASE("two writers race over nginx: nothing is lost", "[git][nginx]") {
  if (is_missing(NginxServer::is_installed(), "nginx")) return;
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}}, "start");
  NginxServer server(folder.path(), NginxServer::Tls::None);
  check_works(options_for(server.url("git"), folder / "one"), people);
  check_works(options_for(server.url("git"), folder / "two"), people);
  CHECK(people.subjects("main").size() == 3);
}

TEST_CASE("SSH works with ed25519 and ECDSA keys, with and without passphrase, and without HOME", "[git][ssh]") {
  if (is_missing(SshServer::is_installed(), "sshd")) return;
  unsetenv("HOME");  // a system service has none
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.commit("main", {{"a.yaml", "a"}}, "start");
  struct Kind {
    const char* type;
    const char* passphrase;
  };
  auto [type, passphrase] =
      GENERATE(Kind{"ed25519", ""}, Kind{"ed25519", "open sesame"}, Kind{"ecdsa", ""}, Kind{"ecdsa", "open sesame"});
  INFO(type);
  SshServer server(folder.path(), type, passphrase);
  auto options = options_for(server.url(people.remote()), folder / "state");
  auto& credentials = options.remote.credentials;
  credentials.ssh_key_file = server.client_key();
  credentials.known_hosts_file =
      secret_file(folder / "hosts", "[127.0.0.1]:" + server.port() + " " + server.host_key());
  if (*passphrase) {
    CHECK_FALSE(open_repository(options)->poll());
    credentials.ssh_passphrase_file = secret_file(folder / "passphrase", "wrong\n");
    CHECK_FALSE(open_repository(options)->poll());
    secret_file(folder / "passphrase", std::string(passphrase) + "\n");
  }
  check_works(options, people);
  run("ssh-keygen -q -H -f " + credentials.known_hosts_file);  // hashed names
  check_works(options, people);
  chmod(server.client_key().c_str(), 0644);
  CHECK_THAT(refusal(options), ContainsSubstring("others may read it"));
  chmod(server.client_key().c_str(), 0600);
  chmod(credentials.known_hosts_file.c_str(), 0666);
  CHECK_THAT(refusal(options), ContainsSubstring("others may write to it"));
}

TEST_CASE("a GitHub App exchanges its key for a token, and renews it in time", "[git][app]") {
  TemporaryFolder folder;
  GitPeople people(folder.path());
  people.git("config http.receivepack true");
  people.commit("main", {{"a.yaml", "a"}}, "start");
  run("openssl genrsa -out " + (folder / "app.key") + " 2048 && openssl rsa -pubout -in " + (folder / "app.key") +
      " -out " + (folder / "app.pub"));
  HttpServer server(folder.path());
  auto options = options_for(server.url("installation"), folder / "state");
  options.remote.credentials.app = {.app = "5",
                                    .installation = "7",
                                    .key_file = folder / "app.key",
                                    .api_url = server.url("api", "").substr(0, server.url("api", "").size() - 1)};
  auto tokens = [&] { return server.requests("POST /api/"); };

  SECTION("one token serves until five minutes before its end, for reading and pushing") {
    secret_file(folder / "app-life", "3600");
    check_works(options, people);
    CHECK(tokens() == 1);
  }
  SECTION("one that ends sooner is asked for anew each time") {
    secret_file(folder / "app-life", "299");
    auto repository = open_repository(options);
    for (size_t i = 1; i <= 3; i++) {
      REQUIRE_OK(repository->poll());
      CHECK(tokens() == i);
    }
  }
  SECTION("a token that a server refuses is replaced at the next try") {
    secret_file(folder / "app-life", "3600");
    auto repository = open_repository(options);
    REQUIRE_OK(repository->poll());
    auto other = open_repository([&] {
      auto changed = options;
      changed.state_directory = folder / "other";
      return changed;
    }());
    REQUIRE_OK(other->poll());  // its token makes ours invalid
    CHECK_FALSE(repository->poll());
    REQUIRE_OK(repository->poll());
    CHECK(tokens() == 3);
  }
  SECTION("a key that is not the app's is refused by GitHub, one that cannot be used by us") {
    secret_file(folder / "app-life", "3600");
    run("openssl genrsa -out " + (folder / "app.key") + " 2048");
    CHECK_THAT(refusal(options), ContainsSubstring("no token for installation 7 of GitHub App 5: status 401"));
    secret_file(folder / "app.key", "nonsense");
    CHECK_THAT(refusal(options), ContainsSubstring("no RSA private key"));
    CHECK(tokens() == 1);
  }
}

TEST_CASE("an API of GitHub must be encrypted", "[git][app]") {
  for (auto url : {"http://api.example.com", "ftp://x", "/tmp", "ssh://x/y", "https://user:secret@api.example.com"}) {
    GitHubApp app({.app = "5", .installation = "7", .key_file = "/none", .api_url = url});
    auto token = app.token({});
    REQUIRE_FALSE(token);
    CHECK(token.error().kind == ErrorKind::Invalid);
    CHECK(token.error().message.find("secret") == std::string::npos);
  }
}
