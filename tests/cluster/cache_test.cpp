#include "cluster/cache.h"

#include "rollout/action.h"

#include "catch.h"

using namespace reconciler;

namespace {

const Rollout kCheckout = [] {
  Rollout rollout;
  rollout.key = {.ns = "shop", .name = "checkout"};
  rollout.selector = R"({"matchLabels":{"app":"checkout"}})";
  rollout.stable_service = "checkout";
  return rollout;
}();

Json replica_set(const std::string& hash, int version, int replicas, const std::string& uid = "u1") {
  Json object = *parse_json(R"({"metadata": {"namespace": "shop", "labels":
    {"serin.dev/owner": "serin", "serin.dev/rollout": "checkout"}}, "spec": {}})");
  object["metadata"]["name"] = "checkout-" + hash;
  object["metadata"]["uid"] = uid;
  object["metadata"]["resourceVersion"] = std::to_string(version);
  object["metadata"]["labels"]["rollouts-pod-template-hash"] = hash;
  object["spec"]["replicas"] = replicas;
  return object;
}

Json pod(const std::string& name, int version, const std::string& owner, const std::string& created) {
  return {{"metadata",
           {{"namespace", "shop"},
            {"name", name},
            {"uid", "pod-" + name},
            {"resourceVersion", std::to_string(version)},
            {"creationTimestamp", created},
            {"ownerReferences", Json::array({{{"uid", owner}, {"controller", true}}})}}}};
}

/// A cache that has listed everything: nothing.
struct Listed : ClusterCache {
  Listed() : ClusterCache("serin") {
    for (const WatchedKind& kind : {kReplicaSets, kPods, kServices, kVirtualServices, kRollouts}) listed(kind, "1", {});
  }
};

int replicas(const ClusterCache& cache, const std::string& hash) {
  Observed observed = cache.observe(kCheckout, TimePoint{});
  const Workload* found = observed.workload(hash);
  return found == nullptr ? -1 : found->replicas;
}

}  // namespace

TEST_CASE("nothing is listed until every kind is", "[cache]") {
  ClusterCache cache("serin");
  CHECK(cache.unlisted() == kReplicaSets);
  CHECK_FALSE(Listed().unlisted());
}

TEST_CASE("an older version that comes later changes nothing", "[cache]") {
  Listed cache;
  cache.seen(kReplicaSets, replica_set("abc", 10, 3));
  cache.seen(kReplicaSets, replica_set("abc", 9, 1));
  CHECK(replicas(cache, "abc") == 3);
  cache.seen(kReplicaSets, replica_set("abc", 11, 4));
  CHECK(replicas(cache, "abc") == 4);
}

TEST_CASE("versions are compared as numbers", "[cache]") {
  Listed cache;
  cache.seen(kReplicaSets, replica_set("abc", 99, 1));
  cache.seen(kReplicaSets, replica_set("abc", 100, 2));
  CHECK(replicas(cache, "abc") == 2);
}

TEST_CASE("what we deleted does not come back by older news", "[cache]") {
  Listed cache;
  cache.seen(kReplicaSets, replica_set("abc", 10, 0));
  cache.deleted_by_us(kReplicaSets, "shop", "checkout-abc", "u1");
  cache.seen(kReplicaSets, replica_set("abc", 11, 0));
  CHECK(replicas(cache, "abc") == -1);

  cache.seen(kReplicaSets, replica_set("abc", 13, 2, "u2"));  // made anew
  cache.gone(kReplicaSets, replica_set("abc", 12, 0));        // the end of the first one
  CHECK(replicas(cache, "abc") == 2);
}

TEST_CASE("an answer that comes after the end brings nothing back", "[cache]") {
  Listed cache;
  cache.seen(kReplicaSets, replica_set("abc", 5, 1));
  cache.gone(kReplicaSets, replica_set("abc", 8, 1));
  cache.answered(kReplicaSets, replica_set("abc", 7, 2));
  CHECK(replicas(cache, "abc") == -1);
  cache.answered(kReplicaSets, replica_set("abc", 9, 3, "u2"));
  CHECK(replicas(cache, "abc") == 3);
}

TEST_CASE("a list drops what it does not name, but not what is newer than it", "[cache]") {
  Listed cache;
  cache.seen(kReplicaSets, replica_set("gone", 10, 1, "u1"));
  cache.seen(kReplicaSets, replica_set("kept", 11, 1, "u2"));
  cache.seen(kReplicaSets, replica_set("new", 25, 1, "u3"));
  cache.take_changes();

  cache.listed(kReplicaSets, "20", {"u2"});

  CHECK(replicas(cache, "gone") == -1);
  CHECK(replicas(cache, "kept") == 1);
  CHECK(replicas(cache, "new") == 1);
  auto changes = cache.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].key.name == "checkout-gone");
  CHECK(changes[0].rollout == kCheckout.key);
}

