#include "cli/revision_plan.h"

#include "rollout/builders.h"

#include "catch.h"

using namespace reconciler;

namespace {

const ObjectKey kRollout{.group = "argoproj.io", .kind = "Rollout", .ns = "shop", .name = "till"};

RevisionManifests asking_for(const std::string& tag) {
  Rollout r = rollout(tag);
  Json object = {{"spec", {{"template", Json::parse(r.pod_template)}}}};
  return {.objects = {{kRollout, {.object = object, .file = "till.yaml"}}}, .rollouts = {{r.key, r}}};
}

std::map<RolloutKey, Status> running_v1() {
  Status status;
  status.phase = Phase::Healthy;
  status.stable = Revision{"hashv1", "example.com/till:v1", at(0)};
  return {{{"shop", "till"}, status}};
}

ObjectKey key(const std::string& kind) { return {.group = "", .kind = kind, .ns = "shop", .name = "x"}; }

}  // namespace

TEST_CASE("a plan tells the changed image and the steps that will run", "[plan]") {
  RevisionPlan plan = compare_revisions(asking_for("v1"), asking_for("v2"), running_v1(), at(100));
  CHECK(plan_text(plan, {"main", "feature"}) ==
        "from main to feature\n"
        "\n"
        "objects: 1 changed\n"
        "  ~ argoproj.io/Rollout shop/till  (till.yaml)\n"
        "      spec.template.spec.containers[till].image: \"example.com/till:v1\" -> \"example.com/till:v2\"\n"
        "\n"
        "rollout shop/till: Healthy at v1, asked for v2\n"
        "  +0s      deploying v2 (step 0/4)\n"
        "  +0s      canary 20% (step 1/4)\n"
        "  +1m      canary 20% (step 2/4)\n"
        "  +1m      canary 60% (step 3/4)\n"
        "  +2m      canary 60% (step 4/4)\n"
        "  +2m      canary 100% (step 4/4)\n"
        "  +2m      promoting v2 (step 4/4)\n"
        "  +2m      promoted v2\n"
        "  in all: 2m and the time that pods take to become ready\n");
}

TEST_CASE("a plan tells how an experiment would run", "[plan][standalone]") {
  Rollout ab{.key = {"shop", "ab"}, .standalone = StandaloneExperiment{.duration = 300s}};
  ab.hash = "spec1";
  ab.standalone->templates = {{.name = "base", .pod_template = "{}"}};
  const ObjectKey object{.group = "argoproj.io", .kind = "Experiment", .ns = "shop", .name = "ab"};
  const RevisionManifests after{.objects = {{object, {.object = {{"spec", 1}}, .file = "ab.yaml"}}},
                                .rollouts = {{ab.key, ab}}};
  CHECK(plan_text(compare_revisions({}, after, {}, at(100)), {"main", "feature"}) ==
        "from main to feature\n"
        "\n"
        "objects: 1 created\n"
        "  + argoproj.io/Experiment shop/ab  (ab.yaml)\n"
        "\n"
        "rollout shop/ab: not deployed yet, asked for experiment spec1\n"
        "  +0s      experiment started\n"
        "  +0s      experiment running\n"
        "  +5m      experiment succeeded\n"
        "  in all: 5m and the time that pods take to become ready\n");
}

TEST_CASE("equal revisions change nothing", "[plan]") {
  RevisionPlan plan = compare_revisions(asking_for("v1"), asking_for("v1"), running_v1(), at(100));
  CHECK(plan.is_empty());
  CHECK(plan_text(plan, {"a", "b"}) == "from a to b\nnothing changes\n");
}

TEST_CASE("created and deleted objects are told apart, and a namespace is warned about", "[plan]") {
  RevisionManifests before{.objects = {{key("Namespace"), {.object = {{"a", 1}}, .file = "n.yaml"}}}};
  RevisionManifests after{.objects = {{key("ConfigMap"), {.object = {{"a", 1}}, .file = "c.yaml"}}}};
  RevisionPlan plan = compare_revisions(before, after, {}, at(0));
  REQUIRE(plan.objects.size() == 2);
  CHECK(plan.objects[0].fate == Fate::Created);
  CHECK(plan.objects[1].fate == Fate::Deleted);
  REQUIRE(plan.warnings.size() == 1);
  CHECK_THAT(plan.warnings[0], ContainsSubstring("Namespace shop/x is no longer asked for"));
}

