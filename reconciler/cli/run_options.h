#pragma once

#include "base/log.h"
#include "base/result.h"
#include "cli/options.h"
#include "cluster/exec_plugin.h"
#include "cluster/kubernetes_cluster.h"
#include "cluster/kubernetes_lease.h"
#include "daemon/options.h"
#include "git/libgit2_repository.h"

namespace reconciler {

/// Everything `serin run` was told, as its parts want it.
struct RunOptions {
  DaemonOptions daemon;
  GitOptions git;
  KubernetesClusterSettings cluster;
  std::string state_directory;
  bool embedded_cluster = false;  ///< then `cluster` has no address yet
  LogLevel log_level = LogLevel::Info;
  LogFormat log_format = LogFormat::Text;
  SocketAddress listen;
  bool listen_asked = false;              ///< named by a person: not being able to is an error then
  std::optional<ExecPlugin> exec_plugin;  ///< makes the tokens for `cluster`
  bool leader_elect = true;
  LeaseName lease;
  std::string hooks_file;                     ///< empty: hooks are not answered
  std::optional<SocketAddress> hooks_listen;  ///< none: where everything else is
  bool once = false;
  bool dry_run = false;
};

Syntax run_syntax();

/// `Invalid` when options contradict each other or the cluster's credentials cannot be used.
Result<RunOptions> run_options(const Options& given);

}  // namespace reconciler