TEST_CASE("each changed object is told once, and the first change wakes", "[cache]") {
  Listed cache;
  int woken = 0;
  cache.on_change([&] { ++woken; });
  cache.seen(kReplicaSets, replica_set("abc", 10, 1));
  cache.seen(kReplicaSets, replica_set("abc", 11, 2));
  CHECK(woken == 1);
  CHECK(cache.take_changes().size() == 1);
  CHECK(cache.take_changes().empty());
  cache.seen(kReplicaSets, replica_set("abc", 12, 3));
  CHECK(woken == 2);
}

TEST_CASE("news that changes nothing we look at is no change", "[cache]") {
  Listed cache;
  cache.seen(kReplicaSets, replica_set("abc", 10, 1));
  cache.take_changes();
  Json same = replica_set("abc", 11, 1);
  same["metadata"]["annotations"]["other"] = "x";
  cache.seen(kReplicaSets, same);
  CHECK(cache.take_changes().empty());
}

TEST_CASE("pods belong to the rollout of their ReplicaSet, whichever is seen first", "[cache]") {
  Listed cache;
  cache.seen(kPods, pod("checkout-abc-x2k9p", 11, "u1", "2026-11-22T10:00:02Z"));
  CHECK(cache.take_changes().at(0).rollout == kCheckout.key);
  cache.seen(kReplicaSets, replica_set("abc", 10, 1));
  CHECK(cache.observe(kCheckout, TimePoint{}).workload("abc")->pods_moved == *parse_time("2026-11-22T10:00:02Z"));
  cache.take_changes();

  cache.gone(kPods, pod("checkout-abc-x2k9p", 12, "u1", "2026-11-22T10:00:02Z"));
  CHECK(cache.take_changes().at(0).rollout == kCheckout.key);
  CHECK(cache.observe(kCheckout, TimePoint{}).workload("abc")->pods_moved == TimePoint{});
}

TEST_CASE("marking a ReplicaSet moves it from adoptable to owned", "[cache]") {
  Listed cache;
  Json object = replica_set("abc", 10, 1);
  object["spec"]["selector"]["matchLabels"] = {{"app", "checkout"}, {"rollouts-pod-template-hash", "abc"}};
  Json unmarked = object;
  unmarked["metadata"]["labels"].erase("serin.dev/owner");
  unmarked["metadata"]["labels"].erase("serin.dev/rollout");
  cache.seen(kReplicaSets, unmarked);
  REQUIRE(cache.observe(kCheckout, TimePoint{}).workloads.size() == 1);
  CHECK_FALSE(cache.observe(kCheckout, TimePoint{}).workloads[0].owned);

  object["metadata"]["resourceVersion"] = "11";
  cache.seen(kReplicaSets, object);
  REQUIRE(cache.observe(kCheckout, TimePoint{}).workloads.size() == 1);
  CHECK(cache.observe(kCheckout, TimePoint{}).workloads[0].owned);
}

TEST_CASE("Services are kept whole but for managedFields", "[cache]") {
  Listed cache;
  Json service = *parse_json(R"({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop",
    "name": "checkout", "uid": "s", "resourceVersion": "5", "managedFields": [{}]},
    "spec": {"selector": {"rollouts-pod-template-hash": "abc"}}})");
  cache.seen(kServices, service);
  CHECK(cache.observe(kCheckout, TimePoint{}).services.at("checkout").hash == "abc");
  service["metadata"].erase("managedFields");
  CHECK(cache.find_object(kServices, "shop", "checkout") == service);
  CHECK_FALSE(cache.find_object(kServices, "shop", "other"));
}

TEST_CASE("Services that say they are managed by a rollout are told while it does not name them", "[cache]") {
  Listed cache;
  auto managed = [](const std::string& name, int version, const std::string& by) {
    Json object = *parse_json(R"({"metadata": {"namespace": "shop"},
      "spec": {"selector": {"rollouts-pod-template-hash": "abc"}}})");
    object["metadata"]["name"] = name;
    object["metadata"]["uid"] = "uid-" + name;
    object["metadata"]["resourceVersion"] = std::to_string(version);
    if (!by.empty()) object["metadata"]["annotations"]["argo-rollouts.argoproj.io/managed-by-rollouts"] = by;
    return object;
  };
  auto former = [&] {
    std::vector<std::string> out;
    for (const auto& [name, service] : cache.observe(kCheckout, TimePoint{}).former_services) out.push_back(name);
    return out;
  };
  using Names = std::vector<std::string>;
  cache.seen(kServices, managed("checkout", 10, "checkout"));
  cache.seen(kServices, managed("checkout-old", 11, "checkout"));
  cache.seen(kServices, managed("cart", 12, "cart"));
  CHECK(former() == Names{"checkout-old"});
  cache.seen(kServices, managed("checkout-old", 13, ""));
  CHECK(former().empty());
  cache.seen(kServices, managed("checkout-old", 14, "checkout"));
  cache.gone(kServices, managed("checkout-old", 15, "checkout"));
  CHECK(former().empty());
}
