#include "objects/ignore_rules.h"

#include "objects/drift_history.h"
#include "objects/refusal.h"

#include "objects/parsed.h"

#include "catch.h"

using namespace reconciler;

namespace {

const Json kDeployment = parsed(R"({"apiVersion": "apps/v1", "kind": "Deployment",
  "metadata": {"name": "checkout-web", "namespace": "shop", "labels": {"team": "cart"}},
  "spec": {"replicas": 2, "paused": false}})");

const std::vector<Pointer> kReplicas{{"spec", "replicas"}};

}  // namespace

TEST_CASE("a pointer is read and written", "[pointer]") {
  CHECK(parse_pointer("/a/b~1c/~0d") == Pointer{"a", "b/c", "~d"});
  CHECK(to_text(Pointer{"a", "b/c", "~d"}) == "/a/b~1c/~0d");
  for (const char* text : {"", "/", "a", "a/b", "/a~2", "/a~"}) CHECK_FALSE(parse_pointer(text));
}

TEST_CASE("values are found, set and removed by pointer", "[pointer]") {
  const Json document = parsed(R"({"a": [{"b": 1}, 2]})");
  CHECK(*value_at(document, {"a", "0", "b"}) == 1);
  for (const Pointer& nowhere : {Pointer{"a", "2"}, Pointer{"a", "x"}, Pointer{"a", "0", "c"}, Pointer{"a", "1", "b"}})
    CHECK(value_at(document, nowhere) == nullptr);
  CHECK(with_value(document, {"a", "0", "b"}, 3) == parsed(R"({"a": [{"b": 3}, 2]})"));
  CHECK(with_value(document, {"c", "d"}, 3) == parsed(R"({"a": [{"b": 1}, 2], "c": {"d": 3}})"));
  CHECK(with_value(document, {"a", "7", "b"}, 3) == document);
  CHECK(without_value(document, {"a", "0"}) == parsed(R"({"a": [2]})"));
  CHECK(without_value(document, {"x", "y"}) == document);
}

TEST_CASE("a rule fits the objects that fit all of it", "[ignore]") {
  struct Row {
    IgnoreRule rule;
    bool fits;
  };
  for (const Row& row :
       std::vector<Row>{{{}, true},
                        {{.group = "apps", .kind = "Deployment", .ns = "shop", .name = "checkout-web"}, true},
                        {{.name = "checkout-*"}, true},
                        {{.name = "*-web"}, true},
                        {{.name = "c*k*t*b"}, true},
                        {{.name = "check"}, false},
                        {{.name = "*-api"}, false},
                        {{.group = ""}, false},
                        {{.kind = "StatefulSet"}, false},
                        {{.ns = "bar"}, false},
                        {{.labels = {{"team", "cart"}}}, true},
                        {{.labels = {{"team", "cart"}, {"tier", "web"}}}, false}}) {
    IgnoreRule rule = row.rule;
    rule.paths = kReplicas;
    INFO(rule.group << " " << rule.kind << " " << rule.ns << " " << rule.name);
    CHECK(ignored_paths({rule}, kDeployment) == (row.fits ? kReplicas : std::vector<Pointer>{}));
  }
}

TEST_CASE("an object says itself what it leaves to others", "[ignore]") {
  Json marked = kDeployment;
  marked["metadata"]["annotations"]["serin.dev/ignore"] = "/spec/replicas";
  CHECK(ignored_paths({}, marked) == kReplicas);
}

TEST_CASE("what only updaters changed keeps its live value", "[ignore]") {
  Json live = kDeployment;
  live["spec"]["replicas"] = 7;
  CHECK(leaving_alone(kDeployment, live, kReplicas, "serin")["spec"]["replicas"] == 7);
  CHECK(as_in(kDeployment, live, kReplicas)["spec"]["replicas"] == 7);
  live["spec"].erase("replicas");
  CHECK_FALSE(leaving_alone(kDeployment, live, kReplicas, "serin")["spec"].contains("replicas"));
}

TEST_CASE("what another manager applies is left out", "[ignore]") {
  Json live = kDeployment;
  live["metadata"]["managedFields"] = parsed(R"([{"manager": "scaler", "operation": "Apply",
    "fieldsV1": {"f:spec": {"f:replicas": {}}}}])");
  CHECK_FALSE(leaving_alone(kDeployment, live, kReplicas, "serin")["spec"].contains("replicas"));
}

TEST_CASE("a path that the manifest does not name stays unnamed", "[ignore]") {
  CHECK(as_in(kDeployment, parsed(R"({"spec": {"x": 1}})"), {{"spec", "x"}}) == kDeployment);
}

TEST_CASE("the same drift is corrected five times in ten minutes, then it is a fight", "[drift]") {
  DriftHistory history;
  for (int i = 0; i < 5; ++i) CHECK(history.may_correct("spec.replicas", Duration(1min) * i));
  CHECK_FALSE(history.may_correct("spec.replicas", 5min));
  CHECK(history.may_correct("spec.replicas", 10min));
  CHECK_FALSE(history.may_correct("spec.replicas", 10min));
  CHECK(history.may_correct("data.a", 10min));
  history.forget();
  CHECK(history.may_correct("spec.replicas", 10min));
}

TEST_CASE("a field that cannot change is told from other refusals", "[refusal]") {
  CHECK(is_immutable_refusal("spec.selector: Invalid value: {...}: field is immutable"));
  CHECK(is_immutable_refusal("updates to statefulset spec for fields other than 'replicas' are forbidden"));
  CHECK_FALSE(is_immutable_refusal("spec.replicas: Invalid value: -1"));
  const ObjectKey job{"batch", "Job", "shop", "load"}, data{"apps", "StatefulSet", "shop", "data"};
  CHECK(immutable_advice(job, "x").find("delete the live object (`serin.dev/force: enabled`") != std::string::npos);
  CHECK(immutable_advice(data, "x") == "x; take the change back, or delete the live object: then it is made anew");
}
