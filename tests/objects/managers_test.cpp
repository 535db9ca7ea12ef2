#include "objects/managers.h"

#include "objects/parsed.h"

#include "catch.h"

using namespace reconciler;

namespace {

Json entry(std::string_view manager, std::string_view verb, std::string_view time, std::string_view fields) {
  return {{"manager", manager}, {"operation", verb}, {"time", time}, {"fieldsV1", parsed(fields)}};
}

Json object(std::string_view text, std::vector<Json> entries) {
  Json out = parsed(text);
  out["metadata"]["managedFields"] = entries;
  out["metadata"]["resourceVersion"] = "7";
  return out;
}

std::string who(const Json& live, std::string_view wanted) {
  auto owner = meddler(live, parsed(wanted), "serin");
  return owner ? owner->text() : "nobody";
}

}  // namespace

TEST_CASE("who owns the field that differs made the difference", "[managers]") {
  const Json live =
      object(R"({"data": {"a": "2", "b": "x"}})", {entry("serin", "Apply", "t1", R"({"f:data": {"f:b": {}}})"),
                                                   entry("kubectl-edit", "Update", "t2", R"({"f:data": {"f:a": {}}})"),
                                                   entry("other", "Update", "t3", R"({"f:data": {"f:c": {}}})")});
  CHECK(who(live, R"({"data": {"a": "1", "b": "x"}})") == "kubectl-edit (Update, t2)");
}

TEST_CASE("items of lists are found by their keys or values", "[managers]") {
  const Json live = object(
      R"({"spec": {"ports": [{"port": 80, "name": "x"}, {"port": 81}], "hosts": ["a", "b"]}})",
      {entry("ports", "Update", "t1", R"({"f:spec": {"f:ports": {"k:{\"port\":80}": {".": {}, "f:name": {}}}}})"),
       entry("hosts", "Update", "t2", R"({"f:spec": {"f:hosts": {"v:\"b\"": {}}}})")});
  CHECK(who(live, R"({"spec": {"ports": [{"port": 80, "name": "y"}, {"port": 81}], "hosts": ["a", "b"]}})") ==
        "ports (Update, t1)");
  CHECK(who(live, R"({"spec": {"ports": [{"port": 80, "name": "x"}, {"port": 81}], "hosts": ["a"]}})") ==
        "hosts (Update, t2)");
}

TEST_CASE("an atomic list has one owner", "[managers]") {
  const Json live = object(R"({"spec": {"http": [{"weight": 5}]}})",
                           {entry("istioctl", "Apply", "t1", R"({"f:spec": {"f:http": {}}})")});
  CHECK(who(live, R"({"spec": {"http": [{"weight": 6}]}})") == "istioctl (Apply, t1)");
}

TEST_CASE("of a field that is gone the last writer is asked", "[managers]") {
  const Json live = object(R"({"data": {"b": "x"}})", {entry("early", "Update", "t1", R"({"f:data": {"f:b": {}}})"),
                                                       entry("late", "Update", "t2", R"({"f:data": {}})"),
                                                       entry("serin", "Apply", "t3", R"({"f:data": {"f:b": {}}})")});
  CHECK(who(live, R"({"data": {"a": "1", "b": "x"}})") == "late (Update, t2)");
  CHECK(who(object(R"({"data": {}})", {entry("serin", "Apply", "t3", "{}")}), R"({"data": {"a": "1"}})") == "nobody");
}

TEST_CASE("another applier of a path is found, an updater is none", "[managers]") {
  const Json live =
      object(R"({"spec": {"replicas": 3, "template": {"x": {"y": 1}}, "items": [{"name": "a", "v": 1}]}})",
             {entry("serin", "Apply", "t1", R"({"f:spec": {"f:replicas": {}}})"),
              entry("hpa", "Update", "t2", R"({"f:spec": {"f:replicas": {}}})"),
              entry("team", "Apply", "t3",
                    R"({"f:spec": {"f:template": {}, "f:items": {"k:{\"name\":\"a\"}": {"f:v": {}}}}})")});
  CHECK_FALSE(other_owner(live, {"spec", "replicas"}, "serin", Owns::Applied));
  CHECK(other_owner(live, {"spec", "replicas"}, "serin", Owns::Anyhow)->manager == "hpa");
  CHECK(other_owner(live, {"spec", "template", "x", "y"}, "serin", Owns::Applied)->manager == "team");
  CHECK(other_owner(live, {"spec", "items", "0", "v"}, "serin", Owns::Applied)->manager == "team");
  CHECK_FALSE(other_owner(live, {"spec", "items", "0", "w"}, "serin", Owns::Applied));
}

TEST_CASE("what kubectl owns is taken over", "[managers]") {
  Json live = object(R"({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}})",
                     {entry("kubectl-client-side-apply", "Update", "t1", R"({"f:data": {"f:a": {}}})"),
                      entry("kubectl", "Apply", "t2", R"({"f:data": {"f:b": {}}})"),
                      entry("controller", "Update", "t3", R"({"f:data": {"f:c": {}}})")});
  live["metadata"]["managedFields"].push_back(entry("kubectl", "Update", "t4", R"({"f:spec": {"f:replicas": {}}})"));
  live["metadata"]["managedFields"].back()["subresource"] = "scale";

  const Json after = live.patch(*takeover_patch(live, "serin"));

  const Json& entries = after["metadata"]["managedFields"];
  REQUIRE(entries.size() == 3);
  CHECK(text_at(entries[0], {"manager"}) == "controller");
  CHECK(text_at(entries[1], {"subresource"}) == "scale");
  CHECK(text_at(entries[2], {"manager"}) == "serin");
  CHECK(text_at(entries[2], {"operation"}) == "Apply");
  CHECK(entries[2]["fieldsV1"] == parsed(R"({"f:data": {"f:a": {}, "f:b": {}}})"));
  CHECK(after["metadata"]["annotations"].empty());
  CHECK(is_applied_by(after, "serin"));
}

TEST_CASE("what is taken over already, or never was kubectl's, is left alone", "[managers]") {
  CHECK_FALSE(takeover_patch(object("{}", {entry("serin", "Apply", "t1", "{}")}), "serin"));
  CHECK_FALSE(takeover_patch(object("{}", {entry("controller", "Update", "t1", "{}")}), "serin"));
  CHECK_FALSE(takeover_patch(parsed(R"({"metadata": {"resourceVersion": "1"}})"), "serin"));
}
