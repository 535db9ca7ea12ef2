#include "cli/run_options.h"

#include <fstream>
#include <sstream>

#include "base/format.h"
#include "cli/credential_path.h"
#include "cli/git_credentials.h"
#include "cluster/kubeconfig.h"
#include "manifest/ignore_file.h"
#include "manifest/names.h"

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

/// A branch, unless something else is named.
Result<RefName> watched_by(const Options& given) {
  std::optional<RefName> watched;
  for (auto [name, kind] : {std::pair("branch", RefKind::Branch), std::pair("tag", RefKind::Tag),
                            std::pair("semver", RefKind::TagRange), std::pair("commit", RefKind::Commit)}) {
    if (!given.has(name)) continue;
    if (watched) return invalid("--branch, --tag, --semver and --commit exclude each other");
    watched = RefName{kind, given.text(name)};
  }
  if (!watched) return RefName{};
  auto understood = WatchedRef::parse(*watched);
  if (!understood) return understood.error();
  if (watched->kind != RefKind::Branch && !given.has("status-branch"))
    return invalid("a tag or a commit cannot take status commits: name a branch for them with --status-branch");
  return *watched;
}

Result<GitOptions> git_options(const Options& given) {
  auto watched = watched_by(given);
  if (!watched) return watched.error();
  GitOptions git{.url = given.text("repo"),
                 .watched = *watched,
                 .status_branch = given.text("status-branch"),
                 .status_directory = given.text("status-directory") + "/" + given.text("cluster-name"),
                 .author = given.text("author")};
  git.on_rewrite = given.text("on-rewrite") == "follow" ? OnRewrite::Follow : OnRewrite::Hold;
  auto remote = remote_options(given);
  if (!remote) return remote.error();
  git.remote = std::move(*remote);
  auto trust = trust_options(given);
  if (!trust) return trust.error();
  git.trust = std::move(*trust);
  auto signing_key = credential_path("signing-key-file", given.text("signing-key-file"));
  if (!signing_key) return signing_key.error();
  git.signing_key_file = *signing_key;
  git.remote.deadline = given.duration("git-timeout");
  return git;
}

DriftMode drift_mode(const std::string& text) {
  if (text == "report") return DriftMode::Report;
  return text == "off" ? DriftMode::Off : DriftMode::Correct;
}

Result<std::vector<IgnoreRule>> ignore_rules(const std::string& path) {
  if (path.empty()) return std::vector<IgnoreRule>();
  std::ifstream in(path);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return invalid(format("--ignore {}: cannot be read", path));
  IgnoreFile file = read_ignore_file(path, text.str());
  if (!file.problems.empty()) return invalid("--ignore " + file.problems.front().text());
  return std::move(file.rules);
}

}  // namespace

