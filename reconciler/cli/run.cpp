// `serin run`: builds everything, in order, and turns the loop.
#include <malloc.h>

#include <iostream>
#include <memory>

#include "base/format.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/identity.h"
#include "cli/options.h"
#include "cli/run_options.h"
#include "cli/service_manager.h"
#include "cli/signals.h"
#include "cli/state_directory.h"
#include "cluster/kubernetes_cluster.h"
#include "cluster/kubernetes_lease.h"
#include "daemon/daemon.h"
#include "daemon/leader_ports.h"
#include "daemon/lease_thread.h"
#include "daemon/system_clock.h"
#include "git/address.h"
#include "git/libgit2_repository.h"
#include "sim/embedded_cluster.h"
#include "web/endpoints.h"
#include "web/hooks.h"
#include "web/measured_cluster.h"
#include "web/measured_http.h"
#include "web/measured_workers.h"
#include "web/rollout_counters.h"

namespace reconciler {
namespace {

constexpr int kClusterThreads = 16;
constexpr Duration kLongestWait = 1h;
constexpr int kMuchWork = 500;
constexpr Duration kShortWait = 100ms;
/// How long `--once` waits for an API server or a repository that does not answer.
constexpr Duration kOncePatience = 60s;

std::string following_text(const Leadership::Standing& standing) {
  if (!standing.trouble.empty()) return "decides nothing; " + standing.trouble;
  return standing.leader.empty() ? "decides nothing until it is known who leads"
                                 : format("follows {}, which leads", standing.leader);
}

std::string status_line(const Report& report) {
  const RolloutCounts& counts = report.rollouts.counts();
  std::string text =
      format("{} rollouts, {} under way, {} in trouble", report.rollouts.size(), counts.under_way, counts.in_trouble);
  if (!report.leadership.leads) text = following_text(report.leadership);
  if (!report.git_trouble.empty()) text += "; git: " + report.git_trouble;
  if (!report.cluster_trouble.empty()) text += "; cluster: " + report.cluster_trouble;
  return text;
}

std::string_view to_text(Look look) {
  switch (look) {
    case Look::Unchanged: return "unchanged";
    case Look::Transition: return "transition";
    case Look::Act: return "act";
    case Look::Held: return "held";
    case Look::Failed: return "failed";
  }
  unreachable();
}

/// What is counted, and the decorators that count it. Outlives whatever works through them.
struct Metering {
  Metering(GitRepository& git, const RunOptions& options, Measurements& measured)
      : measurements(measured),
        git(git, clock, measured, health, {redact(options.git.url), options.git.watched.name}) {}

  /// For every client of the API server.
  std::function<std::unique_ptr<HttpClient>(std::unique_ptr<HttpClient>)> around_http() {
    return [this](std::unique_ptr<HttpClient> client) {
      return std::make_unique<MeasuredHttp>(std::move(client), clock, measurements, health);
    };
  }

