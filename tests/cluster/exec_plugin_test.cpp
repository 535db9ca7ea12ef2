#include "cluster/exec_plugin.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "cluster/kubeconfig.h"
#include "daemon/system_clock.h"

#include "catch.h"

using namespace reconciler;

namespace {

namespace fs = std::filesystem;

constexpr const char* kVersion = "client.authentication.k8s.io/v1";

/// A program in a folder of its own that counts how often it ran.
struct Plugin {
  fs::path folder = fs::temp_directory_path() / ("serin-plugin-" + std::to_string(::getpid()));
  explicit Plugin(const std::string& script) {
    fs::create_directories(folder);
    std::ofstream(folder / "plugin") << "#!/bin/sh\necho run >>\"$(dirname \"$0\")/runs\"\n" << script;
    fs::permissions(folder / "plugin", fs::perms::owner_all);
  }
  ~Plugin() { fs::remove_all(folder); }
  size_t runs() const {
    std::ifstream file(folder / "runs");
    size_t count = 0;
    for (std::string line; std::getline(file, line);) ++count;
    return count;
  }
  ExecPlugin described(const Json& more = Json::object()) const {
    Json exec = {{"apiVersion", kVersion}, {"command", (folder / "plugin").string()}};
    exec.update(more);
    auto plugin = exec_plugin_of(exec, {{"server", "https://k"}});
    REQUIRE(plugin);
    return *plugin;
  }
};

std::string credential(const std::string& status) {
  return "cat <<'C'\n{\"apiVersion\": \"" + std::string(kVersion) +
         "\", \"kind\": \"ExecCredential\", \"status\": " + status + "}\nC\n";
}

/// Wall-clock time as the test wants it.
class HandClock : public SystemClock {
 public:
  TimePoint time = TimePoint{} + 24h * 20000;
  TimePoint now() override { return time; }
};

std::string plugin_refusal(const Json& exec) {
  auto plugin = exec_plugin_of(exec, Json::object());
  REQUIRE_FALSE(plugin);
  return plugin.error().message;
}

}  // namespace

TEST_CASE("a plugin's token is used until it expires", "[exec]") {
  Plugin plugin(credential(R"({"token": "t0ken", "expirationTimestamp": "2024-10-04T00:10:00Z"})"));
  HandClock clock;
  ExecTokens tokens(plugin.described(), clock);
  CHECK(*tokens.token() == "t0ken");
  CHECK(*tokens.token() == "t0ken");
  CHECK(plugin.runs() == 1);
  clock.time = *parse_time("2024-10-04T00:09:55Z");
  CHECK(*tokens.token() == "t0ken");
  CHECK(plugin.runs() == 2);
}

TEST_CASE("a token that the server refuses is not used again", "[exec]") {
  Plugin plugin(credential(R"({"token": "t0ken"})"));
  HandClock clock;
  ExecTokens tokens(plugin.described(), clock);
  REQUIRE(tokens.token());
  tokens.refused("another one");
  CHECK(tokens.token());
  tokens.refused("t0ken");
  auto next = tokens.token();
  REQUIRE_FALSE(next);
  CHECK(next.error().kind == ErrorKind::Transient);
  CHECK(next.error().message.find("t0ken") == std::string::npos);
  CHECK(plugin.runs() == 1);
}

TEST_CASE("a plugin has no standard input, and is told what it asked for", "[exec]") {
  Plugin plugin(
      "read line && exit 3\n"
      "case \"$KUBERNETES_EXEC_INFO\" in *'\"interactive\":false'*) ;; *) exit 4;; esac\n"
      "case \"$KUBERNETES_EXEC_INFO\" in *'\"server\":\"https://k\"'*) ;; *) exit 5;; esac\n"
      "[ \"$REGION\" = 'north 1' ] && [ \"$1\" = '$(id)' ] || exit 6\n" +
      credential(R"({"token": "t"})"));
  SystemClock clock;
  ExecTokens tokens(
      plugin.described(
          {{"provideClusterInfo", true}, {"args", {"$(id)"}}, {"env", {{{"name", "REGION"}, {"value", "north 1"}}}}}),
      clock);
  auto token = tokens.token();
  INFO((token ? "" : token.error().message));
  CHECK(token);
}

