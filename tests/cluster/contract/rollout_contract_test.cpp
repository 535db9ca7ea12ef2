// What every Cluster does for the objects of a rollout.
#include "cluster/contract/world.h"
#include "rollout/action.h"
#include "rollout/routing.h"

#include "catch.h"

using namespace reconciler;

namespace {

void carry_out(Cluster& cluster, const Rollout& rollout, const Action& action) {
  auto done = cluster.carry_out(rollout.key, action);
  INFO((done ? "" : done.error().message));
  REQUIRE(done);
}

ErrorKind refusal(Cluster& cluster, const Rollout& rollout, const Action& action) {
  auto done = cluster.carry_out(rollout.key, action);
  REQUIRE_FALSE(done);
  return done.error().kind;
}

Action create(const Rollout& rollout, const std::string& hash, int replicas, const std::string& image = "app:v1") {
  return CreateReplicaSet{.name = "checkout-" + hash, .object = replica_set(rollout.key.ns, hash, image, replicas)};
}

}  // namespace

TEST_CASE("a rollout of which nothing exists is observed as empty", "[contract]") {
  auto cluster = open_cluster();
  auto observed = cluster->observe(checkout("no-such-namespace"), TimePoint{});
  REQUIRE(observed);
  CHECK(*observed == Observed{});
}

TEST_CASE("a ReplicaSet is seen as soon as it is created, and its pods when they are up", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));

  carry_out(*cluster, rollout, create(rollout, "abc", 2));

  Workload made = workload(*cluster, rollout, "abc");
  CHECK(made.name == "checkout-abc");
  CHECK(made.owned);
  CHECK(made.replicas == 2);
  CHECK(made.images == std::vector<ContainerImage>{{.container = "app", .image = "app:v1"}});
  CHECK(eventually([&] { return workload(*cluster, rollout, "abc").available == 2; }));
  Workload up = workload(*cluster, rollout, "abc");
  CHECK(up.uid == made.uid);
  CHECK(up.current == 2);
  CHECK(up.ready == 2);
  CHECK(eventually([&] { return workload(*cluster, rollout, "abc").pods_moved >= up.created; }));
  CHECK(up.pod_trouble.empty());
}

TEST_CASE("creating what is there already is fine when it is ours", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  carry_out(*cluster, rollout, create(rollout, "abc", 0));
  carry_out(*cluster, rollout, create(rollout, "abc", 0));
}

TEST_CASE("a name that somebody else took is a conflict", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  Backdoor().post(path(rollout.key.ns, "replicasets", ""), replica_set(rollout.key.ns, "abc", "app:v1", 0));
  CHECK(refusal(*cluster, rollout, create(rollout, "abc", 0)) == ErrorKind::Conflict);
}

TEST_CASE("an object that the API server refuses is invalid", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  Json object = replica_set(rollout.key.ns, "abc", "app:v1", 0);
  object["spec"]["selector"]["matchLabels"]["app"] = "another";
  CHECK(refusal(*cluster, rollout, CreateReplicaSet{.name = "checkout-abc", .object = object}) == ErrorKind::Invalid);
}

TEST_CASE("scaling changes the pods and says what is desired", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  carry_out(*cluster, rollout, create(rollout, "abc", 1));

  carry_out(*cluster, rollout, ScaleReplicaSet{.name = "checkout-abc", .replicas = 3, .desired = 5});
  CHECK(workload(*cluster, rollout, "abc").replicas == 3);
  CHECK(eventually([&] { return workload(*cluster, rollout, "abc").available == 3; }));
  Json live = Backdoor().get(path(rollout.key.ns, "replicasets", "checkout-abc"));
  CHECK(text_at(live, {"metadata", "annotations", kDesiredReplicasAnnotation}) == "5");

  carry_out(*cluster, rollout, ScaleReplicaSet{.name = "checkout-abc", .replicas = 0, .desired = 5});
  CHECK(eventually([&] { return workload(*cluster, rollout, "abc").current == 0; }));
}

TEST_CASE("scaling what does not exist is a conflict", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  CHECK(refusal(*cluster, rollout, ScaleReplicaSet{.name = "checkout-abc", .replicas = 3, .desired = 3}) ==
        ErrorKind::Conflict);
}