  SystemClock clock;
  Measurements& measurements;
  Reachability health;
  MeasuredGit git;
};

/// How this daemon is elected; without one it leads alone.
struct Candidacy {
  Lease* lease = nullptr;
  std::string identity = {};
};

/// The loop of one process: what is due, then wait for an answer, an event or the time.
class Loop {
 public:
  Loop(const RunOptions& options, GitRepository& git, Cluster& cluster, InventoryStore& inventory, Metering& metering,
       const Candidacy& candidacy)
      : options_(options),
        metering_(metering),
        leadership_(candidacy.lease ? Leadership(clock_) : Leadership::sole(clock_)),
        workers_(kClusterThreads),
        measured_workers_(workers_, clock_, metering.measurements),
        measured_cluster_(cluster, metering.measurements),
        git_(git, leadership_),
        cluster_(measured_cluster_, leadership_),
        inventory_(inventory, leadership_),
        daemon_(options.daemon, git_, cluster_, inventory_, clock_, measured_workers_, leadership_),
        counters_(metering.measurements, metering.git, clock_),
        signals_([this] { workers_.wake(); }) {
    cluster_.on_change([this] { workers_.wake(); });
    leadership_.on_change([this] { workers_.wake(); });
    daemon_.on_events = [this](const RolloutKey& key, const Status& status, const std::vector<RolloutEvent>& events) {
      counters_.happened(key, status, events);
    };
    daemon_.on_look = [this](Look look, Duration took) {
      const Labels labels = {{"result", std::string(to_text(look))}};
      metering_.measurements.add(Measure::Reconciles, labels);
      ++looks_;
      metering_.measurements.time(Measure::ReconcileSeconds, labels, took);
    };
    if (!candidacy.lease) return;
    elector_.emplace(*candidacy.lease, clock_, leadership_, candidacy.identity);
    election_.emplace(*elector_, clock_);
  }
  /// The lease goes last: nothing is written after it.
  ~Loop() {
    workers_.stop();
    election_.reset();
  }

  int run() {
    if (auto listening = listen(); !listening) return failed(listening.error());
    const Duration began = clock_.monotonic();
    const Duration alive = alive_interval();
    while (!signals_.stopping()) {
      heed_hooks();
      const Duration due = daemon_.step();
      announce();
      if (options_.once && due > clock_.monotonic()) {
        if (daemon_.at_rest()) return finish();
        if (!daemon_.begun() && clock_.monotonic() - began > kOncePatience) return finish();
      }
      if (due - clock_.monotonic() >= kShortWait) rest();
      turn(std::min({due - clock_.monotonic(), kLongestWait, alive, publish()}));
    }
    tell_stopping();
    push_rest();
    return 0;
  }

 private:
  /// Waits and takes over what workers have done.
  void turn(Duration longest) {
    for (Completion& complete : workers_.wait(std::max<Duration>(longest, 0ms))) complete();
  }

  /// After much work memory is held that rest does not need.
  void rest() {
    if (looks_ < kMuchWork) return;
    looks_ = 0;
    give_back_memory();
  }

  void announce() {
    tell_alive();
    if (!ready_told_ && daemon_.ready()) {
      tell_ready();
      log_info("ready", {{"commit", daemon_.head()}, {"leader", daemon_.leadership().leader}});
      ready_told_ = true;
    }
    if (clock_.monotonic() - last_status_ < 10s) return;
    last_status_ = clock_.monotonic();
    tell_status(status_line(daemon_.report()));
  }

  /// A port that nobody asked for by name may be taken by another daemon; that is no reason not to work.
  Result<void> listen() {
    if (options_.once) return {};
    if (auto hooks = listen_for_hooks(); !hooks) return hooks;
    const SocketAddress& address = options_.listen;
    auto endpoints = Endpoints::start({.host = address.host,
                                       .port = address.port,
                                       .version = SERIN_VERSION,
                                       .polls_due = options_.daemon.interval * 3,
                                       .wake = [this] { workers_.wake(); },
                                       .hooks = hook_server_ ? nullptr : hooks_.get()},
                                      {metering_.measurements, metering_.health, metering_.git}, clock_);
    if (!endpoints && options_.listen_asked) return endpoints.error();
    if (!endpoints) {
      log_warn("no endpoints", {{"error", endpoints.error().message}});
      return {};
    }
    endpoints_ = std::move(*endpoints);
    log_info("listening", {{"host", address.host}, {"port", endpoints_->port()}});
    return {};
  }

