#include "cli/run_options.h"

#include "base/format.h"
#include "cluster/kubeconfig.h"

namespace reconciler {
namespace {

LogLevel log_level(const std::string& text) {
  if (text == "debug") return LogLevel::Debug;
  if (text == "warn") return LogLevel::Warn;
  return text == "error" ? LogLevel::Error : LogLevel::Info;
}

/// `.` and `./apps/` are folders of the repository like any other: without dots and slashes at the ends.
Result<std::string> folder(const std::string& text) {
  std::string path = text;
  while (path.starts_with("./")) path.erase(0, 2);
  while (path.ends_with('/')) path.pop_back();
  if (path == ".") path.clear();
  if (path.starts_with('/') || path == ".." || path.starts_with("../") || path.find("/../") != path.npos)
    return invalid(format("--path {} must be a folder inside the repository", text));
  return path;
}

GitOptions git_options(const Options& given) {
  GitOptions git{.url = given.text("repo"),
                 .branch = given.text("branch"),
                 .status_branch = given.text("status-branch"),
                 .status_directory = given.text("status-directory") + "/" + given.text("cluster-name"),
                 .author = given.text("author")};
  git.on_rewrite = given.text("on-rewrite") == "follow" ? OnRewrite::Follow : OnRewrite::Hold;
  git.remote.deadline = given.duration("git-timeout");
  GitCredentials& credentials = git.remote.credentials;
  credentials.token_file = given.text("git-token-file");
  credentials.ca_file = given.text("git-ca-file");
  credentials.ssh_key_file = given.text("git-ssh-key-file");
  credentials.known_hosts_file = given.text("git-known-hosts-file");
  return git;
}

}  // namespace

Syntax run_syntax() {
  return {
      .usage = "serin run --repo URL [OPTIONS]",
      .summary = "Watches a repository, brings the cluster into line with it and commits what happened back.",
      .options =
          {
              {.name = "repo",
               .operand = "URL",
               .help = "repository to watch: a path, file://, https:// or ssh://",
               .presence = Presence::Required},
              {.name = "branch", .operand = "NAME", .help = "branch to watch", .otherwise = "main"},
              {.name = "path", .operand = "DIR", .help = "folder of the manifests in the repository", .otherwise = "."},
              {.name = "interval",
               .operand = "DURATION",
               .help = "time between polls",
               .type = DurationOption{1s, 24h},
               .otherwise = "60s"},
              {.name = "state-dir",
               .operand = "DIR",
               .help = "where the clone is kept (default: $STATE_DIRECTORY, else ~/.local/state/serin)"},
              {.name = "kubeconfig",
               .operand = "FILE",
               .help = "cluster to reconcile (default: $KUBECONFIG, ~/.kube/config, in-cluster)"},
              {.name = "context", .operand = "NAME", .help = "context of the kubeconfig"},
              {.name = "cluster-name",
               .operand = "NAME",
               .help = "name of the cluster in status/<cluster>/",
               .otherwise = "default"},
              {.name = "namespace",
               .operand = "NAME",
               .help = "namespace of manifests that name none (default: the context's)"},
              {.name = "owner",
               .operand = "NAME",
               .help = "value of the label serin.dev/owner on everything applied",
               .otherwise = "serin"},
              {.name = "status-branch", .operand = "NAME", .help = "commit status to a branch of its own"},
              {.name = "status-directory", .operand = "DIR", .help = "folder of status files", .otherwise = "status"},
              {.name = "decisions-directory",
               .operand = "DIR",
               .help = "folder of decision files",
               .otherwise = "decisions"},
              {.name = "on-rewrite",
               .operand = "hold|follow",
               .help = "when the branch's history was rewritten",
               .type = ChoiceOption{{"hold", "follow"}},
               .otherwise = "hold"},
              {.name = "author",
               .operand = "NAME <EMAIL>",
               .help = "author of status commits",
               .otherwise = "Serin <serin@localhost>"},
              {.name = "git-timeout",
               .operand = "DURATION",
               .help = "longest time of one Git operation",
               .type = DurationOption{1s, 1h},
               .otherwise = "60s"},
              {.name = "git-token-file", .operand = "FILE", .help = "https: file with the token"},
              {.name = "git-ca-file",
               .operand = "FILE",
               .help = "https: certificate authority to trust instead of the system's"},
              {.name = "git-ssh-key-file", .operand = "FILE", .help = "ssh: private key, ed25519 or ECDSA"},
              {.name = "git-known-hosts-file", .operand = "FILE", .help = "ssh: host keys to trust"},
              {.name = "embedded-cluster",
               .help = "reconcile a cluster in memory instead (for trying things out)",
               .type = FlagOption{}},
              {.name = "publish-rollouts",
               .help = "keep the Rollout objects and their status in the cluster, for autoscalers and dashboards",
               .type = FlagOption{}},
              {.name = "listen",
               .operand = "ADDRESS",
               .help = "/healthz, /readyz, /metrics and /status.json (default: 127.0.0.1:8080)",
               .type = AddressOption{}},
              {.name = "once",
               .help = "work until everything is at rest, then exit: 0 in sync, 1 not",
               .type = FlagOption{}},
              {.name = "dry-run",
               .help = "print what would be done; commit, push and write nothing",
               .type = FlagOption{}},
              {.name = "log-level",
               .operand = "LEVEL",
               .help = "debug, info, warn or error",
               .type = ChoiceOption{{"debug", "info", "warn", "error"}},
               .otherwise = "info"},
              {.name = "log-format",
               .operand = "text|json",
               .help = "form of log lines",
               .type = ChoiceOption{{"text", "json"}},
               .otherwise = "text"},
          },
      .config_file = ConfigFile::Taken,
  };
}

Result<RunOptions> run_options(const Options& given) {
  auto path = folder(given.text("path"));
  if (!path) return path.error();
  const bool embedded = given.flag("embedded-cluster");
  if (embedded && (given.has("kubeconfig") || given.has("context")))
    return invalid("--embedded-cluster and --kubeconfig or --context exclude each other");
  auto access = embedded ? Result<ClusterAccess>(ClusterAccess{})
                         : find_cluster({.kubeconfig = given.text("kubeconfig"), .context = given.text("context")});
  if (!access) return access.error();
  RunOptions out{.git = git_options(given), .state_directory = given.text("state-dir"), .embedded_cluster = embedded};
  out.daemon = {.cluster_name = given.text("cluster-name"),
                .path = *path,
                .status_directory = given.text("status-directory"),
                .decisions_directory = given.text("decisions-directory"),
                .default_namespace = given.has("namespace") ? given.text("namespace") : access->default_namespace,
                .interval = given.duration("interval")};
  out.cluster = {.http = access->http, .owner = given.text("owner"), .default_namespace = out.daemon.default_namespace};
  out.cluster.http.user_agent = std::string("serin/") + SERIN_VERSION;
  if (given.flag("publish-rollouts")) out.daemon.rollout_objects = RolloutObjects::Published;
  out.log_level = log_level(given.text("log-level"));
  out.log_format = given.text("log-format") == "json" ? LogFormat::Json : LogFormat::Text;
  out.dry_run = given.flag("dry-run");
  if (out.dry_run) out.daemon.events = EventsAre::LeftOut;
  out.listen_asked = given.has("listen");
  out.listen = out.listen_asked ? given.address("listen") : SocketAddress{.host = "127.0.0.1", .port = 8080};
  out.once = given.flag("once") || out.dry_run;
  return out;
}

}  // namespace reconciler
