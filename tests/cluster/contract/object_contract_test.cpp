// What every Cluster does for all other objects, and how changes are told.
#include <algorithm>
#include <atomic>

#include "cluster/contract/world.h"
#include "objects/managers.h"
#include "rollout/action.h"

#include "catch.h"

using namespace reconciler;

namespace {

Json applied(Cluster& cluster, const Json& object, ApplyMode mode = ApplyMode::Write) {
  auto result = cluster.apply(object, mode);
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  return *result;
}

std::optional<Json> read(Cluster& cluster, const Json& manifest) {
  auto result = cluster.read(manifest, ReadMode::Known);
  INFO((result ? "" : result.error().message));
  REQUIRE(result);
  return *result;
}

/// Takes changes until one about that kind of object, its name beginning so, has been told. What is taken on the way is
/// kept in `told`.
bool is_told(Cluster& cluster, std::vector<ClusterChange>& told, const std::string& kind, const std::string& name,
             const std::optional<RolloutKey>& rollout) {
  return eventually([&] {
    for (ClusterChange& change : cluster.take_changes()) told.push_back(std::move(change));
    return std::any_of(told.begin(), told.end(), [&](const ClusterChange& change) {
      return change.key.kind == kind && change.key.name.starts_with(name) && change.rollout == rollout;
    });
  });
}

/// What was told last about an object of that name.
std::optional<Glimpse> seen_in(const std::vector<ClusterChange>& told, const std::string& ns, const std::string& name) {
  std::optional<Glimpse> seen;
  for (const ClusterChange& change : told)
    if (change.key.ns == ns && change.key.name == name) seen = change.seen;
  return seen;
}

}  // namespace

TEST_CASE("an applied object is there, with our mark", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  Json settings = config_map(ns, "settings", "1");
  CHECK_FALSE(read(*cluster, settings));

  Json after = applied(*cluster, settings);

  CHECK(text_at(after, {"data", "key"}) == "1");
  CHECK(text_at(after, {"metadata", "labels", kOwnerLabel}) == "serin");
  CHECK(find(after, {"metadata", "managedFields"}) == nullptr);
  CHECK(read(*cluster, settings) == after);
}

TEST_CASE("applying the same again writes nothing", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  need_virtual_services(*cluster);
  for (const Json& object : {config_map(ns, "settings", "1"), service(ns, "checkout"), virtual_service(ns, 100, 0)}) {
    std::string version = text_at(applied(*cluster, object), {"metadata", "resourceVersion"});
    CHECK_FALSE(version.empty());
    CHECK(text_at(applied(*cluster, object), {"metadata", "resourceVersion"}) == version);
  }
}

TEST_CASE("a dry run shows what would be and writes nothing", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  CHECK(text_at(applied(*cluster, config_map(ns, "settings", "1"), ApplyMode::DryRun), {"data", "key"}) == "1");
  CHECK_FALSE(read(*cluster, config_map(ns, "settings", "")));

  applied(*cluster, config_map(ns, "settings", "1"));
  CHECK(text_at(applied(*cluster, config_map(ns, "settings", "2"), ApplyMode::DryRun), {"data", "key"}) == "2");
  CHECK(text_at(*read(*cluster, config_map(ns, "settings", "")), {"data", "key"}) == "1");
}

TEST_CASE("a member that left the manifest leaves the object, those of others stay", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  Json settings = config_map(ns, "settings", "1");
  settings["data"]["more"] = "x";
  applied(*cluster, settings);
  Backdoor().merge(path(ns, "configmaps", "settings"), json(R"({"data": {"theirs": "y"}})"));

  Json after = applied(*cluster, config_map(ns, "settings", "1"));

  CHECK(after["data"] == json(R"({"key": "1", "theirs": "y"})"));
}

TEST_CASE("what somebody else changed in our members is taken back", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  applied(*cluster, config_map(ns, "settings", "1"));
  Backdoor().merge(path(ns, "configmaps", "settings"), json(R"({"data": {"key": "theirs"}})"));
  CHECK(text_at(applied(*cluster, config_map(ns, "settings", "1")), {"data", "key"}) == "1");
}

TEST_CASE("an object that can never be is invalid", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  Json unknown_member = config_map(ns, "settings", "1");
  unknown_member["dta"] = Json{{"key", "1"}};
  Json bad_type = service(ns, "checkout");
  bad_type["spec"]["ports"] = "80";
  Json bad_name = config_map(ns, "Not_A_Name", "1");
  for (const Json& object : {unknown_member, bad_type, bad_name}) {
    auto result = cluster->apply(object, ApplyMode::Write);
    INFO(dump(object));
    REQUIRE_FALSE(result);
    INFO(result.error().message);
    CHECK(result.error().kind == ErrorKind::Invalid);
  }
}

