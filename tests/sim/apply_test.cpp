#include "objects.h"

#include "catch.h"

using namespace reconciler;

namespace {

WorldOptions options() { return {.now = *parse_time("2026-11-20T09:00:00Z")}; }

Answer<Written> apply(World& world, const Json& object, const std::string& manager, bool force = false) {
  auto target = at(world, text_at(object, {"apiVersion"}), text_at(object, {"kind"}), "default",
                   text_at(object, {"metadata", "name"}));
  return world.patch(target, PatchKind::Apply, object, {.manager = manager, .force = force});
}

std::vector<std::string> managers(const Json& object) {
  std::vector<std::string> names;
  for (const Json& entry : object["metadata"]["managedFields"])
    names.push_back(text_at(entry, {"manager"}) + "/" + text_at(entry, {"operation"}));
  return names;
}

}  // namespace

TEST_CASE("applying creates, then changes what it names and removes what it no longer names", "[apply]") {
  World world(options());
  auto first = apply(world, config_map("a", {{"x", "1"}, {"y", "2"}}), "serin");
  REQUIRE(first);
  CHECK(first->created);
  auto second = apply(world, config_map("a", {{"x", "3"}}), "serin");
  CHECK((*second->object)["data"] == Json{{"x", "3"}});
  CHECK(managers(*second->object) == std::vector<std::string>{"serin/Apply"});
  uint64_t version = world.store().version();
  REQUIRE(apply(world, config_map("a", {{"x", "3"}}), "serin"));
  CHECK(world.store().version() == version);
}

TEST_CASE("a field of another manager is a conflict that names it, until forced", "[apply]") {
  World world(options());
  REQUIRE(apply(world, config_map("a", {{"x", "1"}}), "alice"));
  auto refused = apply(world, config_map("a", {{"x", "2"}}), "bob");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == 409);
  CHECK(refused.error().message == "Apply failed with 1 conflict: conflict with \"alice\": .data.x");
  auto forced = apply(world, config_map("a", {{"x", "2"}}), "bob", true);
  CHECK((*forced->object)["data"]["x"] == "2");
  CHECK(managers(*forced->object) == std::vector<std::string>{"bob/Apply"});
}

TEST_CASE("two managers may own one field with one value; it goes with the last of them", "[apply]") {
  World world(options());
  REQUIRE(apply(world, config_map("a", {{"x", "1"}}), "alice"));
  REQUIRE(apply(world, config_map("a", {{"x", "1"}, {"y", "1"}}), "bob"));
  auto left = apply(world, config_map("a", {{"z", "1"}}), "alice");
  CHECK((*left->object)["data"] == Json{{"x", "1"}, {"y", "1"}, {"z", "1"}});
  auto gone = apply(world, config_map("a", {{"y", "1"}}), "bob");
  CHECK((*gone->object)["data"] == Json{{"y", "1"}, {"z", "1"}});
}

TEST_CASE("containers merge by name and ports by port and protocol", "[apply]") {
  World world(options());
  Json mine = deployment("web", 1, "web:v1");
  mine["spec"]["template"]["spec"]["containers"][0]["ports"] = {{{"containerPort", 80}}};
  REQUIRE(apply(world, mine, "alice"));
  Json theirs = deployment("web", 1, "web:v1");
  theirs["spec"]["template"]["spec"]["containers"] = Json::array(
      {{{"name", "app"}, {"ports", {{{"containerPort", 9090}}}}}, {{"name", "proxy"}, {"image", "proxy:1"}}});
  auto applied = apply(world, theirs, "bob");
  REQUIRE(applied);
  const Json& containers = (*applied->object)["spec"]["template"]["spec"]["containers"];
  REQUIRE(containers.size() == 2);
  CHECK(containers[0]["image"] == "web:v1");
  CHECK(containers[0]["ports"].size() == 2);
  CHECK(containers[1]["name"] == "proxy");
  theirs["spec"]["template"]["spec"]["containers"] = Json::array({{{"name", "app"}}});
  auto without = apply(world, theirs, "bob");
  const Json& left = (*without->object)["spec"]["template"]["spec"]["containers"];
  REQUIRE(left.size() == 1);
  CHECK(left[0]["ports"].size() == 1);
}

TEST_CASE("a Service's selector and a custom kind's list are one value", "[apply]") {
  World world(options());
  REQUIRE(apply(world, service("web", {{"app", "web"}, {"hash", "1"}}), "alice"));
  auto conflict = apply(world, service("web", {{"app", "web"}}), "bob");
  REQUIRE_FALSE(conflict);
  CHECK(conflict.error().message == "Apply failed with 1 conflict: conflict with \"alice\": .spec.selector");
  auto forced = apply(world, service("web", {{"app", "web"}}), "bob", true);
  CHECK((*forced->object)["spec"]["selector"] == Json{{"app", "web"}});

  REQUIRE(apply(world, virtual_service("web", "stable", "canary", 0), "alice"));
  auto route = apply(world, virtual_service("web", "stable", "canary", 50), "bob");
  REQUIRE_FALSE(route);
  CHECK(route.error().message == "Apply failed with 1 conflict: conflict with \"alice\": .spec.http");
}

TEST_CASE("an update takes the fields it changes", "[apply]") {
  World world(options());
  auto applied = apply(world, config_map("a", {{"x", "1"}, {"y", "1"}}), "alice");
  auto target = at(world, "v1", "ConfigMap", "default", "a");
  REQUIRE(world.patch(target, PatchKind::Merge, {{"data", {{"x", "2"}}}}, {.manager = "kubectl-edit"}));
  auto refused = apply(world, config_map("a", {{"x", "1"}, {"y", "1"}}), "alice");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using v1: .data.x");
}

TEST_CASE("strategic patches merge lists by key and honour directives", "[patch]") {
  World world(options());
  auto target = at(world, "apps/v1", "Deployment", "default", "web");
  REQUIRE(world.create(target, deployment("web", 1, "web:v1")));
  auto patch = [&](const char* containers) {
    Json change = {{"spec", {{"template", {{"spec", {{"containers", Json::parse(containers)}}}}}}}};
    auto written = world.patch(target, PatchKind::Strategic, change);
    REQUIRE(written);
    return (*written->object)["spec"]["template"]["spec"]["containers"];
  };
  Json added = patch(R"([{"name": "proxy", "image": "proxy:1"}])");
  REQUIRE(added.size() == 2);
  CHECK(added[0]["image"] == "web:v1");
  Json removed = patch(R"([{"name": "proxy", "$patch": "delete"}])");
  REQUIRE(removed.size() == 1);
  CHECK(removed[0]["name"] == "app");
  Json custom = {{"spec", {{"http", nullptr}}}};
  auto routes = at(world, "networking.istio.io/v1", "VirtualService", "default", "web");
  REQUIRE(world.create(routes, virtual_service("web", "a", "b", 0)));
  CHECK(world.patch(routes, PatchKind::Strategic, custom).error().code == 415);
}
