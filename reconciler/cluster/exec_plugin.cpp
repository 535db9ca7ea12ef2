#include "cluster/exec_plugin.h"

#include "base/child_process.h"
#include "base/format.h"

namespace reconciler {
namespace {

constexpr std::string_view kGroup = "client.authentication.k8s.io/";
constexpr Duration kAfterFailure = 5s;
/// A token is renewed a little before it expires: a request takes time.
constexpr Duration kMargin = 10s;

/// What the plugin may know of the cluster: the members of the kubeconfig's entry under the names of the API.
Json cluster_of(const Json& entry) {
  Json out = Json::object();
  for (const char* member : {"server", "tls-server-name", "certificate-authority-data", "proxy-url"})
    if (std::string text = text_at(entry, {member}); !text.empty()) out[member] = text;
  const Json* extensions = find(entry, {"extensions"});
  if (extensions == nullptr || !extensions->is_array()) return out;
  for (const Json& extension : *extensions)
    if (text_at(extension, {"name"}) == std::string(kGroup) + "exec" && extension.contains("extension"))
      out["config"] = extension["extension"];
  return out;
}

Json request_of(const ExecPlugin& plugin) {
  Json request = {{"apiVersion", plugin.api_version}, {"kind", "ExecCredential"}, {"spec", {{"interactive", false}}}};
  if (!plugin.cluster.is_null()) request["spec"]["cluster"] = plugin.cluster;
  return request;
}

}  // namespace

Result<ExecPlugin> exec_plugin_of(const Json& exec, const Json& cluster) {
  ExecPlugin plugin{.api_version = text_at(exec, {"apiVersion"})};
  std::string program = text_at(exec, {"command"});
  if (program.empty()) return invalid("exec names no command");
  if (plugin.api_version != std::string(kGroup) + "v1" && plugin.api_version != std::string(kGroup) + "v1beta1")
    return invalid(
        format("exec plugin {}: apiVersion must be {}v1 or v1beta1, got '{}'", program, kGroup, plugin.api_version));
  if (text_at(exec, {"interactiveMode"}) == "Always")
    return invalid(format("exec plugin {}: it wants a terminal, and a daemon has none", program));
  plugin.command.push_back(program);
  if (const Json* arguments = find(exec, {"args"}); arguments && arguments->is_array())
    for (const Json& argument : *arguments)
      if (argument.is_string()) plugin.command.push_back(argument.get<std::string>());
  if (const Json* variables = find(exec, {"env"}); variables && variables->is_array())
    for (const Json& variable : *variables)
      plugin.environment[text_at(variable, {"name"})] = text_at(variable, {"value"});
  if (flag_at(exec, {"provideClusterInfo"})) plugin.cluster = cluster_of(cluster);
  return plugin;
}

Result<ExecCredential> read_exec_credential(const ExecPlugin& plugin, const std::string& text) {
  auto wrong = [&](const std::string& what) { return invalid(format("exec plugin {}: {}", plugin.name(), what)); };
  auto answer = parse_json(text);
  if (!answer || text_at(*answer, {"kind"}) != "ExecCredential") return wrong("it did not print an ExecCredential");
  if (std::string version = text_at(*answer, {"apiVersion"}); version != plugin.api_version)
    return wrong(format("it answers in {}, expected {}", version, plugin.api_version));
  ExecCredential credential{.token = text_at(*answer, {"status", "token"})};
  if (find(*answer, {"status", "clientCertificateData"}) != nullptr)
    return wrong("it hands out a client certificate; only tokens are supported");
  if (credential.token.empty() || credential.token.find_first_of("\r\n") != credential.token.npos)
    return wrong("there is no usable token in its answer");
  if (std::string expires = text_at(*answer, {"status", "expirationTimestamp"}); !expires.empty()) {
    credential.expires = parse_time(expires);
    if (!credential.expires) return wrong("expirationTimestamp is no RFC 3339 time");
  }
  return credential;
}

Result<ExecCredential> ExecTokens::run() {
  ChildCommand child{.program = plugin_.name(),
                     .arguments = {plugin_.command.begin() + 1, plugin_.command.end()},
                     .surroundings = Surroundings::Ours,
                     .environment = plugin_.environment,
                     .time_limit = time_limit_,
                     .output_bytes_max = size_t{1} << 20};
  child.environment["KUBERNETES_EXEC_INFO"] = dump(request_of(plugin_));
  auto ended = run_child(child);
  if (!ended) return transient("exec plugin: " + ended.error().message);
  // What it says on standard error may hold what must not be shown.
  if (ended->exit_code != 0)
    return transient(format("exec plugin {}: it failed with exit code {}", plugin_.name(), ended->exit_code));
  return read_exec_credential(plugin_, ended->output);
}

Result<std::string> ExecTokens::token() {
  std::lock_guard lock(mutex_);
  if (known_ && (!known_->expires || clock_.now() + kMargin < *known_->expires)) return known_->token;
  if (failed_ && clock_.monotonic() < again_) return *failed_;
  auto fresh = run();
  if (!fresh) {
    again_ = clock_.monotonic() + kAfterFailure;
    // Wrong answers may be put right while we run, so they are no reason to give up.
    failed_ = transient(fresh.error().message);
    return *failed_;
  }
  failed_.reset();
  known_ = *fresh;
  return known_->token;
}

void ExecTokens::refused(const std::string& token) {
  std::lock_guard lock(mutex_);
  if (!known_ || known_->token != token) return;
  known_.reset();
  // A plugin that keeps the refused token would otherwise be run for each request.
  failed_ = transient(format("exec plugin {}: the server refuses its token", plugin_.name()));
  again_ = clock_.monotonic() + kAfterFailure;
}

}  // namespace reconciler
