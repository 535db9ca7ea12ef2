#include "cluster/kubeconfig.h"
#include "base/base64.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catch.h"

using namespace reconciler;

namespace {

namespace fs = std::filesystem;

/// A folder of its own that goes with the test.
struct Folder {
  fs::path path = fs::temp_directory_path() / ("serin-kubeconfig-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string write(const std::string& name, const std::string& text) const {
    fs::create_directories((path / name).parent_path());
    std::ofstream(path / name) << text;
    return path / name;
  }
};

std::string config(const std::string& cluster, const std::string& user, const std::string& context = "") {
  return "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
         "clusters: [{name: k, cluster: {" +
         cluster +
         "}}]\n"
         "users: [{name: u, user: {" +
         user +
         "}}]\n"
         "contexts: [{name: c, context: {cluster: k, user: u" +
         context + "}}]\n";
}

Environment environment(std::map<std::string, std::string> values) {
  return [values](const std::string& name) {
    auto value = values.find(name);
    return value == values.end() ? std::nullopt : std::optional(value->second);
  };
}

ClusterAccess access(const std::string& file, const Environment& from = environment({})) {
  auto found = find_cluster({.kubeconfig = file, .context = ""}, from);
  INFO((found ? "" : found.error().message));
  REQUIRE(found);
  return *found;
}

std::string refusal(const std::string& text) {
  Folder folder;
  auto found = find_cluster({.kubeconfig = folder.write("config", text), .context = ""}, environment({}));
  REQUIRE_FALSE(found);
  CHECK(found.error().kind == ErrorKind::Invalid);
  return found.error().message;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("server, authority, token and namespace are read", "[kubeconfig]") {
  Folder folder;
  ClusterAccess found = access(folder.write(
      "config", config("server: 'https://k:6443', certificate-authority-data: Q0E=", "token: t", ", namespace: shop")));
  CHECK(found.http.base_url == "https://k:6443");
  CHECK(found.http.tls.ca == "CA");
  CHECK(found.http.token == "t");
  CHECK(found.default_namespace == "shop");
}

TEST_CASE("files are found beside the kubeconfig", "[kubeconfig]") {
  Folder folder;
  folder.write("pki/ca.crt", "CA");
  folder.write("pki/me.crt", "CERTIFICATE");
  folder.write("pki/me.key", "KEY");
  ClusterAccess found = access(
      folder.write("config", config("server: 'https://k', certificate-authority: pki/ca.crt",
                                    "client-certificate: pki/me.crt, client-key: pki/me.key, tokenFile: pki/token")));
  CHECK(found.http.tls.ca == "CA");
  CHECK(found.http.tls.certificate == "CERTIFICATE");
  CHECK(found.http.tls.key == "KEY");
  CHECK(found.http.token_file == folder.path / "pki/token");
  CHECK(found.default_namespace == "default");
}

TEST_CASE("a plain server on loopback is fine, a token over plain HTTP elsewhere is not", "[kubeconfig]") {
  Folder folder;
  CHECK(access(folder.write("config", config("server: 'http://127.0.0.1:8080'", "token: t"))).http.token == "t");
  CHECK(contains(refusal(config("server: 'http://k:8080'", "token: t")), "a token is not sent over http://"));
}

TEST_CASE("what cannot be trusted or is not carried out is refused by name", "[kubeconfig]") {
  const std::string server = "server: 'https://k'";
  CHECK(contains(refusal(config(server + ", insecure-skip-tls-verify: true", "token: t")), "insecure-skip-tls-verify"));
  CHECK(contains(refusal(config(server, "exec: {command: aws}")), "exec credential plugins"));
  CHECK(contains(refusal(config(server, "auth-provider: {name: gcp}")), "auth-provider"));
  CHECK(contains(refusal(config(server, "username: me, password: hunter2")), "username and password"));
  CHECK(contains(refusal(config(server, "token: t, as: root")), "impersonation"));
  CHECK(contains(refusal(config(server + ", tls-server-name: x", "token: t")), "tls-server-name"));
  CHECK(contains(refusal(config(server + ", proxy-url: 'socks5://p'", "token: t")), "proxies"));
  CHECK(contains(refusal(config("server: k", "token: t")), "server must be"));
  CHECK(contains(refusal(config(server + ", certificate-authority-data: '%'", "token: t")), "no base64"));
  CHECK(contains(refusal(config(server + ", certificate-authority: missing.crt", "token: t")), "missing.crt"));
}

TEST_CASE("a kubeconfig that is none says where", "[kubeconfig]") {
  CHECK(contains(refusal("a: [1"), "config:"));
  CHECK(contains(refusal("just text"), "no kubeconfig"));
  CHECK(contains(refusal("apiVersion: v1\nkind: Config\n"), "no current-context"));
  CHECK(contains(refusal("current-context: c\n"), "context c does not exist"));
  CHECK(contains(refusal("current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"), "cluster k"));
  auto missing = find_cluster({.kubeconfig = "/no/such/file", .context = ""}, environment({}));
  CHECK(contains(missing.error().message, "/no/such/file"));
}

TEST_CASE("no error repeats a credential", "[kubeconfig]") {
  CHECK_FALSE(
      contains(refusal(config("server: 'https://me:hunter2@k', proxy-url: 'socks5://p'", "token: t")), "hunter2"));
  CHECK_FALSE(contains(refusal(config("server: 'ftp://me:hunter2@k'", "token: s3cret")), "hunter2"));
  CHECK_FALSE(contains(refusal(config("server: 'https://k'", "username: me, password: hunter2")), "hunter2"));
}

TEST_CASE("the chosen context counts", "[kubeconfig]") {
  Folder folder;
  std::string file = folder.write("config", config("server: 'https://k'", "token: t") + "extensions: []\n");
  CHECK(contains(find_cluster({.kubeconfig = file, .context = "other"}, environment({})).error().message,
                 "context other does not exist"));
  CHECK(find_cluster({.kubeconfig = file, .context = "c"}, environment({})));
}

TEST_CASE("a KUBECONFIG list is merged, the first value of each name counts", "[kubeconfig]") {
  Folder folder;
  std::string first = folder.write("a/config",
                                   "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
                                   "users: [{name: u, user: {tokenFile: token}}]\n");
  std::string second = folder.write("b/config", config("server: 'https://k'", "token: other"));
  auto found = find_cluster({}, environment({{"KUBECONFIG", first + ":/no/such/file:" + second}}));
  REQUIRE(found);
  CHECK(found->http.base_url == "https://k");
  CHECK(found->http.token.empty());  // of the first file's user, as a whole
  CHECK(found->http.token_file == folder.path / "a/token");
}

TEST_CASE("without a kubeconfig the usual places are looked at", "[kubeconfig]") {
  Folder folder;
  folder.write(".kube/config", config("server: 'https://home'", "token: t"));
  CHECK(find_cluster({}, environment({{"HOME", folder.path}}))->http.base_url == "https://home");
  auto nothing = find_cluster({}, environment({{"HOME", folder.path / "empty"}}));
  REQUIRE_FALSE(nothing);
  CHECK(contains(nothing.error().message, "--kubeconfig"));
  auto pod =
      find_cluster({}, environment({{"KUBERNETES_SERVICE_HOST", "10.0.0.1"}, {"KUBERNETES_SERVICE_PORT", "443"}}));
  REQUIRE_FALSE(pod);  // Not in a pod: its service account is missing, and that is said.
  CHECK(contains(pod.error().message, "serviceaccount"));
}

TEST_CASE("a pod is its service account, whose token is read again when it changes", "[kubeconfig]") {
  Folder folder;
  folder.write("ca.crt", "CA");
  folder.write("token", "t");
  folder.write("namespace", "serin");
  auto pod = find_cluster({.service_account = folder.path},
                          environment({{"KUBERNETES_SERVICE_HOST", "fd00::1"}, {"KUBERNETES_SERVICE_PORT", "443"}}));
  REQUIRE(pod);
  CHECK(pod->http.base_url == "https://[fd00::1]:443");
  CHECK(pod->http.tls.ca == "CA");
  CHECK(pod->http.token.empty());
  CHECK(pod->http.token_file == folder.path / "token");
  CHECK(pod->default_namespace == "serin");
}

TEST_CASE("proxies come from the kubeconfig, else from the environment", "[kubeconfig]") {
  Folder folder;
  std::string own = folder.write("own", config("server: 'https://k', proxy-url: 'http://mine:3128'", "token: t"));
  std::string none = folder.write("none", config("server: 'https://k.shop.internal'", "token: t"));
  Environment proxies = environment({{"HTTPS_PROXY", "proxy:3128"}});
  Environment exempt = environment({{"HTTPS_PROXY", "proxy:3128"}, {"NO_PROXY", "x, .shop.internal"}});
  CHECK(access(own, proxies).http.proxy == "http://mine:3128");
  CHECK(access(none, proxies).http.proxy == "http://proxy:3128");
  CHECK(access(none, exempt).http.proxy.empty());
  CHECK(access(none).http.proxy.empty());
}

TEST_CASE("NO_PROXY names hosts and domains, loopback never needs one", "[kubeconfig]") {
  CHECK(bypasses_proxy("127.0.0.1", ""));
  CHECK(bypasses_proxy("localhost", ""));
  CHECK(bypasses_proxy("a.b", "*"));
  CHECK(bypasses_proxy("a.b", "b"));
  CHECK(bypasses_proxy("10.1.2.3", "10.1.2.3"));
  CHECK_FALSE(bypasses_proxy("ab", "b"));
  CHECK_FALSE(bypasses_proxy("a.b", ""));
  CHECK(bypasses_proxy("https://A.b:6443", "a.B"));
  CHECK(bypasses_proxy("https://a.b:6443/x", "a.b:6443"));
  CHECK_FALSE(bypasses_proxy("https://a.b", "a.b:6443"));
  CHECK_FALSE(bypasses_proxy("https://a.b", ":443"));
}

TEST_CASE("NO_PROXY names networks", "[kubeconfig]") {
  CHECK(bypasses_proxy("https://10.96.0.1:443", "10.0.0.0/8"));
  CHECK(bypasses_proxy("https://10.96.0.1:443", "x,10.96.0.0/12"));
  CHECK_FALSE(bypasses_proxy("https://11.0.0.1", "10.0.0.0/8"));
  CHECK(bypasses_proxy("https://[fd00::1]:6443", "fd00::/8"));
  CHECK_FALSE(bypasses_proxy("https://[fd00::1]:6443", "10.0.0.0/8"));
  CHECK_FALSE(bypasses_proxy("https://10.0.0.1", "10.0.0.0/x"));
  CHECK_FALSE(bypasses_proxy("https://10.0.0.1", "10.0.0.0/99"));
}

TEST_CASE("a token file comes before a token, which is the first one to send", "[kubeconfig]") {
  Folder folder;
  auto found = access(folder.write("config", config("server: 'https://k'", "token: t, tokenFile: token")));
  CHECK(found.http.token == "t");
  CHECK(found.http.token_file == folder.path / "token");
}

TEST_CASE("base64 is decoded strictly", "[kubeconfig]") {
  CHECK(from_base64("aGVsbG8=") == "hello");
  CHECK(from_base64("aGVs\nbG8h\n") == "hello!");
  CHECK(from_base64("").value() == "");
  CHECK_FALSE(from_base64("aGVsbG8"));
  CHECK_FALSE(from_base64("a=Vs"));
  CHECK_FALSE(from_base64("a-b_"));
}