TEST_CASE("a scale-down deadline is set, seen to pass, and removed", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  carry_out(*cluster, rollout, create(rollout, "abc", 0));
  TimePoint deadline = *parse_time("2026-11-22T10:05:00Z");

  carry_out(*cluster, rollout, SetScaleDownDeadline{.name = "checkout-abc", .deadline = deadline});
  auto before = cluster->observe(rollout, deadline - 1ms);
  auto after = cluster->observe(rollout, deadline);
  REQUIRE(before);
  REQUIRE(after);
  CHECK(before->workload("abc")->scale_down_deadline == deadline);
  CHECK_FALSE(before->workload("abc")->deadline_passed);
  CHECK(after->workload("abc")->deadline_passed);

  carry_out(*cluster, rollout, SetScaleDownDeadline{.name = "checkout-abc", .deadline = std::nullopt});
  CHECK_FALSE(workload(*cluster, rollout, "abc").scale_down_deadline);
}

TEST_CASE("a ReplicaSet that fits is offered for adoption and keeps its pods", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  Backdoor().post(path(rollout.key.ns, "replicasets", ""), replica_set(rollout.key.ns, "abc", "app:v1", 1));
  REQUIRE(eventually([&] {
    const Workload there = workload(*cluster, rollout, "abc");
    return there.available == 1 && there.pods.size() == 1;
  }));
  CHECK_FALSE(workload(*cluster, rollout, "abc").owned);
  const std::vector<PodState> pods = workload(*cluster, rollout, "abc").pods;

  carry_out(*cluster, rollout, AdoptReplicaSet{.name = "checkout-abc"});

  CHECK(workload(*cluster, rollout, "abc").owned);
  CHECK(workload(*cluster, rollout, "abc").available == 1);
  CHECK(workload(*cluster, rollout, "abc").pods == pods);
}

TEST_CASE("a ReplicaSet that does not fit is not offered", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  Rollout other = rollout;
  other.selector = R"({"matchLabels":{"app":"checkout","tier":"gold"}})";
  Backdoor().post(path(rollout.key.ns, "replicasets", ""), replica_set(rollout.key.ns, "abc", "app:v1", 0));
  REQUIRE(eventually([&] { return workload(*cluster, rollout, "abc").name == "checkout-abc"; }));
  CHECK(workload(*cluster, other, "abc").name.empty());
}

TEST_CASE("a deleted ReplicaSet is gone at once, and deleting it again is fine", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  carry_out(*cluster, rollout, create(rollout, "abc", 0));
  std::string uid = workload(*cluster, rollout, "abc").uid;

  CHECK(refusal(*cluster, rollout, DeleteReplicaSet{.name = "checkout-abc", .uid = "another"}) == ErrorKind::Conflict);
  carry_out(*cluster, rollout, DeleteReplicaSet{.name = "checkout-abc", .uid = uid});

  CHECK(workload(*cluster, rollout, "abc").name.empty());
  CHECK(Backdoor().get(path(rollout.key.ns, "replicasets", "checkout-abc")).is_null());
  carry_out(*cluster, rollout, DeleteReplicaSet{.name = "checkout-abc", .uid = uid});
}

TEST_CASE("a ReplicaSet made anew under its old name is another one", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  carry_out(*cluster, rollout, create(rollout, "abc", 0));
  std::string uid = workload(*cluster, rollout, "abc").uid;
  carry_out(*cluster, rollout, DeleteReplicaSet{.name = "checkout-abc", .uid = uid});
  carry_out(*cluster, rollout, create(rollout, "abc", 0));
  CHECK(workload(*cluster, rollout, "abc").uid != uid);
  CHECK_FALSE(workload(*cluster, rollout, "abc").uid.empty());
}

TEST_CASE("a Service selects the revision it is told to, and nothing else of it changes", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  Json applied = *cluster->apply(service(rollout.key.ns, "checkout"), ApplyMode::Write);
  CHECK(cluster->observe(rollout, TimePoint{})->services.at("checkout").hash.empty());

  carry_out(*cluster, rollout, SelectRevision{.service = "checkout", .from = "", .hash = "abc"});
  CHECK(cluster->observe(rollout, TimePoint{})->services.at("checkout").hash == "abc");
  carry_out(*cluster, rollout, SelectRevision{.service = "checkout", .from = "abc", .hash = "def"});

  Json live = Backdoor().get(path(rollout.key.ns, "services", "checkout"));
  CHECK(live["spec"]["selector"] == json(R"({"app": "checkout", "rollouts-pod-template-hash": "def"})"));
  CHECK(live["spec"]["ports"] == applied["spec"]["ports"]);
  CHECK(text_at(live, {"metadata", "annotations", kManagedByAnnotation}) == "checkout");
}

