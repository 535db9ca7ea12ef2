#include "cluster/kubeconfig.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <vector>

#include "base/base64.h"
#include "base/log.h"
#include "manifest/document.h"

namespace reconciler {

namespace {

namespace fs = std::filesystem;

constexpr size_t kFileBytesMax = size_t{1} << 20;

Result<std::string> read_file(const std::string& path) {
  std::error_code error;
  auto size = fs::file_size(path, error);
  if (error) return invalid(path + ": " + error.message());
  if (size > kFileBytesMax) return invalid(path + ": larger than 1 MiB");
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file.good() && !file.eof()) return invalid(path + ": cannot be read");
  return text;
}

Result<Json> read_config(const std::string& path) {
  auto text = read_file(path);
  if (!text) return text.error();
  Documents read = read_documents(path, *text);
  if (!read.problems.empty()) return invalid(read.problems.front().text());
  for (Document& document : read.documents)
    if (document.value.is_object()) return std::move(document.value);
  return invalid(path + ": is no kubeconfig");
}

/// Paths in a kubeconfig are relative to the file they stand in.
void make_absolute(Json& config, const std::string& list, const std::string& entry,
                   std::initializer_list<const char*> members, const fs::path& folder) {
  if (!config.is_object() || !config.contains(list) || !config[list].is_array()) return;
  for (Json& named : config[list]) {
    if (!named.is_object() || !named.contains(entry) || !named[entry].is_object()) continue;
    for (const char* member : members)
      if (std::string path = text_at(named[entry], {member}); !path.empty())
        named[entry][member] = (folder / path).lexically_normal().string();
  }
}

/// A plugin without a slash is looked for in PATH.
void make_exec_absolute(Json& config, const fs::path& folder) {
  if (!config.is_object() || !config.contains("users") || !config["users"].is_array()) return;
  for (Json& user : config["users"])
    if (std::string command = text_at(user, {"user", "exec", "command"}); command.find('/') != command.npos)
      user["user"]["exec"]["command"] = (folder / command).lexically_normal().string();
}

Result<Json> load_config(const std::string& path) {
  auto config = read_config(path);
  if (!config) return config;
  std::error_code error;
  fs::path folder = fs::absolute(path, error).parent_path();
  make_absolute(*config, "clusters", "cluster", {"certificate-authority"}, folder);
  make_absolute(*config, "users", "user", {"client-certificate", "client-key", "tokenFile"}, folder);
  make_exec_absolute(*config, folder);
  return config;
}

/// The member `entry` of the item of that name in a list of named items.
const Json* named(const Json& config, std::string_view list, std::string_view entry, const std::string& name) {
  const Json* items = find(config, {list});
  if (items == nullptr || !items->is_array()) return nullptr;
  for (const Json& item : *items)
    if (text_at(item, {"name"}) == name) return find(item, {entry});
  return nullptr;
}

/// PEM text that stands in the config as base64 or in a file beside it; empty when neither is given.
Result<std::string> pem_of(const Json& entry, std::string_view member, const std::string& where) {
  std::string data_member = std::string(member) + "-data";
  if (std::string data = text_at(entry, {data_member}); !data.empty()) {
    auto pem = from_base64(data);
    if (!pem) return invalid(where + ": " + data_member + " is no base64");
    return *pem;
  }
  std::string path = text_at(entry, {member});
  return path.empty() ? Result<std::string>(std::string()) : read_file(path);
}

Result<void> refuse_unsupported(const Json& cluster, const Json& user, ExecPlugins exec_plugins,
                                const std::string& where) {
  auto refuse = [&](const std::string& what) { return Result<void>(invalid(where + ": " + what)); };
  if (flag_at(cluster, {"insecure-skip-tls-verify"}))
    return refuse("insecure-skip-tls-verify is refused: give the server's certificate-authority");
  if (!text_at(cluster, {"tls-server-name"}).empty()) return refuse("tls-server-name is not supported");
  if (find(user, {"exec"}) != nullptr && exec_plugins == ExecPlugins::Refused)
    return refuse(
        "exec credential plugins are run with --allow-exec-plugin only; a token, a tokenFile or a client "
        "certificate needs none");
  if (find(user, {"auth-provider"}) != nullptr)
    return refuse("auth-provider has been removed from Kubernetes: use a token or a client certificate");
  if (!text_at(user, {"username"}).empty())
    return refuse("username and password have been removed from Kubernetes: use a token or a client certificate");
  if (!text_at(user, {"as"}).empty()) return refuse("impersonation (as) is not supported");
  return {};
}

/// A token over plain HTTP could be read by everyone on the way.
Result<void> check_server(const ClusterAccess& access, const std::string& where) {
  const HttpClientSettings& http = access.http;
  bool is_plain = http.base_url.starts_with("http://");
  if (!is_plain && !http.base_url.starts_with("https://"))
    return invalid(where + ": server must be http:// or https://, got " + redact(http.base_url));
  const bool has_token = !http.token.empty() || !http.token_file.empty() || access.exec;
  if (is_plain && !is_loopback(host_of(http.base_url)) && has_token)
    return invalid(where + ": a token is not sent over http://, use https://");
  if (!http.proxy.empty() && !http.proxy.starts_with("http://") && !http.proxy.starts_with("https://"))
    return invalid(where + ": only http:// and https:// proxies are supported");
  return {};
}

Result<ClusterAccess> in_cluster(const fs::path& folder, const std::string& host, const std::string& port) {
  auto ca = read_file(folder / "ca.crt");
  if (!ca) return ca.error();
  ClusterAccess access;
  access.http.base_url = "https://" + (host.find(':') == host.npos ? host : "[" + host + "]") + ":" + port;
  access.http.tls.ca = *ca;
  access.http.token_file = folder / "token";
  access.from = "the pod's service account";
  if (auto ns = read_file(folder / "namespace"); ns && !ns->empty()) access.default_namespace = *ns;
  return access;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);)
    if (!part.empty()) parts.push_back(part);
  return parts;
}

