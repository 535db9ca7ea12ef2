// What every Cluster does when something is removed, and how the inventory is kept.
#include "cluster/contract/world.h"
#include "rollout/action.h"
#include "rollout/removal.h"

#include "catch.h"

using namespace reconciler;

namespace {

Json put_object(Cluster& cluster, const Json& object) {
  auto result = cluster.apply(object, ApplyMode::Write);
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  return *result;
}

bool exists(Cluster& cluster, const Json& object) {
  auto result = cluster.read(object, ReadMode::Fresh);
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  return result->has_value();
}

void remove(Cluster& cluster, const Json& live) {
  auto removed = cluster.remove(live);
  INFO((removed ? "" : removed.error().message));
  REQUIRE(removed);
}

/// The chunk of that number, or nothing.
std::optional<InventoryChunk> chunk(InventoryStore& store, int number) {
  auto chunks = store.load();
  INFO((chunks ? "" : chunks.error().message));
  REQUIRE(chunks);
  for (const InventoryChunk& each : *chunks)
    if (each.number == number) return each;
  return std::nullopt;
}

}  // namespace

TEST_CASE("objects of every sort are removed one by one", "[contract]") {
  auto cluster = open_cluster();
  const std::string ns = new_namespace(*cluster);
  need_virtual_services(*cluster);
  for (const Json& object : {config_map(ns, "settings", "1"), service(ns, "checkout"), virtual_service(ns, 100, 0),
                             replica_set(ns, "abc", "v1", 1)}) {
    INFO(dump(object));
    const Json live = put_object(*cluster, object);
    remove(*cluster, live);
    CHECK(eventually([&] { return !exists(*cluster, object); }));
    remove(*cluster, live);  // what is gone is as it should be
  }
}

TEST_CASE("many objects are removed at once", "[contract]") {
  auto cluster = open_cluster();
  const std::string ns = new_namespace(*cluster);
  std::vector<Json> all;
  for (int i = 0; i < 40; ++i)
    all.push_back(put_object(*cluster, config_map(ns, "settings-" + std::to_string(i), "1")));
  for (const Json& live : all) remove(*cluster, live);
  for (const Json& live : all) CHECK_FALSE(exists(*cluster, live));
}

TEST_CASE("an object that was made anew is not removed", "[contract]") {
  auto cluster = open_cluster();
  const std::string ns = new_namespace(*cluster);
  for (const Json& object : {config_map(ns, "settings", "1"), service(ns, "checkout")}) {
    INFO(dump(object));
    const Json old = put_object(*cluster, object);
    remove(*cluster, old);
    const Json next = put_object(*cluster, object);
    CHECK(text_at(old, {"metadata", "uid"}) != text_at(next, {"metadata", "uid"}));
    auto removed = cluster->remove(old);
    REQUIRE_FALSE(removed);
    CHECK(removed.error().kind == ErrorKind::Conflict);
    CHECK(exists(*cluster, object));
  }
}

TEST_CASE("pods go with their ReplicaSet", "[contract]") {
  auto cluster = open_cluster();
  const std::string ns = new_namespace(*cluster);
  const Json live = put_object(*cluster, replica_set(ns, "abc", "v1", 2));
  auto pods = [&] { return Backdoor().get("/api/v1/namespaces/" + ns + "/pods")["items"].size(); };
  CHECK(eventually([&] { return pods() == 2; }));
  remove(*cluster, live);
  CHECK(eventually([&] { return pods() == 0; }));
}

TEST_CASE("a Service forgets its rollout, and only from the state that was seen", "[contract]") {
  auto cluster = open_cluster();
  const std::string ns = new_namespace(*cluster);
  const RolloutKey rollout = checkout(ns).key;
  put_object(*cluster, service(ns, "checkout"));
  REQUIRE(cluster->carry_out(rollout, SelectRevision{.service = "checkout", .from = "", .hash = "abc"}));

  auto late = cluster->carry_out(rollout, ReleaseService{.service = "checkout", .from = "other"});
  REQUIRE_FALSE(late);
  CHECK(late.error().kind == ErrorKind::Conflict);

  auto done = cluster->carry_out(rollout, ReleaseService{.service = "checkout", .from = "abc"});
  INFO((done ? "" : done.error().message));
  REQUIRE(done);
  const Json live = Backdoor().get(path(ns, "services", "checkout"));
  CHECK(find(live, {"spec", "selector", kHashLabel}) == nullptr);
  CHECK(find(live, {"metadata", "annotations", kManagedByAnnotation}) == nullptr);
  CHECK(text_at(live, {"spec", "selector", "app"}) == "checkout");
}

TEST_CASE("the inventory is read as it was stored, change by change", "[contract]") {
  auto cluster = open_cluster();
  InventoryStore& store = cluster->inventory();
  const int number = 9000;  // beside what others store here
  REQUIRE(store.save({.chunk = number, .entries = {{"a", "1"}, {"b", "2"}}}, "commit-1"));
  REQUIRE(store.save({.chunk = number, .entries = {{"b", std::nullopt}, {"c", "3"}}}, "commit-2"));
  REQUIRE(store.save({.chunk = number, .entries = {{"b", std::nullopt}, {"c", "3"}}}, "commit-2"));

  auto stored = chunk(open_cluster()->inventory(), number);
  REQUIRE(stored);
  CHECK(stored->commit == "commit-2");
  CHECK(stored->entries == std::map<std::string, std::string>{{"a", "1"}, {"c", "3"}});
  Backdoor().remove("/api/v1/namespaces/default/configmaps/serin-serin-9000");
  CHECK_FALSE(chunk(store, number));
}
