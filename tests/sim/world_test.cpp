#include "objects.h"
#include "sim/request_traffic.h"

#include "catch.h"

using namespace reconciler;

namespace {

const TimePoint kStart = *parse_time("2026-11-20T09:00:00Z");

WorldOptions options(Duration ready_after = 200ms) {
  return {.ready_after = ready_after, .now = kStart, .requests_per_second = 100};
}

int64_t ready(World& world, const std::string& name) {
  auto set = world.get(at(world, "apps/v1", "ReplicaSet", "default", name));
  return set ? integer_at(**set, {"status", "readyReplicas"}).value_or(0) : -1;
}

size_t pods(World& world) { return world.list(at(world, "v1", "Pod", "default")).size(); }

}  // namespace

TEST_CASE("an object is created once, with what the server adds", "[world]") {
  World world(options());
  auto target = at(world, "v1", "ConfigMap", "default");
  auto made = world.create(target, config_map("a", {{"k", "v"}}));
  REQUIRE(made);
  CHECK(text_at(**made, {"metadata", "creationTimestamp"}) == "2026-11-20T09:00:00Z");
  CHECK(text_at(**made, {"metadata", "uid"}).size() == 36);
  auto again = world.create(target, config_map("a", {}));
  CHECK(again.error().code == 409);
  CHECK(again.error().message == "configmaps \"a\" already exists");
  auto elsewhere = world.create(at(world, "v1", "ConfigMap", "nowhere"), config_map("a", {}));
  CHECK(elsewhere.error().code == 404);
  CHECK(elsewhere.error().message == "namespaces \"nowhere\" not found");
  auto wrong = world.create(target, config_map("A_b", {}));
  CHECK(wrong.error().code == 422);
  CHECK_THAT(wrong.error().message, ContainsSubstring("ConfigMap \"A_b\" is invalid: metadata.name: Invalid value"));
}

TEST_CASE("an update of an older version is a conflict, and one that changes nothing writes nothing", "[world]") {
  World world(options());
  auto target = at(world, "v1", "ConfigMap", "default", "a");
  Json first = **world.create(target, config_map("a", {{"k", "1"}}));
  Json second = first;
  second["data"]["k"] = "2";
  auto updated = world.update(target, second);
  REQUIRE(updated);
  CHECK(text_at(**updated, {"metadata", "resourceVersion"}) != text_at(first, {"metadata", "resourceVersion"}));
  auto stale = world.update(target, second);
  CHECK(stale.error().code == 409);
  CHECK(stale.error().reason == "Conflict");
  uint64_t version = world.store().version();
  REQUIRE(world.update(target, Json(**updated)));
  CHECK(world.store().version() == version);
}

TEST_CASE("generation follows the spec and not the status", "[world]") {
  World world(options());
  auto target = at(world, "networking.istio.io/v1", "VirtualService", "default", "web");
  REQUIRE(world.create(target, virtual_service("web", "stable", "canary", 0)));
  Json patch = Json::parse(R"([{"op": "replace", "path": "/spec/http/0/route/1/weight", "value": 20}])");
  auto patched = world.patch(target, PatchKind::Json, patch);
  REQUIRE(patched);
  CHECK(integer_at(*patched->object, {"metadata", "generation"}) == 2);
  auto labelled = world.patch(target, PatchKind::Merge, {{"metadata", {{"labels", {{"a", "b"}}}}}});
  CHECK(integer_at(*labelled->object, {"metadata", "generation"}) == 2);
  Json test = Json::parse(R"([{"op": "test", "path": "/spec/http/0/route/1/weight", "value": 5}])");
  CHECK(world.patch(target, PatchKind::Json, test).error().code == 422);
}

TEST_CASE("a dry run answers like a write and leaves no trace", "[world]") {
  World world(options());
  uint64_t version = world.store().version();
  auto target = at(world, "v1", "ConfigMap", "default", "a");
  REQUIRE(world.create(target, config_map("a", {}), {.dry_run = true}));
  REQUIRE(world.patch(target, PatchKind::Apply, config_map("a", {}), {.dry_run = true}));
  CHECK(world.get(target).error().code == 404);
  CHECK(world.store().version() == version);
}