TEST_CASE("a kind or namespace that may come yet is waited for", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  Json unknown = json(R"({"apiVersion": "serin.test/v1", "kind": "Unheard", "metadata": {"name": "x"}})");
  unknown["metadata"]["namespace"] = ns;
  CHECK(cluster->apply(unknown, ApplyMode::Write).error().kind == ErrorKind::Transient);
  CHECK_FALSE(read(*cluster, unknown));
  CHECK(cluster->apply(config_map("not-there-yet", "x", "1"), ApplyMode::Write).error().kind == ErrorKind::Transient);
}

TEST_CASE("a namespace is ensured once and again", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  CHECK(cluster->ensure_namespace(ns));
  CHECK(Backdoor().get("/api/v1/namespaces/" + ns)["metadata"]["name"] == ns);
}

TEST_CASE("an object of a kind without namespaces is applied whatever its manifest says", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  Json object = json(R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"namespace": "default"}})");
  object["metadata"]["name"] = ns;
  object["metadata"]["labels"] = {{"team", "shop"}};
  CHECK(text_at(applied(*cluster, object), {"metadata", "labels", "team"}) == "shop");
}

TEST_CASE("a followed kind is told with what it holds and how it is", "[contract]") {
  auto cluster = open_cluster();
  std::vector<ClusterChange> told;
  std::string ns = new_namespace(*cluster);
  Backdoor door;
  applied(*cluster, config_map(ns, "before", "1"));
  cluster->follow({{.api_version = "v1", .kind = "ConfigMap"}});
  REQUIRE(eventually([&] { return bool(cluster->ready()); }));
  applied(*cluster, config_map(ns, "settings", "1"));
  for (const char* name : {"before", "settings"}) CHECK(is_told(*cluster, told, "ConfigMap", name, std::nullopt));
  const Glimpse before = seen_in(told, ns, "settings").value();
  CHECK(before.health == Health{});

  door.merge(path(ns, "configmaps", "settings"), json(R"({"data": {"key": "theirs"}})"));

  CHECK(eventually([&] {
    for (ClusterChange& change : cluster->take_changes()) told.push_back(std::move(change));
    return seen_in(told, ns, "settings").value_or(before).content != before.content;
  }));
  CHECK(text_at(*read(*cluster, config_map(ns, "settings", "")), {"data", "key"}) == "theirs");
  door.remove(path(ns, "configmaps", "settings"));
  CHECK(eventually([&] {
    for (ClusterChange& change : cluster->take_changes()) told.push_back(std::move(change));
    return !seen_in(told, ns, "settings");
  }));
}

TEST_CASE("what has not our label is not followed, but read", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  cluster->follow({{.api_version = "v1", .kind = "ConfigMap"}});
  REQUIRE(eventually([&] { return bool(cluster->ready()); }));
  Backdoor().post(path(ns, "configmaps", ""), config_map(ns, "theirs", "1"));
  CHECK(text_at(*read(*cluster, config_map(ns, "theirs", "")), {"data", "key"}) == "1");
  applied(*cluster, config_map(ns, "last", "1"));
  std::vector<ClusterChange> told;
  CHECK(is_told(*cluster, told, "ConfigMap", "last", std::nullopt));
  CHECK_FALSE(seen_in(told, ns, "theirs"));
}

TEST_CASE("all objects of a kind are followed when asked for", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  std::vector<ClusterChange> told;
  cluster->follow({{.api_version = "v1", .kind = "ConfigMap", .which = Follow::All}});
  REQUIRE(eventually([&] { return bool(cluster->ready()); }));
  Backdoor().post(path(ns, "configmaps", ""), config_map(ns, "theirs", "1"));
  CHECK(eventually([&] {
    for (ClusterChange& change : cluster->take_changes()) told.push_back(std::move(change));
    return bool(seen_in(told, ns, "theirs"));
  }));
}

TEST_CASE("who wrote what is read fresh, not from the cache", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  cluster->follow({{.api_version = "v1", .kind = "ConfigMap"}});
  applied(*cluster, config_map(ns, "settings", "1"));
  Backdoor().merge(path(ns, "configmaps", "settings") + "?fieldManager=kubectl-edit",
                   json(R"({"data": {"key": "theirs"}})"));
  auto fresh = cluster->read(config_map(ns, "settings", ""), ReadMode::Fresh);
  REQUIRE(fresh);
  REQUIRE(*fresh);
  CHECK(is_applied_by(**fresh, kFieldManager));
  CHECK(meddler(**fresh, config_map(ns, "settings", "1"), kFieldManager)->manager == "kubectl-edit");
  CHECK_FALSE(*cluster->read(config_map(ns, "nothing", ""), ReadMode::Fresh));
}

TEST_CASE("ownership is taken over by a patch, and fields that left go with the next apply", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  Json theirs = config_map(ns, "settings", "1");
  theirs["data"]["old"] = "x";
  Backdoor().post(path(ns, "configmaps", "") + "?fieldManager=kubectl-create", theirs);
  Json live = **cluster->read(theirs, ReadMode::Fresh);
  const Json patch = takeover_patch(live, kFieldManager).value();

  REQUIRE(cluster->patch(theirs, patch));
  CHECK(applied(*cluster, config_map(ns, "settings", "1"))["data"] == json(R"({"key": "1"})"));

  // It tested the version it was made for.
  CHECK(cluster->patch(theirs, patch).error().kind == ErrorKind::Conflict);
}

