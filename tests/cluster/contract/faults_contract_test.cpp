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

std::string refusal(int status, const std::string& headers = "") {
  const std::string body = R"({"kind": "Status", "message": "not now", "code": )" + std::to_string(status) + "}";
  return "HTTP/1.1 " + std::to_string(status) + " No\r\nContent-Type: application/json\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Answers cannot be put into a TLS connection.
bool can_answer_instead() {
  if (base_url_at(1).starts_with("http://")) return true;
  WARN("skipped: the server speaks TLS");
  return false;
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

TEST_CASE("a busy server is asked again after the time it names", "[contract][faults]") {
  if (!can_answer_instead()) return;
  Behind behind;
  const std::string ns = new_namespace(*behind.cluster);
  behind.proxy.answer_next(3, refusal(429, "Retry-After: 0\r\n"));
  CHECK(behind.cluster->apply(config_map(ns, "settings", "1"), ApplyMode::Write));
  CHECK(behind.proxy.answers_left() == 0);
  behind.proxy.answer_next(100, refusal(429, "Retry-After: 3600\r\n"));
  auto busy = behind.cluster->apply(config_map(ns, "settings", "2"), ApplyMode::Write);
  REQUIRE_FALSE(busy);
  CHECK(busy.error().kind == ErrorKind::Transient);
}

TEST_CASE("what went wrong tells whether to try again, to look again or to give up", "[contract][faults]") {
  if (!can_answer_instead()) return;
  Behind behind;
  const std::string ns = new_namespace(*behind.cluster);
  for (const auto& [status, kind] : {std::pair(500, ErrorKind::Transient),
                                     {503, ErrorKind::Transient},
                                     {401, ErrorKind::Transient},
                                     {409, ErrorKind::Conflict},
                                     {403, ErrorKind::Invalid},
                                     {302, ErrorKind::Invalid},
                                     {422, ErrorKind::Invalid}}) {
    INFO(status);
    behind.proxy.answer_next(1, refusal(status, "Location: http://127.0.0.1:1/elsewhere\r\n"));
    auto refused = behind.cluster->apply(config_map(ns, "settings", "1"), ApplyMode::Write);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == kind);
    CHECK(refused.error().message.find("not now") != std::string::npos);
    CHECK(behind.proxy.answers_left() == 0);
  }
  CHECK(behind.cluster->apply(config_map(ns, "settings", "1"), ApplyMode::Write));
}

TEST_CASE("watches come back from a burst of errors and have missed nothing", "[contract][faults]") {
  if (!can_answer_instead()) return;
  Behind behind;
  Rollout rollout = checkout(new_namespace(*behind.cluster));
  behind.proxy.answer_next(6, refusal(500));
  behind.proxy.cut();
  Backdoor().post(path(rollout.key.ns, "replicasets", ""), owned_replica_set(rollout.key.ns, "meanwhile"));
  CHECK(eventually([&] { return behind.proxy.answers_left() == 0; }));
  CHECK(eventually([&] { return is_seen(*behind.cluster, rollout, "meanwhile"); }));
}
