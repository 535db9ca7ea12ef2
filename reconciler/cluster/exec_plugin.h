// A kubeconfig's exec plugin: a program that hands out bearer tokens (client.authentication.k8s.io). It is run only
// when the user allows it, without a shell, without standard input, within a time limit.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "http/client.h"
#include "ports.h"

namespace reconciler {

/// What `users[].user.exec` asks for.
struct ExecPlugin {
  std::string api_version;           ///< of the ExecCredential that is expected back
  std::vector<std::string> command;  ///< the program, then its arguments
  std::map<std::string, std::string> environment;
  Json cluster;  ///< for the plugin to know; null unless it asked for it
  std::string name() const { return command.front(); }
};

struct ExecCredential {
  std::string token;
  std::optional<TimePoint> expires;
};

/// `cluster`: the kubeconfig's entry. `Invalid` when something is asked for that is not carried out.
Result<ExecPlugin> exec_plugin_of(const Json& exec, const Json& cluster);

/// The credential in what a plugin has printed.
Result<ExecCredential> read_exec_credential(const ExecPlugin& plugin, const std::string& text);

/// Runs plugins when a token is needed: at first, when the one before has expired, or when the server refused it.
class ExecTokens : public TokenSource {
 public:
  ExecTokens(ExecPlugin plugin, Clock& clock, Duration time_limit = 30s)
      : plugin_(std::move(plugin)), clock_(clock), time_limit_(time_limit) {}

  Result<std::string> token() override;
  void refused(const std::string& token) override;

 private:
  Result<ExecCredential> run();

  const ExecPlugin plugin_;
  Clock& clock_;
  const Duration time_limit_;
  std::mutex mutex_;
  std::optional<ExecCredential> known_;
  std::optional<Error> failed_;  ///< a plugin that fails is not run again at once
  Duration again_{0};
};

}  // namespace reconciler
