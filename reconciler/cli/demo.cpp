// `serin demo`: a repository, a cluster and the daemon in one process, and people who commit.
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/format.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/demo_script.h"
#include "cli/demo_timeline.h"
#include "cli/options.h"
#include "cli/signals.h"
#include "cluster/kubernetes_cluster.h"
#include "daemon/daemon.h"
#include "daemon/system_clock.h"
#include "git/git_history.h"
#include "git/libgit2_repository.h"
#include "sim/embedded_cluster.h"

namespace reconciler {
namespace {

constexpr Duration kPatience = 120s;

/// A folder for the demo's files; a temporary one goes with this value.
class DemoFolder {
 public:
  static Result<DemoFolder> make(const std::string& keep) {
    std::error_code error;
    if (!keep.empty()) {
      std::filesystem::create_directories(keep, error);
      if (error) return invalid(format("{}: cannot be made: {}", keep, error.message()));
      if (!std::filesystem::is_empty(keep, error)) return invalid(format("{}: is not empty; name a new folder", keep));
      return DemoFolder(std::filesystem::absolute(keep).string(), false);
    }
    std::string name = (std::filesystem::temp_directory_path(error) / "serin-demo-XXXXXX").string();
    if (!::mkdtemp(name.data())) return invalid(format("{}: cannot be made", name));
    return DemoFolder(name, true);
  }
  DemoFolder(DemoFolder&& other) noexcept : path_(std::exchange(other.path_, "")), temporary_(other.temporary_) {}
  ~DemoFolder() {
    std::error_code ignored;  // a leftover in the temporary folder is nobody's loss
    if (temporary_ && !path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  std::string at(const std::string& name) const { return path_ + "/" + name; }

 private:
  DemoFolder(std::string path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}
  std::string path_;
  bool temporary_;
};

/// Turns the daemon's loop and lets the script act on what happens.
class Demo {
 public:
  Demo(GitRepository& git, KubernetesCluster& cluster, DemoScript script, DemoTimeline::Surface surface)
      : leadership_(Leadership::sole(clock_)),
        workers_(4),
        daemon_({.interval = 1s}, git, cluster, cluster.inventory(), clock_, workers_, leadership_),
        git_(git),
        script_(std::move(script)),
        timeline_(surface, clock_.monotonic()),
        signals_([this] { workers_.wake(); }) {
    cluster.on_change([this] { workers_.wake(); });
    daemon_.on_transition = [this](const RolloutKey& key, const Decision& decision) {
      timeline_.transition(clock_.monotonic(), key, decision);
      happened_.emplace_back(key, decision);
    };
  }
  ~Demo() { workers_.stop(); }

  int play() {
    if (auto begun = tell(script_.begin(clock_.now())); !begun) return failed(begun.error());
    const Duration end = clock_.monotonic() + kPatience;
    while (!script_.finished() || git_.unpushed() > 0) {
      if (signals_.stopping()) return 1;
      if (clock_.monotonic() > end)
        return failed(transient("the demo took too long; its log tells why (--log-level debug)"));
      if (auto turned = turn(); !turned) return failed(turned.error());
    }
    return 0;
  }

  /// Goes on until somebody stops it.
  void stay() {
    while (!signals_.stopping())
      if (auto turned = turn(); !turned) return;
  }

 private:
  Result<void> turn() {
    const Duration due = daemon_.step();
    // People see what is pushed, so they wait for a deploy to be over in Git too.
    const bool told = git_.unpushed() == 0;
    for (const auto& [key, decision] : std::exchange(happened_, {})) {
      if (!told && decision.status.phase == Phase::Healthy) {
        happened_.emplace_back(key, decision);
        continue;
      }
      auto deed = script_.after(key, decision, clock_.now());
      if (!deed) return deed.error();
      if (!*deed) continue;
      if (auto done = tell(**deed); !done) return done.error();
    }
    for (const RolloutReport& r : daemon_.report().rollouts)
      if (r.status && !r.settled && r.status->canary) timeline_.progress(clock_.monotonic(), r.key, *r.status, r.why);
    for (Completion& complete : workers_.wait(std::clamp<Duration>(due - clock_.monotonic(), 0ms, 100ms))) complete();
    return {};
  }

  Result<void> tell(const Result<DemoScript::Deed>& deed) {
    if (!deed) return deed.error();
    timeline_.heading(deed->heading);
    timeline_.person(clock_.monotonic(), deed->command);
    daemon_.poll_soon();  // as a webhook would
    return {};
  }

  SystemClock clock_;
  Leadership leadership_;
  ThreadWorkers workers_;
  Daemon daemon_;
  GitRepository& git_;
  DemoScript script_;
  DemoTimeline timeline_;
  StopSignals signals_;
  std::vector<std::pair<RolloutKey, Decision>> happened_;
};

/// The audit trail, oldest first, as `git log --reverse` would show it.
Result<void> print_log(const std::string& repository) {
  auto history = GitHistory::of(repository, PlainHttp::LoopbackOnly, {});
  if (!history) return history.error();
  auto tip = history->resolve("main");
  if (!tip) return tip.error();
  auto log = history->log("", "", *tip, 1000);
  if (!log) return log.error();
  std::cout << "\n$ git log --reverse --format='%h %an: %s'\n";
  for (auto commit = log->rbegin(); commit != log->rend(); ++commit)
    std::cout << commit->id.substr(0, 7) << " " << commit->author.substr(0, commit->author.find(" <")) << ": "
              << commit->message.substr(0, commit->message.find('\n')) << "\n";
  return {};
}

int play(const Options& given) {
  StopSignals::block();
  set_up_log(given.text("log-level") == "debug" ? LogLevel::Debug : LogLevel::Error, LogFormat::Text);
  auto folder = DemoFolder::make(given.text("keep"));
  if (!folder) return failed(folder.error());
  const std::string repository = folder->at("repository.git");
  auto branch = BareBranch::create(repository, "main");
  if (!branch) return failed(branch.error());
  SystemClock clock;
  auto embedded = EmbeddedCluster::start({.ready_after = given.duration("ready-after")}, clock);
  if (!embedded) return failed(embedded.error());
  if (std::ofstream(folder->at("kubeconfig")) << (*embedded)->kubeconfig(); given.flag("stay"))
    std::cout << "cluster: export KUBECONFIG=" << folder->at("kubeconfig") << "\nrepository: " << repository << "\n";
  std::error_code error;
  std::filesystem::create_directory(folder->at("state"), error);
  GitOptions git_options;  // assigned: g++ 12 wrongly takes a default of an initialized one for uninitialized
  git_options.url = repository;
  git_options.state_directory = folder->at("state");
  git_options.status_directory = "status/default";
  auto git = Libgit2Repository::open(git_options);
  if (!git) return failed(git.error());
  auto cluster = KubernetesCluster::open({.http = {.base_url = (*embedded)->url()}});
  if (!cluster) return failed(cluster.error());
  const auto surface = ::isatty(STDOUT_FILENO) ? DemoTimeline::Surface::Terminal : DemoTimeline::Surface::Pipe;
  Demo demo(**git, **cluster, DemoScript(std::move(*branch)), surface);
  if (int code = demo.play(); code != 0) return code;
  if (auto printed = print_log(repository); !printed) return failed(printed.error());
  if (given.has("keep")) std::cout << "\nThe repository stays at " << repository << "\n";
  if (given.flag("stay")) {
    std::cout << "\nThe cluster and the daemon run until you press Ctrl-C.\n" << std::flush;
    demo.stay();
  }
  return 0;
}

}  // namespace

int demo(const std::vector<std::string>& arguments) {
  return with_options(
      {.usage = "serin demo [--keep DIR] [--stay]",
       .summary = "Everything on this machine, no cluster needed: a temporary repository, the embedded "
                  "cluster, a canary, a revert.",
       .options = {{.name = "keep",
                    .operand = "DIR",
                    .help = "leave the repository and a kubeconfig in this new folder"},
                   {.name = "stay", .help = "keep the cluster and the daemon running at the end", .type = FlagOption{}},
                   {.name = "ready-after",
                    .operand = "DURATION",
                    .help = "time until a pod is ready",
                    .type = DurationOption{0ms, 10s},
                    .otherwise = "300ms"},
                   {.name = "log-level",
                    .operand = "LEVEL",
                    .help = "error or debug",
                    .type = ChoiceOption{{"error", "debug"}},
                    .otherwise = "error"}}},
      arguments, play);
}

}  // namespace reconciler
