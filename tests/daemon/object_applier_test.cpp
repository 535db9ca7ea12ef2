#include "daemon/object_applier.h"

#include "sim/sim_clock.h"
#include "sim/sim_cluster.h"
#include "sim/sim_workers.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// One ConfigMap in Git, and somebody who edits it.
class OneObject {
 public:
  OneObject() {
    const std::string text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {key: ours}\n";
    desired_.put("settings.yaml", read_manifests("settings.yaml", text, "default"));
    start();
  }

  /// A new process, which knows nothing yet.
  void start() {
    process_.reset();
    process_.emplace(*this);
    process_->cluster.deliver();
    process_->cluster.follow(desired_.kinds());
    see();
    process_->applier.changed(key_);
  }

  /// How often its rollouts were asked what to fill in.
  int prepared() const { return prepared_; }

  std::string value() const {
    Object live = world_.store().get({place_.type, place_.ns, place_.name});
    return live ? text_at(*live, {"data", "key"}) : "";
  }

  void edit(const std::string& value) {
    REQUIRE(world_.patch(place_, PatchKind::Merge, {{"data", {{"key", value}}}}, {.manager = "theirs"}));
  }

  /// What the watch shows comes before the completions of what runs.
  void see() {
    process_->cluster.deliver();
    for (const ClusterChange& change : process_->cluster.take_changes()) process_->applier.live_changed(change);
  }

  /// The next job or completion; false when there is none.
  bool work() {
    process_->applier.run_due();
    return process_->workers.run_one();
  }

  void pass_time() { clock_.advance_to(clock_.passed() + 1s); }

  void settle() {
    for (int i = 0; i < 5; ++i) {
      do see();
      while (work());
      pass_time();
    }
  }

 private:
  struct Process {
    explicit Process(OneObject& o)
        : cluster(o.world_, o.writer_, o.clock_, Random(1), 0ms, 0ms),
          workers(o.clock_, Random(1), {}),
          applier(o.options_, o.desired_, cluster, o.clock_, workers,
                  {.prepare =
                       [&o](auto&, const Json& manifest) {
                         ++o.prepared_;
                         return PreparedObject{.manifest = manifest};
                       },
                   .is_plain = [](auto&) { return true; },
                   .begin = [](auto&) {},
                   .end = [](auto&) {},
                   .applied = [](auto&, auto&) {}}) {}
    SimCluster cluster;
    SimWorkers workers;
    ObjectApplier applier;
  };

  SimClock clock_{TimePoint{} + 24h * 20000};
  World world_{{.now = clock_.now()}};
  Writer writer_;
  DesiredState desired_;
  DaemonOptions options_;
  int prepared_ = 0;
  std::optional<Process> process_;
  const ObjectKey key_{"", "ConfigMap", "default", "settings"};
  const ResourcePath place_{world_.catalogue().by_kind("v1", "ConfigMap"), "default", "settings"};
};

}  // namespace

TEST_CASE("what others change is put right, however soon they do it again", "[applier]") {
  OneObject object;
  object.settle();
  REQUIRE(object.value() == "ours");
  object.edit("theirs");
  object.see();
  object.pass_time();
  while (object.value() == "theirs") REQUIRE(object.work());
  // The correction is made, its completion is still to come, and the object looks as it did before.
  object.edit("theirs");
  object.see();
  object.settle();
  CHECK(object.value() == "ours");
}

TEST_CASE("a new process finds what nobody changed, and asks no rollout about it", "[applier]") {
  OneObject object;
  object.settle();
  REQUIRE(object.prepared() == 1);
  object.start();
  object.settle();
  CHECK(object.prepared() == 1);
  object.edit("theirs");
  object.settle();
  CHECK(object.value() == "ours");
}

TEST_CASE("what others changed while no process ran is put right", "[applier]") {
  OneObject object;
  object.settle();
  object.edit("theirs");
  object.start();
  object.settle();
  CHECK(object.value() == "ours");
}

TEST_CASE("an object that changes while it is glanced at is looked at again", "[applier]") {
  OneObject object;
  object.settle();
  object.start();
  REQUIRE(object.work());  // the job saw the object as it was; its completion is still to come
  object.edit("theirs");
  object.see();
  object.settle();
  CHECK(object.value() == "ours");
}