  Result<void> listen_for_hooks() {
    if (options_.hooks_file.empty()) return {};
    const SocketAddress& address = options_.hooks_listen.value_or(options_.listen);
    auto hooks = Hooks::open(
        {.file = options_.hooks_file,
         .refs = refs_of_interest(options_.git),
         .without_secret = is_loopback(address.host) ? HooksWithoutSecret::Allowed : HooksWithoutSecret::Refused},
        clock_, [this] { workers_.wake(); });
    if (!hooks) return hooks.error();
    hooks_ = std::move(*hooks);
    hooks_->on_ended = [this](std::string_view provider, std::string_view result) {
      metering_.measurements.add(Measure::WebhookRequests,
                                 {{"provider", std::string(provider)}, {"result", std::string(result)}});
      if (result == "accepted") metering_.git.hook_came(provider);
    };
    if (!options_.hooks_listen) return {};
    auto server = serve_hooks(*hooks_, address.host, address.port);
    if (!server) return server.error();
    hook_server_ = std::move(*server);
    log_info("listening for hooks", {{"host", address.host}, {"port", hook_server_->port()}});
    return {};
  }

  /// A hook asks for a poll: at most one a second, whoever asks how often.
  void heed_hooks() {
    if (!hooks_ || hooks_->sequence() == hooks_heeded_) return;
    hooks_heeded_ = hooks_->sequence();
    daemon_.poll_soon();
  }

  /// For whoever asks over HTTP. Says how long the loop may wait: an idle one must still be seen to turn.
  Duration publish() {
    if (!endpoints_) return kLongestWait;
    endpoints_->beat();
    if (endpoints_->report_is_wanted()) endpoints_->publish(daemon_.report());
    return 20s;
  }

  /// Once: what is recorded goes out, then the verdict.
  int finish() {
    push_rest();
    const Report report = daemon_.report();
    say_objects(report.objects);
    for (const auto* objects : {&report.prune.held, &report.prune.failed})
      for (const auto& [key, why] : *objects)
        std::cerr << "serin: " << (objects == &report.prune.held ? "prune is held: " : "cannot prune ") << key.text()
                  << ": " << why << "\n";
    for (const RolloutReport& r : report.rollouts) {
      if (options_.dry_run) break;  // what was not done is no failure
      const bool degraded = r.status && r.status->phase == Phase::Degraded;
      if (!r.trouble.empty() || degraded)
        std::cerr << "serin: " << r.key.text() << ": " << (r.trouble.empty() ? r.why : r.trouble) << "\n";
    }
    for (const Problem& problem : report.problems) std::cerr << "serin: " << problem.text() << "\n";
    if (!report.git_trouble.empty()) std::cerr << "serin: git: " << report.git_trouble << "\n";
    if (!report.cluster_trouble.empty()) std::cerr << "serin: cluster: " << report.cluster_trouble << "\n";
    if (!daemon_.begun() && !report.leadership.leads) {
      std::cerr << "serin: " << following_text(report.leadership) << "\n";
      return 1;
    }
    if (options_.dry_run) return report.objects.failed.empty() && report.problems.empty() && daemon_.begun() ? 0 : 1;
    return report.in_sync() ? 0 : 1;
  }

  void say_objects(const ObjectReport& report) {
    for (const auto& [key, why] : report.failed) std::cerr << "serin: " << key.text() << ": " << why << "\n";
    for (const auto& [key, drift] : report.drifted)
      std::cerr << "serin: " << key.text() << ": " << drift.text() << "\n";
    if (options_.dry_run) return;  // what was not done cannot work
    for (const auto& [key, health] : report.unsettled)
      if (health.status != HealthStatus::Suspended)
        std::cerr << "serin: " << key.text() << ": " << to_text(health.status) << ": " << health.why << "\n";
  }

  /// The last push, on Git's own thread; what cannot be pushed now is pushed at the next start.
  void push_rest() {
    if (!daemon_.begun()) return;  // somebody else's branch
    for (int tries = 0; tries < 3 && git_.unpushed() > 0; ++tries) {
      bool done = false, again = false;
      workers_.run(Lane::Git, [&]() -> Completion {
        return [&, pushed = git_.push()] {
          done = true;
          again = !pushed && pushed.error().kind == ErrorKind::Conflict;
          if (!pushed && !again)
            log_warn("git: the last push failed; it is made up for at the next start",
                     {{"error", pushed.error().message}});
        };
      });
      while (!done) turn(1s);
      if (!again) return;
    }
  }

