#include "sim/stage.h"

namespace reconciler {
namespace {

/// The kind Rollout, as far as the world looks at a definition.
Json rollout_definition() {
  const Json version = {{"name", "v1alpha1"},
                        {"served", true},
                        {"storage", true},
                        {"subresources",
                         {{"status", Json::object()},
                          {"scale",
                           {{"specReplicasPath", ".spec.replicas"},
                            {"statusReplicasPath", ".status.HPAReplicas"},
                            {"labelSelectorPath", ".status.selector"}}}}}};
  return {{"apiVersion", "apiextensions.k8s.io/v1"},
          {"kind", "CustomResourceDefinition"},
          {"metadata", {{"name", "rollouts.argoproj.io"}}},
          {"spec",
           {{"group", "argoproj.io"},
            {"scope", "Namespaced"},
            {"names", {{"kind", "Rollout"}, {"plural", "rollouts"}, {"singular", "rollout"}}},
            {"versions", Json::array({version})}}}};
}

}  // namespace

/// What is gone when the process is.
struct Stage::Process {
  Process(Stage& stage, Random random)
      : git(stage.remote, stage.disk),
        cluster(stage.world, stage.writer, stage.clock, random.fork(), stage.options_.watch_lag,
                stage.options_.listed_after),
        workers(stage.clock, random.fork(), stage.options_.delays),
        faulty_git(git, stage.faults),
        faulty_cluster(cluster, stage.faults),
        daemon({.interval = stage.options_.interval, .rollout_objects = stage.options_.rollout_objects}, faulty_git,
               faulty_cluster, stage.clock, workers) {
    git.in_the_middle_of_a_push = stage.on_pushing;
    git.on_record = stage.on_record;
    git.on_pushed = stage.on_pushed;
    git.on_recorded_read = stage.on_read_status;
    daemon.on_transition = stage.on_transition;
  }

  SimGit git;
  SimCluster cluster;
  SimWorkers workers;
  FaultyGit faulty_git;
  FaultyCluster faulty_cluster;
  Daemon daemon;
  Duration due{0};  ///< when the daemon wants to be called
};

Stage::Stage(StageOptions options)
    : clock(options.start),
      world({.ready_after = options.ready_after,
             .now = options.start,
             .requests_per_second = 0,
             .seed = options.seed,
             .history_per_type = 1}),
      faults(options.faults, Random(options.seed ^ 0xfa17)),
      options_(options),
      random_(options.seed ^ 0x57a6e) {
  if (options.rollout_objects == RolloutObjects::LeftOut) return;
  const ResourceType* type = world.catalogue().by_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition");
  CHECK(world.create({.type = type}, rollout_definition()));
}

Stage::~Stage() = default;

void Stage::start() { process_ = std::make_unique<Process>(*this, random_.fork()); }

void Stage::kill() {
  process_.reset();
  // A write that was cut off is no longer ours to mark.
  writer.is_serin = false;
  writer.rollout.reset();
}

Daemon& Stage::daemon() {
  CHECK(process_);
  return process_->daemon;
}

void Stage::pass_time_until(Duration passed) {
  clock.advance_to(passed);
  world.advance_to(clock.now());
}

void Stage::poll_soon() {
  if (!process_) return;
  process_->daemon.poll_soon();
  process_->due = clock.passed();
}

bool Stage::act() {
  world.advance_to(clock.now());
  if (!process_) return false;
  Process& p = *process_;
  const bool news = p.cluster.deliver();
  const bool done = p.workers.run_one();
  if (!news && !done && p.due > clock.passed()) return false;
  p.due = p.daemon.step();
  return true;
}

std::optional<Duration> Stage::next_due() const {
  std::optional<Duration> next;
  auto take = [&](std::optional<Duration> due) {
    if (due && *due != Duration::max() && (!next || *due < *next)) next = due;
  };
  if (auto due = world.next_due()) take(std::chrono::ceil<Duration>(*due - clock.start()));
  if (process_) {
    take(process_->cluster.next_due());
    take(process_->workers.next_due());
    take(process_->due);
  }
  return next;
}

}  // namespace reconciler
