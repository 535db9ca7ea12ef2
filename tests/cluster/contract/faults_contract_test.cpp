// What every Cluster does when the wire to its API server fails: it comes back by itself and has missed nothing.
#include "cluster/contract/fault_proxy.h"
#include "cluster/contract/world.h"
#include "rollout/action.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// A cluster behind a proxy, with its caches filled; it takes a watch for dead after a second of silence.
struct Behind {
  FaultProxy proxy{server_port()};
  std::unique_ptr<KubernetesCluster> cluster = open_cluster_at(proxy.port(), 1s);
};

Json owned_replica_set(const std::string& ns, const std::string& hash) {
  Json object = replica_set(ns, hash, "app:v1", 0);
  object["metadata"]["labels"]["serin.dev/rollout"] = "checkout";
  object["metadata"]["labels"]["serin.dev/owner"] = "serin";
  return object;
}

bool is_seen(Cluster& cluster, const Rollout& rollout, const std::string& hash) {
  return !workload(cluster, rollout, hash).name.empty();
}

}  // namespace

TEST_CASE("watches that are reset go on where they were", "[contract][faults]") {
  Behind behind;
  Rollout rollout = checkout(new_namespace(*behind.cluster));
  Backdoor door;
  for (const char* hash : {"a", "b", "c"}) {
    behind.proxy.cut();
    door.post(path(rollout.key.ns, "replicasets", ""), owned_replica_set(rollout.key.ns, hash));
    CHECK(eventually([&] { return is_seen(*behind.cluster, rollout, hash); }));
  }
}

TEST_CASE("what happened while the server could not be reached is seen afterwards", "[contract][faults]") {
  Behind behind;
  Rollout rollout = checkout(new_namespace(*behind.cluster));
  Backdoor door;
  door.post(path(rollout.key.ns, "replicasets", ""), owned_replica_set(rollout.key.ns, "before"));
  REQUIRE(eventually([&] { return is_seen(*behind.cluster, rollout, "before"); }));

  behind.proxy.refuse();
  door.remove(path(rollout.key.ns, "replicasets", "checkout-before"));
  door.post(path(rollout.key.ns, "replicasets", ""), owned_replica_set(rollout.key.ns, "meanwhile"));
  auto refused = behind.cluster->apply(config_map(rollout.key.ns, "settings", "1"), ApplyMode::Write);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().kind == ErrorKind::Transient);
  CHECK(is_seen(*behind.cluster, rollout, "before"));
  behind.proxy.heal();

  CHECK(eventually([&] { return is_seen(*behind.cluster, rollout, "meanwhile"); }));
  CHECK(eventually([&] { return !is_seen(*behind.cluster, rollout, "before"); }));
  CHECK(behind.cluster->apply(config_map(rollout.key.ns, "settings", "1"), ApplyMode::Write));
}

TEST_CASE("a connection that died without a word is noticed", "[contract][faults]") {
  Behind behind;
  Rollout rollout = checkout(new_namespace(*behind.cluster));
  behind.proxy.stall();
  Backdoor().post(path(rollout.key.ns, "replicasets", ""), owned_replica_set(rollout.key.ns, "meanwhile"));
  // The stalled connections stay as they are; only new ones get through again.
  behind.proxy.heal_for_new();
  CHECK(eventually([&] { return is_seen(*behind.cluster, rollout, "meanwhile"); }));
}

TEST_CASE("a server that cannot be reached at first is found when it is there", "[contract][faults]") {
  FaultProxy proxy{server_port()};
  proxy.refuse();
  KubernetesClusterSettings settings = test_settings();
  settings.http.base_url = base_url_at(proxy.port());
  auto cluster = KubernetesCluster::open(settings);
  REQUIRE(cluster);
  REQUIRE(eventually(
      [&] { return (*cluster)->ready().error().message.find(settings.http.base_url) != std::string::npos; }));
  CHECK((*cluster)->observe(checkout("default"), TimePoint{}).error().kind == ErrorKind::Transient);
  proxy.heal();
  CHECK(eventually([&] { return bool((*cluster)->ready()); }));
}