  const RunOptions& options_;
  Metering& metering_;
  SystemClock clock_;
  Leadership leadership_;
  ThreadWorkers workers_;
  MeasuredWorkers measured_workers_;
  MeasuredCluster measured_cluster_;
  LeaderGit git_;
  LeaderCluster cluster_;
  LeaderInventory inventory_;
  Daemon daemon_;
  RolloutCounters counters_;
  StopSignals signals_;
  std::optional<Elector> elector_;
  std::optional<LeaseThread> election_;
  std::unique_ptr<Hooks> hooks_;             ///< null when there are none, as below
  std::unique_ptr<HttpServer> hook_server_;  ///< with an address of its own
  std::unique_ptr<Endpoints> endpoints_;
  uint64_t hooks_heeded_ = 0;
  Duration last_status_{-10s};
  int looks_ = 0;  // at rollouts, since memory was given back
  bool ready_told_ = false;
};

int run_with(const RunOptions& options) {
  StopSignals::block();
  share_heaps();
  // A thread that is not the decision thread only carries bytes; an arena each would hold on to memory for nothing.
  mallopt(M_ARENA_MAX, 2);
  auto state = StateDirectory::lock(options.state_directory);
  if (!state) return failed(state.error());
  GitOptions git_options = options.git;
  git_options.state_directory = state->path();
  Measurements measurements;
  git_options.remote.on_received = [&measurements, repo = redact(git_options.url)](size_t bytes) {
    measurements.add(Measure::GitFetchBytes, {{"repo", repo}}, double(bytes));
  };
  auto git = Libgit2Repository::open(git_options);
  if (!git) return failed(git.error());
  SystemClock clock;
  std::unique_ptr<EmbeddedCluster> embedded;
  KubernetesClusterSettings settings = options.cluster;
  if (options.embedded_cluster) {
    auto started = EmbeddedCluster::start({.ready_after = 1s}, clock);
    if (!started) return failed(started.error());
    embedded = std::move(*started);
    settings.http.base_url = embedded->url();
    log_info("embedded cluster, in memory only", {{"address", embedded->url()}});
  }
  Metering metering(**git, options, measurements);
  settings.around_http = metering.around_http();
  if (options.exec_plugin) settings.http.tokens = std::make_shared<ExecTokens>(*options.exec_plugin, clock);
  auto cluster = KubernetesCluster::open(settings);
  if (!cluster) return failed(cluster.error());
  log_info("starting", {{"version", SERIN_VERSION},
                        {"repo", git_options.url},
                        {"watching", git_options.watched.name},
                        {"cluster", settings.http.base_url}});
  InventoryStore& inventory = (*cluster)->inventory();
  if (options.dry_run) {
    DryRunGit only_said(metering.git);
    DryRunCluster only_asked(**cluster);
    DryRunInventory only_read(inventory);
    return Loop(options, only_said, only_asked, only_read, metering, {}).run();
  }
  if (!options.leader_elect) return Loop(options, metering.git, **cluster, inventory, metering, {}).run();
  auto lease = KubernetesLease::open(settings.http, options.lease);
  if (!lease) return failed(lease.error());
  auto identity = daemon_identity(state->path());
  if (!identity) return failed(identity.error());
  return Loop(options, metering.git, **cluster, inventory, metering, {.lease = lease->get(), .identity = *identity})
      .run();
}

}  // namespace

int run(const std::vector<std::string>& arguments) {
  return with_options(run_syntax(), arguments, [](const Options& given) {
    auto options = run_options(given);
    if (!options) return usage_error(options.error().message);
    set_up_log(options->log_level, options->log_format);
    return run_with(*options);
  });
}

}  // namespace reconciler