Syntax run_syntax() {
  Syntax syntax{
      .usage = "serin run --repo URL [OPTIONS]",
      .summary = "Watches a repository, brings the cluster into line with it and commits what happened back.",
      .options =
          {
              {.name = "repo",
               .operand = "URL",
               .help = "repository to watch: a path, file://, https:// or ssh://",
               .presence = Presence::Required},
              {.name = "branch", .operand = "NAME", .help = "branch to watch (default: main)"},
              {.name = "tag", .operand = "NAME", .help = "tag to watch instead; needs --status-branch"},
              {.name = "semver",
               .operand = "RANGE",
               .help = "highest tag of a range to watch instead, such as '>=1.2 <2'; needs --status-branch"},
              {.name = "commit", .operand = "ID", .help = "one commit instead, for good; needs --status-branch"},
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
              {.name = "allow-exec-plugin",
               .help = "run the program that the kubeconfig names to get a token",
               .type = FlagOption{}},
              {.name = "kube-api-qps",
               .operand = "N",
               .help = "most calls to the API server per second (default: no limit but the server's)",
               .type = IntegerOption{1, 100000}},
              {.name = "cluster-name",
               .operand = "NAME",
               .help = "name of the cluster in status/<cluster>/",
               .otherwise = "default"},
              {.name = "namespace",
               .operand = "NAME",
               .help = "namespace of manifests that name none, and of Serin's own lease (default: the context's)"},
              {.name = "shard",
               .operand = "INDEX/COUNT",
               .help = "decide about a part of the namespaces only, as one of COUNT daemons, from 0",
               .otherwise = "0/1"},
              {.name = "leader-elect",
               .help = "decide only while holding the Lease serin-<owner>, so that a second daemon can stand by",
               .type = FlagOption{},
               .otherwise = "true"},
              {.name = "owner",
               .operand = "NAME",
               .help = "value of the label serin.dev/owner on everything applied",
               .otherwise = "serin"},
              {.name = "drift",
               .operand = "correct|report|off",
               .help = "what to do about objects that others changed",
               .type = ChoiceOption{{"correct", "report", "off"}},
               .otherwise = "correct"},
              {.name = "ignore",
               .operand = "FILE",
               .help = "rules that leave fields of objects to others (see README)"},
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
              {.name = "hooks-file",
               .operand = "FILE",
               .help = "webhooks to answer, a line each: provider id secret [former-secret]"},
              {.name = "hooks-listen",
               .operand = "ADDRESS",
               .help = "an address of their own for /hooks/ (default: that of --listen)",
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
  for (Option& option : git_credential_options()) syntax.options.push_back(std::move(option));
  return syntax;
}

Result<RunOptions> run_options(const Options& given) {
  auto path = folder(given.text("path"));
  if (!path) return path.error();
  auto shard = parse_shard(given.text("shard"));
  if (!shard) return shard.error();
  if (auto trouble = label_trouble(given.text("owner")); trouble)
    return invalid(format("--owner {}: {}", given.text("owner"), *trouble));
  const bool embedded = given.flag("embedded-cluster");
  if (embedded && (given.has("kubeconfig") || given.has("context")))
    return invalid("--embedded-cluster and --kubeconfig or --context exclude each other");
  auto ignore = ignore_rules(given.text("ignore"));
  if (!ignore) return ignore.error();
  auto access = embedded ? Result<ClusterAccess>(ClusterAccess{})
                         : find_cluster({.kubeconfig = given.text("kubeconfig"),
                                         .context = given.text("context"),
                                         .exec_plugins = given.flag("allow-exec-plugin") ? ExecPlugins::Allowed
                                                                                         : ExecPlugins::Refused});
  if (!access) return access.error();
  auto git = git_options(given);
  if (!git) return git.error();
  RunOptions out{.git = std::move(*git), .state_directory = given.text("state-dir"), .embedded_cluster = embedded};
  out.daemon = {.cluster_name = given.text("cluster-name"),
                .path = *path,
                .status_directory = given.text("status-directory"),
                .decisions_directory = given.text("decisions-directory"),
                .default_namespace = given.has("namespace") ? given.text("namespace") : access->default_namespace,
                .owner = given.text("owner"),
                .interval = given.duration("interval"),
                .drift = drift_mode(given.text("drift")),
                .ignore = *std::move(ignore),
                .shard = *shard};
  out.cluster = {.http = access->http, .owner = given.text("owner"), .default_namespace = out.daemon.default_namespace};
  if (given.has("kube-api-qps")) out.cluster.calls_per_second = int(given.integer("kube-api-qps"));
  out.cluster.http.user_agent = std::string("serin/") + SERIN_VERSION;
  if (given.flag("publish-rollouts")) out.daemon.rollout_objects = RolloutObjects::Published;
  out.log_level = log_level(given.text("log-level"));
  out.log_format = given.text("log-format") == "json" ? LogFormat::Json : LogFormat::Text;
  out.dry_run = given.flag("dry-run");
  if (out.dry_run) out.daemon.events = EventsAre::LeftOut;
  out.listen_asked = given.has("listen");
  out.listen = out.listen_asked ? given.address("listen") : SocketAddress{.host = "127.0.0.1", .port = 8080};
  out.exec_plugin = access->exec;
  out.once = given.flag("once") || out.dry_run;
  auto hooks = credential_path("hooks-file", given.text("hooks-file"));
  if (!hooks) return hooks.error();
  out.hooks_file = *hooks;
  if (given.has("hooks-listen")) out.hooks_listen = given.address("hooks-listen");
  if (out.hooks_listen && out.hooks_file.empty()) return invalid("--hooks-listen needs --hooks-file");
  // Whoever writes nothing needs no leave.
  out.leader_elect = given.flag("leader-elect") && !out.dry_run;
  out.lease = {.ns = out.daemon.default_namespace, .name = "serin-" + out.cluster.owner};
  if (!shard->is_all()) out.lease.name += "-" + std::to_string(shard->index);
  out.cluster.inventory = out.daemon.owner;
  if (!shard->is_all()) out.cluster.inventory += "-shard-" + std::to_string(shard->index);
  return out;
}

}  // namespace reconciler