TEST_CASE("a ReplicaSet gets its pods, ready after their time", "[controllers]") {
  World world(options(200ms));
  auto target = at(world, "apps/v1", "ReplicaSet", "default", "web");
  REQUIRE(world.create(target, replica_set("web", 3, {{"app", "web"}}, "web:v1")));
  world.advance_to(kStart);
  CHECK(pods(world) == 3);
  CHECK(ready(world, "web") == 0);
  REQUIRE(world.next_due());
  CHECK(*world.next_due() == kStart + 200ms);
  world.advance_to(kStart + 199ms);
  CHECK(ready(world, "web") == 0);
  world.advance_to(kStart + 200ms);
  CHECK(ready(world, "web") == 3);
  CHECK_FALSE(world.next_due());

  REQUIRE(world.patch(target, PatchKind::Merge, {{"spec", {{"replicas", 1}}}}));
  world.advance_to(kStart + 1s);
  CHECK(pods(world) == 1);
  CHECK(ready(world, "web") == 1);
  REQUIRE(world.remove(target));
  world.advance_to(kStart + 1s);
  CHECK(pods(world) == 0);
}

TEST_CASE("an image whose tag says broken never becomes ready, and its pods go first", "[controllers]") {
  World world(options(0ms));
  auto target = at(world, "apps/v1", "ReplicaSet", "default", "web");
  REQUIRE(world.create(target, replica_set("web", 2, {{"app", "web"}}, "web:v1")));
  world.advance_to(kStart);
  Json other = replica_set("bad", 1, {{"app", "bad"}}, "web:v2-broken");
  REQUIRE(world.create(at(world, "apps/v1", "ReplicaSet", "default"), other));
  world.advance_to(kStart + 1h);
  CHECK(ready(world, "web") == 2);
  CHECK(ready(world, "bad") == 0);
  auto list = world.list(at(world, "v1", "Pod", "default"), *parse_label_selector("app=bad"));
  REQUIRE(list.size() == 1);
  CHECK((*list[0])["status"]["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff");
}

TEST_CASE("a pod that is deleted is replaced", "[controllers]") {
  World world(options(0ms));
  REQUIRE(
      world.create(at(world, "apps/v1", "ReplicaSet", "default"), replica_set("web", 2, {{"app", "web"}}, "web:v1")));
  world.advance_to(kStart);
  std::string victim = text_at(*world.list(at(world, "v1", "Pod", "default"))[0], {"metadata", "name"});
  REQUIRE(world.remove(at(world, "v1", "Pod", "default", victim)));
  world.advance_to(kStart + 1s);
  CHECK(pods(world) == 2);
  CHECK(ready(world, "web") == 2);
  CHECK(world.get(at(world, "v1", "Pod", "default", victim)).error().code == 404);
}

TEST_CASE("a Deployment rolls to a new template and never below its minimum", "[controllers]") {
  World world(options(1s));
  auto target = at(world, "apps/v1", "Deployment", "default", "web");
  REQUIRE(world.create(target, deployment("web", 4, "web:v1")));
  world.advance_to(kStart + 10s);
  CHECK(integer_at(**world.get(target), {"status", "availableReplicas"}) == 4);
  REQUIRE(
      world.patch(target, PatchKind::Strategic,
                  {{"spec", {{"template", {{"spec", {{"containers", {{{"name", "app"}, {"image", "web:v2"}}}}}}}}}}}));
  for (int i = 0; i < 100; ++i) {
    world.advance_to(kStart + 10s + i * 100ms);
    CHECK(integer_at(**world.get(target), {"status", "availableReplicas"}).value_or(0) >= 3);
    CHECK(pods(world) <= 5);
  }
  CHECK(integer_at(**world.get(target), {"status", "updatedReplicas"}) == 4);
  CHECK(pods(world) == 4);
  for (const Object& pod : world.list(at(world, "v1", "Pod", "default")))
    CHECK((*pod)["spec"]["containers"][0]["image"] == "web:v2");
}

TEST_CASE("a Deployment whose pods never become ready exceeds its deadline", "[controllers]") {
  World world(options());
  auto target = at(world, "apps/v1", "Deployment", "default", "web");
  Json object = deployment("web", 1, "web:v1-broken");
  object["spec"]["progressDeadlineSeconds"] = 5;
  REQUIRE(world.create(target, object));
  auto reason = [&] {
    for (const Json& condition : (**world.get(target))["status"]["conditions"])
      if (text_at(condition, {"type"}) == "Progressing") return text_at(condition, {"reason"});
    return std::string();
  };
  world.advance_to(kStart + 4s);
  CHECK(reason() == "ReplicaSetUpdated");
  world.advance_to(kStart + 10s);
  CHECK(reason() == "ProgressDeadlineExceeded");
  REQUIRE(
      world.patch(target, PatchKind::Strategic,
                  {{"spec", {{"template", {{"spec", {{"containers", {{{"name", "app"}, {"image", "web:v2"}}}}}}}}}}}));
  world.advance_to(kStart + 20s);
  CHECK(reason() == "NewReplicaSetAvailable");
}

TEST_CASE("what names an owner that does not exist is deleted", "[controllers]") {
  World world(options());
  Json orphan = config_map("a", {});
  orphan["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", "v1"},
                                                        {"kind", "ConfigMap"},
                                                        {"name", "gone"},
                                                        {"uid", "00000000-0000-0000-0000-000000000000"}}});
  auto target = at(world, "v1", "ConfigMap", "default", "a");
  REQUIRE(world.create(target, orphan));
  world.advance_to(kStart);
  CHECK(world.get(target).error().code == 404);
}