TEST_CASE("selecting on an outdated plan is a conflict", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  CHECK(refusal(*cluster, rollout, SelectRevision{.service = "checkout", .from = "", .hash = "abc"}) ==
        ErrorKind::Conflict);
  REQUIRE(cluster->apply(service(rollout.key.ns, "checkout"), ApplyMode::Write));
  CHECK(refusal(*cluster, rollout, SelectRevision{.service = "checkout", .from = "old", .hash = "abc"}) ==
        ErrorKind::Conflict);
  // Behind our back: the caches of this one know nothing of it when the patch arrives, or just do.
  Backdoor().merge(path(rollout.key.ns, "services", "checkout"),
                   json(R"({"spec": {"selector": {"rollouts-pod-template-hash": "xyz"}}})"));
  CHECK(refusal(*cluster, rollout, SelectRevision{.service = "checkout", .from = "", .hash = "abc"}) ==
        ErrorKind::Conflict);
}

TEST_CASE("routes are rewritten, and nothing else of the VirtualService changes", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  need_virtual_services(*cluster);
  REQUIRE(cluster->apply(virtual_service(rollout.key.ns, 100, 0), ApplyMode::Write));
  const ObjectKey key{"networking.istio.io", "VirtualService", rollout.key.ns, "checkout"};
  Json before = cluster->observe(rollout, TimePoint{})->routes.at(key);
  Json after = before;
  after["spec"]["http"][0]["route"][0]["weight"] = 80;
  after["spec"]["http"][0]["route"][1]["weight"] = 20;
  RewriteRoutes rewrite{.object = key, .before = before, .after = after};

  carry_out(*cluster, rollout, rewrite);

  CHECK(cluster->observe(rollout, TimePoint{})->routes.at(key).at("spec") == after["spec"]);
  Json live = Backdoor().get(path(rollout.key.ns, "virtualservices", "checkout"));
  CHECK(live["spec"] == after["spec"]);
  CHECK(refusal(*cluster, rollout, rewrite) == ErrorKind::Conflict);
}

TEST_CASE("an object of a router's kind is seen, and one that the router makes is created and rewritten",
          "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  rollout.routing.routers = {NginxRouting{.ingresses = {"web"}}};
  cluster->follow({{.api_version = "networking.k8s.io/v1", .kind = "Ingress", .which = Follow::All}});
  Json ingress = json(R"({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web"},
    "spec": {"rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix",
      "backend": {"service": {"port": {"number": 80}}}}]}}]}})");
  ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]["name"] = rollout.stable_service;
  Backdoor().post("/apis/networking.k8s.io/v1/namespaces/" + rollout.key.ns + "/ingresses", ingress);
  const ObjectKey made{"networking.k8s.io", "Ingress", rollout.key.ns, "checkout-web-canary"};
  auto routes = [&] { return cluster->observe(rollout, TimePoint{})->routes; };
  auto wanted = [&](int weight) {
    return with_weights(
               rollout, routes(),
               {.stable = {rollout.stable_service, "abc"}, .canary = {rollout.canary_service, "def"}, .weight = weight})
        ->at(made);
  };
  REQUIRE(eventually([&] { return missing_route_object(rollout, routes()).empty(); }));

  const RewriteRoutes create{.object = made, .before = Json(), .after = wanted(20)};
  carry_out(*cluster, rollout, create);
  CHECK(text_at(routes().at(made), {"metadata", "labels", kOwnerLabel}) == "serin");
  CHECK(refusal(*cluster, rollout, create) == ErrorKind::Conflict);
  CHECK(wanted(20) == routes().at(made));

  carry_out(*cluster, rollout, RewriteRoutes{.object = made, .before = routes().at(made), .after = wanted(40)});
  CHECK(wanted(40) == routes().at(made));
}

TEST_CASE("why a pod is not ready is seen", "[contract]") {
  auto cluster = open_cluster();
  Rollout rollout = checkout(new_namespace(*cluster));
  Json object = replica_set(rollout.key.ns, "abc", "app:broken", 1);
  object["spec"]["template"]["metadata"]["annotations"]["fakekubelet/fail"] = "ImagePullBackOff";
  carry_out(*cluster, rollout, CreateReplicaSet{.name = "checkout-abc", .object = object});
  CHECK(eventually([&] { return workload(*cluster, rollout, "abc").pod_trouble == "image cannot be pulled"; }));
  CHECK(workload(*cluster, rollout, "abc").available == 0);
}
