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
    cluster_.deliver();
    cluster_.follow(desired_.kinds());
    applier_.changed(key_);
  }

  std::string value() const {
    Object live = world_.store().get({place_.type, place_.ns, place_.name});
    return live ? text_at(*live, {"data", "key"}) : "";
  }

  void edit(const std::string& value) {
    REQUIRE(world_.patch(place_, PatchKind::Merge, {{"data", {{"key", value}}}}, {.manager = "theirs"}));
  }

  /// What the watch shows comes before the completions of what runs.
  void see() {
    cluster_.deliver();
    for (const ClusterChange& change : cluster_.take_changes()) applier_.live_changed(change);
  }

  /// The next job or completion; false when there is none.
  bool work() {
    applier_.run_due();
    return workers_.run_one();
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
  SimClock clock_{TimePoint{} + 24h * 20000};
  World world_{{.now = clock_.now()}};
  Writer writer_;
  SimCluster cluster_{world_, writer_, clock_, Random(1), 0ms, 0ms};
  SimWorkers workers_{clock_, Random(1), {}};
  DesiredState desired_;
  DaemonOptions options_;
  ObjectApplier applier_{options_,
                         desired_,
                         cluster_,
                         clock_,
                         workers_,
                         {.prepare = [](auto&, const Json& manifest) { return PreparedObject{.manifest = manifest}; },
                          .begin = [](auto&) {},
                          .end = [](auto&) {},
                          .applied = [](auto&, auto&) {}}};
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