TEST_CASE("deletion propagates as it was asked for", "[controllers]") {
  for (Propagation propagation : {Propagation::Background, Propagation::Foreground, Propagation::Orphan}) {
    World world(options(0ms));
    auto target = at(world, "apps/v1", "Deployment", "default", "web");
    REQUIRE(world.create(target, deployment("web", 2, "web:v1")));
    world.advance_to(kStart);
    auto removed = world.remove(target, {.propagation = propagation});
    CHECK(removed->gone == (propagation != Propagation::Foreground));
    world.advance_to(kStart + 1s);
    CHECK(world.get(target).error().code == 404);
    CHECK(pods(world) == (propagation == Propagation::Orphan ? 2 : 0));
  }
}

TEST_CASE("a namespace takes its content with it", "[world]") {
  World world(options());
  auto target = at(world, "v1", "Namespace", "", "shop");
  REQUIRE(world.create(target, {{"metadata", {{"name", "shop"}}}}));
  REQUIRE(world.create(at(world, "v1", "ConfigMap", "shop"), config_map("a", {})));
  REQUIRE(world.remove(target));
  CHECK(world.create(at(world, "v1", "ConfigMap", "shop"), config_map("b", {})).error().code == 403);
  world.advance_to(kStart);
  CHECK(world.get(target).error().code == 404);
  CHECK(world.list(at(world, "v1", "ConfigMap")).empty());
}

TEST_CASE("a finalizer holds a deleted object until it is removed", "[world]") {
  World world(options());
  Json held = config_map("a", {});
  held["metadata"]["finalizers"] = {"example.com/hold"};
  auto target = at(world, "v1", "ConfigMap", "default", "a");
  REQUIRE(world.create(target, held));
  CHECK_FALSE(world.remove(target)->gone);
  CHECK(find(**world.get(target), {"metadata", "deletionTimestamp"}));
  REQUIRE(world.patch(target, PatchKind::Merge, {{"metadata", {{"finalizers", nullptr}}}}));
  CHECK(world.get(target).error().code == 404);
}

TEST_CASE("a definition makes its kind servable", "[world]") {
  World world(options());
  Json definition = Json::parse(R"({"metadata": {"name": "widgets.example.com"}, "spec": {"group": "example.com",
    "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
    "versions": [{"name": "v1", "served": true, "storage": true, "schema": {}}]}})");
  auto definitions = at(world, "apiextensions.k8s.io/v1", "CustomResourceDefinition", "", "widgets.example.com");
  CHECK_FALSE(world.catalogue().by_kind("example.com/v1", "Widget"));
  REQUIRE(world.create(definitions, definition));
  REQUIRE(world.create(at(world, "example.com/v1", "Widget", "default"), {{"metadata", {{"name", "w"}}}, {"spec", 1}}));
  REQUIRE(world.remove(definitions));
  CHECK_FALSE(world.catalogue().by_kind("example.com/v1", "Widget"));
}