TEST_CASE("a kind is found when its definition comes", "[contract]") {
  auto cluster = open_cluster();
  std::string ns = new_namespace(*cluster);
  std::vector<ClusterChange> told;
  const std::string group = "g" + ns + ".serin.test";
  cluster->follow({{.api_version = group + "/v1", .kind = "Widget"}});
  REQUIRE(eventually([&] { return bool(cluster->ready()); }));
  Backdoor().post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition(group, "Widget"));
  Json widget{{"apiVersion", group + "/v1"}, {"kind", "Widget"}, {"metadata", {{"name", "one"}, {"namespace", ns}}}};
  REQUIRE(eventually([&] { return bool(cluster->apply(widget, ApplyMode::Write)); }));
  CHECK(is_told(*cluster, told, "Widget", "one", std::nullopt));
  CHECK(is_told(*cluster, told, "CustomResourceDefinition", "widgets." + group, std::nullopt));
  Backdoor().merge("/apis/" + group + "/v1/namespaces/" + ns + "/widgets/one", json(R"({"spec": {"size": 2}})"));
  CHECK(eventually([&] { return integer_at(*read(*cluster, widget), {"spec", "size"}) == 2; }));
}

TEST_CASE("what others do to a rollout's objects is told, with the rollout", "[contract]") {
  auto cluster = open_cluster();
  std::vector<ClusterChange> told;
  std::string ns = new_namespace(*cluster);
  std::atomic<int> woken = 0;
  cluster->on_change([&] { ++woken; });
  cluster->take_changes();  // of what lay there already; only the first change after that wakes
  Rollout rollout = checkout(ns);
  Backdoor door;
  Json object = replica_set(ns, "abc", "app:v1", 1);
  object["metadata"]["labels"]["serin.dev/rollout"] = "checkout";
  object["metadata"]["labels"]["serin.dev/owner"] = "serin";

  door.post(path(ns, "replicasets", ""), object);
  CHECK(is_told(*cluster, told, "ReplicaSet", "checkout-abc", rollout.key));
  CHECK(is_told(*cluster, told, "Pod", "checkout-abc-", rollout.key));
  CHECK(woken > 0);

  door.post(path(ns, "services", ""), service(ns, "checkout"));
  CHECK(is_told(*cluster, told, "Service", "checkout", std::nullopt));
}

TEST_CASE("a deletion by others is seen and told", "[contract]") {
  auto cluster = open_cluster();
  std::vector<ClusterChange> told;
  std::string ns = new_namespace(*cluster);
  Rollout rollout = checkout(ns);
  REQUIRE(cluster->carry_out(rollout.key,
                             CreateReplicaSet{.name = "checkout-abc", .object = replica_set(ns, "abc", "app:v1", 0)}));
  applied(*cluster, service(ns, "checkout"));
  cluster->take_changes();
  Backdoor door;

  door.remove(path(ns, "replicasets", "checkout-abc"));
  door.remove(path(ns, "services", "checkout"));

  CHECK(is_told(*cluster, told, "ReplicaSet", "checkout-abc", rollout.key));
  CHECK(eventually([&] { return cluster->observe(rollout, TimePoint{})->services.empty(); }));
  CHECK(workload(*cluster, rollout, "abc").name.empty());
}

TEST_CASE("our own writes are told once", "[contract]") {
  auto cluster = open_cluster();
  std::vector<ClusterChange> told;
  std::string ns = new_namespace(*cluster);
  applied(*cluster, service(ns, "checkout"));
  CHECK(is_told(*cluster, told, "Service", "checkout", std::nullopt));
  applied(*cluster, service(ns, "checkout"));
  auto is_about_it = [&](const ClusterChange& change) { return change.key.ns == ns && change.key.kind == "Service"; };
  auto changes = cluster->take_changes();
  CHECK(std::none_of(changes.begin(), changes.end(), is_about_it));
}

TEST_CASE("a second cluster of another owner does not take our ReplicaSets for its own", "[contract]") {
  auto cluster = open_cluster();
  std::vector<ClusterChange> told;
  std::string ns = new_namespace(*cluster);
  Rollout rollout = checkout(ns);
  Json object = replica_set(ns, "abc", "app:v1", 0);
  object["metadata"]["labels"]["serin.dev/rollout"] = "checkout";
  object["metadata"]["labels"]["serin.dev/owner"] = "somebody-else";
  Backdoor().post(path(ns, "replicasets", ""), object);
  CHECK(is_told(*cluster, told, "ReplicaSet", "checkout-abc", rollout.key));
  CHECK(workload(*cluster, rollout, "abc").name.empty());
}
