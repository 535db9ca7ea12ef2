// What every Cluster does for the pods of a rollout and for the names of its ReplicaSets.
#include "cluster/contract/world.h"
#include "rollout/action.h"

#include "catch.h"

using namespace reconciler;

namespace {

constexpr const char* kCanaryRole = R"({"labels":{"role":"canary"}})";

/// A rollout with one ReplicaSet whose pods are up.
struct Running {
  std::unique_ptr<KubernetesCluster> cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));

  explicit Running(int replicas) {
    do_it(CreateReplicaSet{.name = "checkout-abc", .object = replica_set(rollout.key.ns, "abc", "app:v1", replicas)});
    REQUIRE(eventually([&] { return set().available == replicas && int(set().pods.size()) == replicas; }));
  }

  Workload set() { return workload(*cluster, rollout, "abc"); }

  void do_it(const Action& action) {
    auto done = cluster->carry_out(rollout.key, action);
    INFO((done ? "" : done.error().message));
    REQUIRE(done);
  }

  Json live(const std::string& plural, const std::string& name) {
    return Backdoor().get(path(rollout.key.ns, plural, name));
  }
};

}  // namespace

TEST_CASE("metadata of a role reaches the template and a running pod, and goes again", "[contract]") {
  Running world(1);
  const std::string pod = world.set().pods.front().name;

  world.do_it(SetTemplateMetadata{.name = "checkout-abc", .before = "", .after = kCanaryRole});
  world.do_it(SetPodMetadata{.name = pod, .before = "", .after = kCanaryRole});
  CHECK(world.set().metadata == kCanaryRole);
  CHECK(eventually([&] { return world.set().pods.front().metadata == kCanaryRole; }));
  CHECK(text_at(world.live("pods", pod), {"metadata", "labels", "role"}) == "canary");
  CHECK(text_at(world.live("replicasets", "checkout-abc"), {"spec", "template", "metadata", "labels", "role"}) ==
        "canary");

  world.do_it(SetTemplateMetadata{.name = "checkout-abc", .before = kCanaryRole, .after = ""});
  world.do_it(SetPodMetadata{.name = pod, .before = kCanaryRole, .after = ""});
  CHECK(world.set().metadata.empty());
  CHECK(find(world.live("pods", pod), {"metadata", "labels", "role"}) == nullptr);
  CHECK(world.set().pods.front().name == pod);
}

TEST_CASE("an evicted pod is replaced by a younger one", "[contract]") {
  Running world(2);
  const PodState pod = world.set().pods.front();
  world.do_it(EvictPods{.pods = {pod}});
  CHECK(eventually([&] {
    const Workload set = world.set();
    return set.pods.size() == 2 && set.available == 2 && set.pods.front().uid != pod.uid &&
           set.pods.back().uid != pod.uid;
  }));
  world.do_it(EvictPods{.pods = {pod}});
  CHECK(world.set().pods.size() == 2);
}

TEST_CASE("a pod that a PodDisruptionBudget protects stays, and that is said", "[contract]") {
  Running world(1);
  const Json spec = {{"minAvailable", 1}, {"selector", {{"matchLabels", {{"app", "checkout"}}}}}};
  Backdoor().post("/apis/policy/v1/namespaces/" + world.rollout.key.ns + "/poddisruptionbudgets",
                  {{"apiVersion", "policy/v1"},
                   {"kind", "PodDisruptionBudget"},
                   {"metadata", {{"name", "checkout"}, {"namespace", world.rollout.key.ns}}},
                   {"spec", spec}});
  const PodState pod = world.set().pods.front();
  auto refused = world.cluster->carry_out(world.rollout.key, EvictPods{.pods = {pod}});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Transient);
  CHECK(world.set().pods.front().uid == pod.uid);
}

TEST_CASE("the mark of a rejected revision is seen again, and taken away", "[contract]") {
  Running world(0);
  world.do_it(MarkReplicaSet{.name = "checkout-abc", .hash = "abc"});
  CHECK(world.set().rejected);
  world.do_it(MarkReplicaSet{.name = "checkout-abc", .hash = ""});
  CHECK_FALSE(world.set().rejected);
}

TEST_CASE("a name that somebody else has is seen to be taken", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  Json object = replica_set(rollout.key.ns, "abc", "app:v1", 0);
  object["metadata"]["labels"][std::string(kRolloutLabel)] = "another";
  Backdoor().post(path(rollout.key.ns, "replicasets", ""), object);
  CHECK(eventually([&] {
    auto observed = cluster->observe(rollout, TimePoint{});
    return observed && observed->taken_names == std::vector<std::string>{"checkout-abc"};
  }));
}