TEST_CASE("history tells what happened after a version, until it is forgotten", "[world]") {
  World world(options());
  const ResourceType& maps = *world.catalogue().by_kind("v1", "ConfigMap");
  uint64_t before = world.store().version();
  REQUIRE(world.create(at(world, "v1", "ConfigMap", "default"), config_map("a", {})));
  REQUIRE(world.remove(at(world, "v1", "ConfigMap", "default", "a")));
  auto events = world.store().events_after(maps, before);
  REQUIRE(events->size() == 2);
  CHECK((*events)[0].kind == StoreEvent::Kind::Added);
  CHECK((*events)[1].kind == StoreEvent::Kind::Deleted);
  CHECK((*events)[1].version == world.store().version());
  world.compact();
  CHECK(world.store().events_after(maps, before).error().code == 410);
  CHECK(world.store().events_after(maps, world.store().version()));
}

TEST_CASE("two worlds with the same calls are the same", "[world]") {
  auto run = [] {
    World world(options(300ms));
    REQUIRE(world.create(at(world, "apps/v1", "Deployment", "default"), deployment("web", 5, "web:v1")));
    world.advance_to(kStart + 5s);
    Json all = Json::array();
    for (const ResourceType* type : world.catalogue().all())
      for (const Object& object : world.store().list(*type, "")) all.push_back(*object);
    return all;
  };
  CHECK(run() == run());
}

TEST_CASE("traffic follows the weights, the pods and their error shares", "[traffic]") {
  World world(options(0ms));
  for (auto [name, image] : {std::pair("stable", "web:v1"), std::pair("canary", "web:v2-errors-50")}) {
    Json labels = {{"app", "web"}, {"version", name}};
    REQUIRE(world.create(at(world, "apps/v1", "ReplicaSet", "default"), replica_set(name, 2, labels, image)));
    REQUIRE(world.create(at(world, "v1", "Service", "default"), service(name, labels)));
  }
  auto route = at(world, "networking.istio.io/v1", "VirtualService", "default", "web");
  REQUIRE(world.create(route, virtual_service("web", "stable", "canary", 20)));
  world.advance_to(kStart);
  world.advance_to(kStart + 10s);
  auto counted = [&](const std::string& name, const std::string& code, TimePoint time) {
    double sum = 0;
    for (const auto& [labels, counter] : world.traffic().requests())
      if (labels.at("destination_service_name") == name && labels.at("response_code") == code)
        sum += counter.at(time).value_or(0);
    return sum;
  };
  CHECK(counted("stable", "200", kStart + 10s) == 800);
  CHECK(counted("canary", "200", kStart + 10s) == 100);
  CHECK(counted("canary", "500", kStart + 10s) == 100);

  Json patch = Json::parse(R"([{"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 100},
                               {"op": "replace", "path": "/spec/http/0/route/1/weight", "value": 0}])");
  REQUIRE(world.patch(route, PatchKind::Json, patch));
  REQUIRE(world.remove(at(world, "apps/v1", "ReplicaSet", "default", "stable")));
  world.advance_to(kStart + 10s);
  world.advance_to(kStart + 20s);
  CHECK(counted("stable", "503", kStart + 20s) == 1000);
  CHECK(counted("canary", "200", kStart + 20s) == 100);
  CHECK(counted("stable", "200", kStart + 5s) == 400);
}

TEST_CASE("thousands of ReplicaSets with their pods and routes fit in one namespace", "[world]") {
  World world({.ready_after = 0ms, .now = kStart});
  auto target = at(world, "apps/v1", "ReplicaSet", "default");
  for (int i = 0; i < 2000; ++i) {
    std::string name = "web-" + std::to_string(i);
    REQUIRE(world.create(target, replica_set(name, 1, {{"app", name}}, "web:v1")));
    world.advance_to(kStart);
  }
  CHECK(pods(world) == 2000);
}
