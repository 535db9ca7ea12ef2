#include "manifest/check_file.h"

#include "manifest/schema_check.h"
#include "manifest/schemas.h"

#include "catch.h"

using namespace reconciler;

namespace {

using Texts = std::vector<std::string>;

Texts problems_of(const std::string& text, FileRole role = FileRole::Manifests) {
  std::string path = role == FileRole::Manifests ? "r.yaml" : "status/default/shop/checkout.yaml";
  Texts out;
  for (const Problem& problem : check_file(path, text, role, "default").problems) out.push_back(problem.text());
  return out;
}

std::string rollout(const std::string& strategy, const std::string& spec = "") {
  return "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec:\n" + spec +
         "  selector: {matchLabels: {a: b}}\n"
         "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}\n"
         "  strategy:\n    canary:\n      stableService: s\n      canaryService: c\n"
         "      trafficRouting: {istio: {virtualService: {name: v}}}\n" +
         strategy;
}

}  // namespace

TEST_CASE("a good Rollout passes readers and schema", "[check]") {
  CHECK(problems_of(rollout("      steps: [{setWeight: 5}, {pause: {}}, {pause: {duration: 10}}]\n")) == Texts{});
  CHECK(problems_of(rollout("      steps: null\n      maxSurge: 20%\n", "  replicas: null\n")) == Texts{});
}

TEST_CASE("the schema finds what is wrong inside features that are refused anyway", "[check]") {
  CHECK(problems_of(rollout("      steps:\n        - setCanaryScale: {replicas: -1, wait: 5}\n"
                            "        - analysis:\n            templates: [{name: x}]\n")) ==
        Texts{"r.yaml:13:28: spec.strategy.canary.steps[0].setCanaryScale.replicas: must be at least 0, is -1",
              "r.yaml:13:42: unknown field \"spec.strategy.canary.steps[0].setCanaryScale.wait\"",
              "r.yaml:14:11: spec.strategy.canary.steps[1].analysis is not supported yet",
              "r.yaml:15:25: spec.strategy.canary.steps[1].analysis.templates[0].templateName is required",
              "r.yaml:15:26: spec.strategy.canary.steps[1].analysis.templates[0].name is not a field of this kind of "
              "object"});
}

TEST_CASE("no problem is reported twice", "[check]") {
  CHECK(problems_of(rollout("      steps: [{setWeight: 500}, {}, {pause: {time: 5}}]\n", "  replicas: many\n")) ==
        Texts{"r.yaml:5:3: spec.replicas: must be an integer, is a string",
              "r.yaml:13:16: spec.strategy.canary.steps[0].setWeight: must be 0 to 100, is 500",
              "r.yaml:13:33: spec.strategy.canary.steps[1]: a step must have a type, such as setWeight or pause",
              "r.yaml:13:46: unknown field \"spec.strategy.canary.steps[2].pause.time\""});
  CHECK(
      problems_of("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a, labels: {x: 5}}\nspec: 5\n") ==
      Texts{"r.yaml:3:30: metadata.labels.x: must be a string, is an integer; write it in quotes",
            "r.yaml:4:1: spec: must be a map, is an integer"});
}

TEST_CASE("an Experiment passes readers and schema, or both say what is wrong", "[check][standalone]") {
  const std::string head = "apiVersion: argoproj.io/v1alpha1\nkind: Experiment\nmetadata: {name: a}\nspec:\n";
  const std::string item =
      "  templates:\n  - {name: x, selector: {matchLabels: {a: b}},\n"
      "     template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}}\n";
  CHECK(problems_of(head + "  duration: 5m\n  terminate: false\n" + item) == Texts{});
  CHECK(problems_of(head + "  duration: 5m\n  dryRun: [{name: x}]\n" + item) ==
        Texts{"r.yaml:6:12: spec.dryRun[0].metricName is required",
              "r.yaml:6:13: spec.dryRun[0].name is not a field of this kind of object"});
  CHECK(problems_of(head + "  analyses: [{name: x}]\n" + item) ==
        Texts{"r.yaml:5:3: spec.analyses is not supported yet",
              "r.yaml:5:14: spec.analyses[0].templateName is required"});
}

TEST_CASE("Rollouts in a List are checked too", "[check]") {
  CHECK(
      problems_of("apiVersion: v1\nkind: List\nitems:\n  - apiVersion: argoproj.io/v1alpha1\n    kind: Rollout\n"
                  "    metadata: {name: a}\n    spec: {strategy: {canary: {steps: [{analysis: {templates: [{}]}}]}}}\n")
          .back() == "r.yaml:7:64: spec.strategy.canary.steps[0].analysis.templates[0].templateName is required");
}

TEST_CASE("status and decision files are checked against reader and schema", "[check]") {
  const std::string head =
      "apiVersion: serin.dev/v1alpha1\nkind: RolloutStatus\n"
      "metadata: {name: checkout, namespace: shop}\nstatus:\n";
  CHECK(problems_of(head + "  phase: Healthy\n  weight: 0\n  stable: {revision: 6d4c, since: 2026-11-20T09:14:03Z}\n",
                    FileRole::Status) == Texts{});
  CHECK(problems_of(head + "  phase: Well\n  weight: lots\n", FileRole::Status) ==
        Texts{"status/default/shop/checkout.yaml:5:3: status.phase: must be Healthy, Progressing, Paused or Degraded",
              "status/default/shop/checkout.yaml:6:3: status.weight: must be an integer, is a string"});
  CHECK(problems_of(head + "  phase: Healthy\n", FileRole::Decision).size() == 3);
  CHECK(problems_of("", FileRole::Status).size() == 1);
}

TEST_CASE("long text does not harm the schema check", "[check]") {
  std::string text(500'000, 'a');
  CHECK(problems_of(rollout("      steps: [{pause: {duration: " + text + "}}]\n", "  restartAt: \"" + text + "\"\n"))
            .size() == 2);
}

TEST_CASE("the schemas are JSON with what editors need", "[check]") {
  for (std::string_view text : {rollout_schema(), rolloutstatus_schema(), rolloutdecision_schema()}) {
    auto schema = parse_json(text);
    REQUIRE(schema);
    CHECK(text_at(*schema, {"$schema"}) == "http://json-schema.org/draft-07/schema#");
    CHECK(!text_at(*schema, {"$id"}).empty());
    CHECK(!text_at(*schema, {"title"}).empty());
  }
}