TEST_CASE("a plugin that hangs is ended, with what it started", "[exec]") {
  Plugin plugin("sleep 60 &\nsleep 60\n");
  SystemClock clock;
  ExecTokens tokens(plugin.described(), clock, 300ms);
  const Duration began = clock.monotonic();
  auto token = tokens.token();
  REQUIRE_FALSE(token);
  CHECK(token.error().message.find("within 300ms") != std::string::npos);
  CHECK(clock.monotonic() - began < 5s);
}

TEST_CASE("a plugin that fails is not run for every request", "[exec]") {
  Plugin plugin("echo s3cret\nexit 7\n");
  SystemClock clock;
  ExecTokens tokens(plugin.described(), clock);
  auto first = tokens.token(), second = tokens.token();
  REQUIRE_FALSE(first);
  CHECK(first.error().message.find("exit code 7") != std::string::npos);
  CHECK(first.error().message.find("s3cret") == std::string::npos);
  CHECK(second.error() == first.error());
  CHECK(plugin.runs() == 1);
}

TEST_CASE("a plugin that is not there is said by name", "[exec]") {
  SystemClock clock;
  ExecTokens tokens(*exec_plugin_of({{"apiVersion", kVersion}, {"command", "/no/such/plugin"}}, Json()), clock);
  auto token = tokens.token();
  REQUIRE_FALSE(token);
  CHECK(token.error().message.find("cannot start /no/such/plugin") != std::string::npos);
}

TEST_CASE("an answer is read strictly", "[exec]") {
  const ExecPlugin plugin{.api_version = kVersion, .command = {"p"}};
  auto wrong = [&](const std::string& text) {
    auto read = read_exec_credential(plugin, text);
    REQUIRE_FALSE(read);
    return read.error().message;
  };
  const std::string start = R"({"kind": "ExecCredential", "apiVersion": ")" + std::string(kVersion) + "\", ";
  CHECK(wrong("s3cret").find("s3cret") == std::string::npos);
  CHECK(wrong("{}") == "exec plugin p: it did not print an ExecCredential");
  CHECK(wrong(start + R"("status": {}})") == "exec plugin p: there is no usable token in its answer");
  CHECK(wrong(start + R"("status": {"token": "a\nb"}})") == "exec plugin p: there is no usable token in its answer");
  CHECK(wrong(start + R"("status": {"token": "a", "expirationTimestamp": "soon"}})") ==
        "exec plugin p: expirationTimestamp is no RFC 3339 time");
  CHECK(wrong(start + R"("status": {"clientCertificateData": "x", "clientKeyData": "y"}})").find("only tokens") !=
        std::string::npos);
  CHECK(wrong(R"({"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1"})")
            .find("it answers in client.authentication.k8s.io/v1beta1") != std::string::npos);
}

TEST_CASE("what a plugin must not ask for is refused", "[exec]") {
  CHECK(plugin_refusal({{"apiVersion", kVersion}}) == "exec names no command");
  CHECK(plugin_refusal({{"apiVersion", "client.authentication.k8s.io/v1alpha1"}, {"command", "p"}})
            .find("v1 or v1beta1") != std::string::npos);
  CHECK(plugin_refusal({{"apiVersion", kVersion}, {"command", "p"}, {"interactiveMode", "Always"}}).find("terminal") !=
        std::string::npos);
}

TEST_CASE("a kubeconfig's plugin counts only when it is allowed, and lies beside the file", "[exec][kubeconfig]") {
  Plugin plugin(credential(R"({"token": "t"})"));
  std::ofstream(plugin.folder / "config")
      << "current-context: c\n"
         "clusters: [{name: k, cluster: {server: 'https://k'}}]\n"
         "users: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./plugin}}}]\n"
         "contexts: [{name: c, context: {cluster: k, user: u}}]\n";
  const Environment nothing = [](const std::string&) { return std::optional<std::string>(); };
  AccessChoice choice{.kubeconfig = plugin.folder / "config"};
  auto refused = find_cluster(choice, nothing);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("--allow-exec-plugin") != std::string::npos);
  choice.exec_plugins = ExecPlugins::Allowed;
  auto allowed = find_cluster(choice, nothing);
  REQUIRE(allowed);
  REQUIRE(allowed->exec);
  CHECK(allowed->exec->name() == plugin.folder / "plugin");
  CHECK(plugin.runs() == 0);
}