/// The files of a `KUBECONFIG` list; those that do not exist are passed over.
Result<Json> load_list(const std::vector<std::string>& paths) {
  Json config;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::exists(path, error)) continue;
    auto next = load_config(path);
    if (!next) return next;
    config = config.is_null() ? *std::move(next) : merged_kubeconfig(std::move(config), *next);
  }
  if (config.is_null()) return invalid("none of the kubeconfig files exists: " + paths.front());
  return config;
}

Result<ClusterAccess> from_files(const std::vector<std::string>& paths, const AccessChoice& choice) {
  auto config = load_list(paths);
  if (!config) return config.error();
  return access_of(*config, choice, paths.front());
}

Result<ClusterAccess> locate(const AccessChoice& choice, const Environment& environment) {
  if (!choice.kubeconfig.empty()) return from_files({choice.kubeconfig}, choice);
  if (auto list = environment("KUBECONFIG"); list && !list->empty()) return from_files(split(*list, ':'), choice);
  std::error_code error;
  auto home = environment("HOME");
  std::string usual = home.value_or("") + "/.kube/config";
  if (home && fs::exists(usual, error)) return from_files({usual}, choice);
  auto host = environment("KUBERNETES_SERVICE_HOST");
  auto port = environment("KUBERNETES_SERVICE_PORT");
  if (host && port) return in_cluster(choice.service_account, *host, *port);
  return invalid("no cluster: give --kubeconfig FILE, set KUBECONFIG, or run in a pod with a service account");
}

}  // namespace

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Json merged_kubeconfig(Json first, const Json& later) {
  for (const auto& [key, value] : later.items()) {
    bool is_named_list = key == "clusters" || key == "users" || key == "contexts";
    if (!first.contains(key) || first[key].is_null() || first[key] == "") {
      first[key] = value;
    } else if (is_named_list && first[key].is_array() && value.is_array()) {
      for (const Json& item : value) {
        auto same = [&](const Json& known) { return text_at(known, {"name"}) == text_at(item, {"name"}); };
        if (std::none_of(first[key].begin(), first[key].end(), same)) first[key].push_back(item);
      }
    }
  }
  return first;
}

Result<ClusterAccess> access_of(const Json& config, const AccessChoice& choice, const std::string& file) {
  std::string name = choice.context.empty() ? text_at(config, {"current-context"}) : choice.context;
  if (name.empty()) return invalid(file + ": no current-context; choose one with --context");
  const Json* chosen = named(config, "contexts", "context", name);
  if (chosen == nullptr) return invalid(file + ": context " + name + " does not exist");
  std::string where = file + ": context " + name;
  const Json* cluster = named(config, "clusters", "cluster", text_at(*chosen, {"cluster"}));
  if (cluster == nullptr) return invalid(where + ": cluster " + text_at(*chosen, {"cluster"}) + " does not exist");
  std::string user_name = text_at(*chosen, {"user"});
  const Json* user = named(config, "users", "user", user_name);
  if (user == nullptr && !user_name.empty()) return invalid(where + ": user " + user_name + " does not exist");
  const Json nobody = Json::object();
  if (user == nullptr) user = &nobody;
  if (auto supported = refuse_unsupported(*cluster, *user, choice.exec_plugins, where); !supported)
    return supported.error();

  ClusterAccess access;
  access.from = "context " + name + " of " + file;
  access.default_namespace = text_at(*chosen, {"namespace"}, "default");
  access.http.base_url = text_at(*cluster, {"server"});
  access.http.proxy = text_at(*cluster, {"proxy-url"});
  access.http.token = text_at(*user, {"token"});
  access.http.token_file = text_at(*user, {"tokenFile"});
  if (const Json* exec = find(*user, {"exec"})) {
    auto plugin = exec_plugin_of(*exec, *cluster);
    if (!plugin) return invalid(where + ": " + plugin.error().message);
    access.exec = *plugin;
  }
  auto ca = pem_of(*cluster, "certificate-authority", where);
  if (!ca) return ca.error();
  auto certificate = pem_of(*user, "client-certificate", where);
  if (!certificate) return certificate.error();
  auto key = pem_of(*user, "client-key", where);
  if (!key) return key.error();
  access.http.tls = {.ca = *ca, .certificate = *certificate, .key = *key};
  if (auto server = check_server(access, where); !server) return server.error();
  return access;
}

Result<ClusterAccess> find_cluster(const AccessChoice& choice, const Environment& environment) {
  auto access = locate(choice, environment);
  if (!access) return access;
  if (access->http.proxy.empty()) access->http.proxy = proxy_for(access->http.base_url, environment);
  if (auto server = check_server(*access, access->from); !server) return server.error();
  return access;
}

}  // namespace reconciler