TEST_CASE("a canary under way, a rejection and a floating tag are warned about", "[plan]") {
  std::map<RolloutKey, Status> recorded = running_v1();
  Status& status = recorded.begin()->second;
  status.canary = Revision{"hashv2", "example.com/till:v2", at(0)};
  status.step = StepPosition{1, 4, at(0), "steps4"};
  status.weight = 20;
  status.rejected = {{.hash = "hashlatest", .image = "example.com/till:latest", .at = at(0), .why = "errors"}};
  RevisionPlan plan = compare_revisions(asking_for("v2"), asking_for("latest"), recorded, at(10));
  std::string all;
  for (const std::string& warning : plan.warnings) all += warning + "\n";
  CHECK_THAT(all, ContainsSubstring("canary of v2 with 20% of the traffic is under way"));
  CHECK_THAT(all, ContainsSubstring("has no fixed tag"));
  CHECK_THAT(all, ContainsSubstring("was rejected at"));
}

TEST_CASE("what is refused is a problem with its place", "[plan]") {
  RevisionManifests after;
  after.refused = {{.key = {"shop", "till"},
                    .problems = {{.file = "till.yaml", .line = 3, .column = 5, .message = "weight must be 0-100"}}}};
  RevisionPlan plan = compare_revisions({}, after, {}, at(0));
  CHECK(plan.problems == std::vector<std::string>{"till.yaml:3:5: weight must be 0-100"});
  CHECK_FALSE(plan.is_empty());
}

TEST_CASE("Secrets are masked in every form of a plan", "[plan]") {
  auto secret = [](const char* value) {
    return RevisionManifests{
        .objects = {{key("Secret"),
                     {.object = {{"apiVersion", "v1"}, {"kind", "Secret"}, {"data", {{"password", value}}}},
                      .file = "s.yaml"}}}};
  };
  RevisionPlan plan = compare_revisions(secret("aHVudGVyMg=="), secret("aHVudGVyMw=="), {}, at(0));
  REQUIRE(plan.objects.size() == 1);
  for (const std::string& form :
       {plan_text(plan, {"a", "b"}), plan_markdown(plan, {"a", "b"}), dump(plan_json(plan, {"a", "b"}))}) {
    CHECK_THAT(form, ContainsSubstring("data.password"));
    CHECK(form.find("aHVudGVyM") == std::string::npos);
  }
}

TEST_CASE("markup in a manifest does not act in the markdown", "[plan]") {
  RevisionManifests before{.objects = {{key("ConfigMap"), {.object = {{"a", "x"}}, .file = "c.yaml"}}}};
  RevisionManifests after{
      .objects = {{key("ConfigMap"), {.object = {{"a", "`</details> @everyone"}}, .file = "c.yaml"}}}};
  std::string markdown = plan_markdown(compare_revisions(before, after, {}, at(0)), {"a", "b"});
  CHECK_THAT(markdown, ContainsSubstring("`\" </details> @everyone\"`"));
}

TEST_CASE("a comment is no longer than GitHub takes, and ends well", "[plan]") {
  RevisionManifests before, after;
  for (int i = 0; i < 3000; ++i) {
    ObjectKey each = key("ConfigMap");
    each.name = "settings-" + std::to_string(i);
    after.objects[each] = {.object = {{"data", {{"a", std::string(100, 'x')}}}}, .file = "a/rather/long/path.yaml"};
  }
  RevisionPlan plan = compare_revisions(before, after, {}, at(0));
  const std::string markdown = plan_markdown(plan, {"a", "b"});
  CHECK(markdown.size() <= 65'536);
  CHECK(markdown.size() > 60'000);
  CHECK_THAT(markdown, ContainsSubstring("</details>"));
  CHECK_THAT(markdown, ContainsSubstring(" lines are left out here"));
  plan.objects.resize(3);
  CHECK(plan_markdown(plan, {"a", "b"}).find("left out") == std::string::npos);
}

TEST_CASE("a plan says which objects are not applied as they stand", "[plan]") {
  auto with = [](Json object) {
    return RevisionManifests{.objects = {{key("ConfigMap"), {.object = std::move(object), .file = "c.yaml"}}}};
  };
  auto marked = [&](const char* mark, const char* value) {
    return with({{"metadata", {{"annotations", {{mark, value}}}}}});
  };
  CHECK(compare_revisions({}, marked("serin.dev/reconcile", "disabled"), {}, at(0)).warnings ==
        std::vector<std::string>{"ConfigMap shop/x is left alone: serin.dev/reconcile is disabled"});
  CHECK(compare_revisions({}, marked("serin.dev/apply", "once"), {}, at(0)).problems ==
        std::vector<std::string>{"c.yaml: nobody understands the mark serin.dev/apply: once of ConfigMap shop/x"});
}
