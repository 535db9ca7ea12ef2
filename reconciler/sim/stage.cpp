#include "sim/stage.h"

#include "daemon/elector.h"
#include "daemon/leader_ports.h"
#include "sim/app_routes.h"
#include "sim/faulty_lease.h"
#include "sim/sim_lease.h"

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
  Process(Stage& stage, size_t index, Random random)
      : git(stage.remote, stage.seats_[index].disk),
        cluster(stage.world, stage.writer, stage.clock, random.fork(), stage.options_.watch_lag,
                stage.options_.listed_after),
        inventory(stage.world, stage.writer),
        workers(stage.clock, random.fork(), stage.options_.delays),
        lease(stage.world),
        faulty_git(git, stage.faults),
        faulty_cluster(cluster, stage.faults),
        faulty_lease(lease, stage.faults, stage.seats_[index].cut_off),
        faulty_inventory(inventory, stage.faults),
        leadership(stage.elects() ? Leadership(stage.clock) : Leadership::sole(stage.clock)),
        elector(faulty_lease, stage.clock, leadership, identity(index)),
        leader_git(faulty_git, leadership),
        leader_cluster(faulty_cluster, leadership),
        leader_inventory(faulty_inventory, leadership),
        daemon({.interval = stage.options_.interval, .rollout_objects = stage.options_.rollout_objects}, leader_git,
               leader_cluster, leader_inventory, stage.clock, workers, leadership) {
    git.in_the_middle_of_a_push = stage.on_pushing;
    git.on_record = stage.on_record;
    git.on_dropped = stage.on_dropped;
    git.on_pushed = stage.on_pushed;
    git.on_recorded_read = stage.on_read_status;
    daemon.on_transition = stage.on_transition;
    leadership.on_change([this] { due = Duration{0}; });
    election_due = stage.elects() ? Duration{0} : Duration::max();
  }

  SimGit git;
  SimCluster cluster;
  SimInventory inventory;
  SimWorkers workers;
  SimLease lease;
  FaultyGit faulty_git;
  FaultyCluster faulty_cluster;
  FaultyLease faulty_lease;
  FaultyInventory faulty_inventory;
  Leadership leadership;
  Elector elector;
  LeaderGit leader_git;
  LeaderCluster leader_cluster;
  LeaderInventory leader_inventory;
  Daemon daemon;
  Duration due{0};  ///< when the daemon wants to be called
  Duration election_due{0};
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
      random_(options.seed ^ 0x57a6e),
      seats_(options.seats) {
  const ResourceType* definitions = world.catalogue().by_kind("apiextensions.k8s.io/v1", "CustomResourceDefinition");
  for (const Json& definition : router_definitions()) CHECK(world.create({.type = definitions}, definition));
  if (options.rollout_objects == RolloutObjects::LeftOut) return;
  CHECK(world.create({.type = definitions}, rollout_definition()));
}

Stage::~Stage() = default;

void Stage::start(size_t seat) {
  acting_ = seat;
  seats_[seat].process = std::make_unique<Process>(*this, seat, random_.fork());
}

void Stage::kill(size_t seat) {
  seats_[seat].process.reset();
  seats_[seat].paused_until = Duration{0};
  // A write that was cut off is no longer ours to mark.
  writer.is_serin = false;
  writer.rollout.reset();
}

void Stage::set_free() {
  for (Seat& seat : seats_) {
    seat.paused_until = Duration{0};
    seat.cut_off = false;
  }
}

Daemon& Stage::daemon_on(size_t seat) {
  CHECK(seats_[seat].process);
  return seats_[seat].process->daemon;
}

size_t Stage::leader() const {
  size_t living = 0;
  for (size_t i = 0; i < seats_.size(); ++i) {
    if (!seats_[i].process) continue;
    if (seats_[i].process->daemon.begun() && seats_[i].process->leadership.standing().leads) return i;
    living = i;
  }
  return living;
}

Daemon& Stage::daemon() { return daemon_on(leader()); }

void Stage::pass_time_until(Duration passed) {
  clock.advance_to(passed);
  world.advance_to(clock.now());
}

void Stage::poll_soon() {
  for (Seat& seat : seats_) {
    if (!seat.process) continue;
    seat.process->daemon.poll_soon();
    seat.process->due = clock.passed();
  }
}

/// The seats take turns.
bool Stage::act() {
  world.advance_to(clock.now());
  for (size_t i = 0; i < seats_.size(); ++i) {
    acting_ = (acting_ + 1) % seats_.size();
    if (act(seats_[acting_])) return true;
  }
  return false;
}

bool Stage::act(Seat& seat) {
  if (!seat.process || seat.paused_until > clock.passed()) return false;
  Process& p = *seat.process;
  if (p.election_due <= clock.passed()) {
    p.election_due = p.elector.step();
    return true;
  }
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
  for (const Seat& seat : seats_) {
    if (!seat.process) continue;
    if (seat.paused_until > clock.passed()) {
      take(seat.paused_until);
      continue;
    }
    take(seat.process->cluster.next_due());
    take(seat.process->workers.next_due());
    take(seat.process->due);
    take(seat.process->election_due);
  }
  return next;
}

}  // namespace reconciler
