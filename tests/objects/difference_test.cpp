#include "objects/difference.h"

#include "objects/parsed.h"

#include "catch.h"

using namespace reconciler;

namespace {

std::vector<FieldChange> between(std::string_view before, std::string_view after) {
  return differences(parsed(before), parsed(after));
}

}  // namespace

TEST_CASE("equal objects have no differences", "[difference]") {
  CHECK(between(R"({"a": [1, {"b": null}]})", R"({"a": [1, {"b": null}]})").empty());
}

TEST_CASE("a changed, a new and a removed field are told apart", "[difference]") {
  CHECK(between(R"({"spec": {"same": 1, "old": true, "port": 80}})",
                R"({"spec": {"same": 1, "new": {"x": 1}, "port": 81}})") ==
        std::vector<FieldChange>{
            {.path = "spec.new", .before = std::nullopt, .after = parsed(R"({"x": 1})")},
            {.path = "spec.old", .before = Json(true), .after = std::nullopt},
            {.path = "spec.port", .before = Json(80), .after = Json(81)},
        });
}

TEST_CASE("containers are matched by name, not by position", "[difference]") {
  CHECK(
      between(
          R"({"c": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}]})",
          R"({"c": [{"name": "new", "image": "n:1"}, {"name": "a", "image": "a:1"}, {"name": "b", "image": "b:2"}]})") ==
      std::vector<FieldChange>{
          {.path = "c[b].image", .before = Json("b:1"), .after = Json("b:2")},
          {.path = "c[new]", .before = std::nullopt, .after = parsed(R"({"name": "new", "image": "n:1"})")},
      });
}

TEST_CASE("another order of named items is a change of the list", "[difference]") {
  std::vector<FieldChange> changes =
      between(R"({"c": [{"name": "a"}, {"name": "b"}]})", R"({"c": [{"name": "b"}, {"name": "a"}]})");
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].path == "c");
}

TEST_CASE("items without a key are compared by position", "[difference]") {
  CHECK(between(R"({"s": [{"setWeight": 10}, 5]})", R"({"s": [{"setWeight": 20}, 5, 6]})") ==
        std::vector<FieldChange>{
            {.path = "s[0].setWeight", .before = Json(10), .after = Json(20)},
            {.path = "s[2]", .before = std::nullopt, .after = Json(6)},
        });
}

TEST_CASE("a label with dots is one name", "[difference]") {
  std::vector<FieldChange> changes =
      between(R"({"labels": {"app.kubernetes.io/name": "a"}})", R"({"labels": {"app.kubernetes.io/name": "b"}})");
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].path == "labels[app.kubernetes.io/name]");
}

TEST_CASE("null and absent differ, and so do a number and its text", "[difference]") {
  CHECK(between(R"({"a": null})", R"({})").size() == 1);
  CHECK(between(R"({"a": 1})", R"({"a": "1"})").size() == 1);
}

TEST_CASE("a Secret shows that a value changed and not the value", "[difference]") {
  Json before =
      parsed(R"({"apiVersion": "v1", "kind": "Secret", "data": {"password": "aHVudGVyMg==", "user": "cm9vdA=="},
                           "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "aHVudGVyMg=="}}})");
  Json after = before;
  after["data"]["password"] = "aHVudGVyMw==";
  after["stringData"] = {{"token", "t0p"}};
  std::vector<FieldChange> changes = differences(before, after);
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].path == "data.password");
  CHECK(changes[0].before != changes[0].after);
  CHECK(changes[1].path == "stringData");
  std::string shown = dump(masked(before)) + dump(masked(after));
  for (const char* secret : {"aHVudGVyM", "cm9vdA", "t0p"}) CHECK(shown.find(secret) == shown.npos);
}

TEST_CASE("a Secret with data of a wrong shape is masked too", "[difference]") {
  Json odd = masked(
      parsed(R"({"apiVersion": "v1", "kind": "Secret", "data": "hunter2", "stringData": {"n": {"x": "hunter3"}}})"));
  CHECK(dump(odd).find("hunter") == std::string::npos);
}

TEST_CASE("a ConfigMap is shown as it is", "[difference]") {
  Json map = parsed(R"({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}})");
  CHECK(masked(map) == map);
}
