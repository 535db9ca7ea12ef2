#include "manifest/manifest.h"

#include <random>

#include "manifest/workload_ref.h"
#include "rollout/pod_template_hash.h"

#include "catch.h"

using namespace reconciler;

namespace {

const std::string kRollout = R"(apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: checkout
  namespace: shop
spec:
  replicas: 5
  selector:
    matchLabels: {app: checkout}
  template:
    metadata:
      labels: {app: checkout, tier: web}
    spec:
      initContainers:
        - name: setup
          image: registry.example.com/setup:v1
      containers:
        - name: web
          image: registry.example.com/checkout:v1
          ports: [{containerPort: 8080}]
        - name: proxy
          image: registry.example.com/proxy:v3
  strategy:
    canary:
      stableService: checkout-stable
      canaryService: checkout-canary
      trafficRouting:
        istio:
          virtualService:
            name: checkout
            routes: [primary]
      steps:
        - setWeight: 20
        - pause: {duration: 5m}
        - setWeight: 40
        - pause: {}
)";

/// The Rollout above with `from` replaced by `to`.
std::string with(const std::string& from, const std::string& to) {
  std::string text = kRollout;
  size_t at = text.find(from);
  REQUIRE(at != text.npos);
  return text.replace(at, from.size(), to);
}

/// What is refused, a line each; `-` when the file holds a valid rollout.
std::vector<std::string> problems_of(const std::string& text) {
  ManifestFile file = read_manifests("r.yaml", text, "default");
  std::vector<std::string> out;
  for (const Problem& problem : file.problems) out.push_back("file " + problem.text());
  for (const RefusedRollout& refused : file.refused)
    for (const Problem& problem : refused.problems) out.push_back(problem.text());
  if (file.rollouts.size() == 1) out.push_back("-");
  return out;
}

std::vector<std::string> warnings_of(const std::string& text) {
  std::vector<std::string> out;
  for (const Problem& warning : read_manifests("r.yaml", text, "default").warnings) out.push_back(warning.text());
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("a Rollout is typed, with the defaults of Argo Rollouts", "[manifest]") {
  ManifestFile file = read_manifests("apps/checkout.yaml", kRollout, "default");
  REQUIRE(file.problems.empty());
  REQUIRE(file.refused.empty());
  REQUIRE(file.warnings.empty());
  REQUIRE(file.rollouts.size() == 1);
  const Rollout& rollout = file.rollouts[0];
  CHECK(rollout.key == RolloutKey{"shop", "checkout"});
  CHECK(rollout.replicas == 5);
  CHECK(rollout.selector == R"({"matchLabels":{"app":"checkout"}})");
  CHECK(rollout.hash == *pod_template_hash(*parse_json(rollout.pod_template), std::nullopt));
  CHECK(rollout.images == std::vector<ContainerImage>{{"web", "registry.example.com/checkout:v1"},
                                                      {"proxy", "registry.example.com/proxy:v3"}});
  CHECK(rollout.stable_service == "checkout-stable");
  CHECK(rollout.canary_service == "checkout-canary");
  CHECK(rollout.routing.routers ==
        std::vector<Router>{IstioRouting{{{.ns = "shop", .name = "checkout", .routes = {"primary"}}}, std::nullopt}});
  CHECK(rollout.steps == std::vector<Step>{SetWeight{20}, Pause{5min}, SetWeight{40}, Pause{}});
  CHECK(!rollout.steps_hash.empty());
  CHECK(rollout.min_ready_seconds == 0);
  CHECK(rollout.revision_history_limit == 10);
  CHECK(rollout.rollback_window == 3);
  CHECK(rollout.progress_deadline == 600s);
  CHECK(!rollout.progress_deadline_abort);
  CHECK(!rollout.paused);
  CHECK(rollout.scale_down_delay == 30s);
  CHECK(rollout.abort_scale_down_delay == 30s);
}

namespace {

/// A Rollout whose strategy is blueGreen with these members.
std::string blue_green_manifest(const std::string& members) {
  const std::string text = kRollout;
  return text.substr(0, text.find("    canary:")) + "    blueGreen: {" + members + "}\n";
}

}  // namespace

TEST_CASE("blue-green is typed, with the defaults of Argo Rollouts", "[manifest]") {
  ManifestFile file = read_manifests("r.yaml", blue_green_manifest("activeService: a"), "default");
  REQUIRE(file.rollouts.size() == 1);
  const Rollout& rollout = file.rollouts[0];
  CHECK(rollout.blue_green == BlueGreen{});
  CHECK_FALSE(rollout.blue_green->pauses());
  CHECK(rollout.stable_service == "a");
  CHECK(rollout.canary_service.empty());
  CHECK_FALSE(rollout.is_routed());
  CHECK(rollout.scale_down_delay == 30s);
  CHECK(rollout.abort_scale_down_delay == 30s);
  CHECK(rollout.max_unavailable == PodCount{25, PodCount::Unit::Percent});
}

TEST_CASE("what blue-green says goes before the defaults", "[manifest]") {
  ManifestFile file = read_manifests(
      "r.yaml",
      blue_green_manifest("activeService: a, previewService: p, previewReplicaCount: 2, autoPromotionEnabled: false, "
                          "autoPromotionSeconds: 60, maxUnavailable: 2, scaleDownDelaySeconds: 5, "
                          "scaleDownDelayRevisionLimit: 1, abortScaleDownDelaySeconds: 0, "
                          "previewMetadata: {labels: {role: preview}}, activeMetadata: {labels: {role: active}}, "
                          "antiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}"),
      "default");
  REQUIRE(file.rollouts.size() == 1);
  const Rollout& rollout = file.rollouts[0];
  CHECK(rollout.blue_green == BlueGreen{.preview_replicas = 2, .auto_promotion = false, .auto_promotion_after = 60s});
  CHECK(rollout.blue_green->pauses());
  CHECK(rollout.canary_service == "p");
  CHECK(rollout.max_unavailable == PodCount{2, PodCount::Unit::Pods});
  CHECK(rollout.scale_down_delay == 5s);
  CHECK(rollout.scale_down_delay_revision_limit == 1);
  CHECK(rollout.abort_scale_down_delay == 0s);
  CHECK(rollout.canary_metadata.labels == std::map<std::string, std::string>{{"role", "preview"}});
  CHECK(rollout.stable_metadata.labels == std::map<std::string, std::string>{{"role", "active"}});
  CHECK(rollout.anti_affinity == AntiAffinity{});
}

TEST_CASE("what blue-green must not say is named", "[manifest]") {
  auto refused = [](const std::string& members) {
    Texts found = problems_of(blue_green_manifest(members));
    std::string text = found.empty() ? "" : found.front();
    return text.substr(std::min(text.size(), text.find("spec.")));
  };
  const std::string field = "spec.strategy.blueGreen.";
  CHECK(refused("previewService: p") == field + "activeService is required");
  CHECK(refused("activeService: a, previewService: a") ==
        field + "activeService: must be another Service than previewService");
  CHECK(refused("activeService: a, scaleDownDelayRevisionLimit: 11") ==
        field + "scaleDownDelayRevisionLimit: must be at most revisionHistoryLimit (10)");
  for (const char* name : {"prePromotionAnalysis", "postPromotionAnalysis"})
    CHECK(refused("activeService: a, " + std::string(name) + ": {}") == field + name + " is not supported yet");
  CHECK(refused("activeService: a, previewReplicaCount: -1").starts_with(field + "previewReplicaCount"));
  CHECK(refused("activeService: a, previewReplica: 1").find("previewReplica") != std::string::npos);
}

TEST_CASE("what a Rollout says goes before the defaults", "[manifest]") {
  std::string text = with("  replicas: 5\n", R"(  minReadySeconds: 5
  revisionHistoryLimit: 2
  rollbackWindow: {revisions: 0}
  progressDeadlineSeconds: 60
  progressDeadlineAbort: true
  paused: true
  analysis: {successfulRunHistoryLimit: 1}
)");
  text.replace(text.find("      steps:"), 12,
               "      scaleDownDelaySeconds: 5\n      abortScaleDownDelaySeconds: 0\n      maxSurge: 1\n      "
               "maxUnavailable: 0\n      dynamicStableScale: false\n      steps:");
  ManifestFile file = read_manifests("r.yaml", text + "status: {phase: Healthy}\n", "default");
  REQUIRE(file.rollouts.size() == 1);
  const Rollout& rollout = file.rollouts[0];
  CHECK(rollout.replicas == 1);
  CHECK(rollout.min_ready_seconds == 5);
  CHECK(rollout.revision_history_limit == 2);
  CHECK(rollout.rollback_window == 0);
  CHECK(rollout.progress_deadline == 60s);
  CHECK(rollout.progress_deadline_abort);
  CHECK(rollout.paused);
  CHECK(rollout.scale_down_delay == 5s);
  CHECK(rollout.abort_scale_down_delay == 0s);
}

TEST_CASE("the name of a VirtualService may carry its namespace", "[manifest]") {
  auto routing = [](const std::string& name) {
    ManifestFile file =
        read_manifests("r.yaml", with("name: checkout\n            routes: [primary]", "name: " + name), "default");
    REQUIRE(file.rollouts.size() == 1);
    return std::get<IstioRouting>(file.rollouts[0].routing.routers.at(0)).virtual_services.at(0);
  };
  CHECK(routing("vs") == IstioVirtualService{"shop", "vs", {}, {}, {}});
  CHECK(routing("vs.mesh") == IstioVirtualService{"mesh", "vs", {}, {}, {}});
  CHECK(routing("vs.mesh.svc.cluster.local") == IstioVirtualService{"mesh", "vs", {}, {}, {}});
  CHECK(
      problems_of(with("name: checkout\n            routes", "name: vs.Mesh\n            routes")) ==
      Texts{"r.yaml:30:13: spec.strategy.canary.trafficRouting.istio.virtualService.name: the namespace in it must be "
            "a name of a-z, 0-9 and - (at most 63), is \"Mesh\""});
}

TEST_CASE("a pause lasts as long as it says", "[manifest]") {
  auto length = [](const std::string& text) -> std::optional<Duration> {
    ManifestFile file = read_manifests("r.yaml", with("duration: 5m", "duration: " + text), "default");
    if (file.rollouts.size() != 1) return std::nullopt;
    return std::get<Pause>(file.rollouts[0].steps[1]).duration;
  };
  CHECK(length("90") == 90s);
  CHECK(length("\"90\"") == 90s);
  CHECK(length("1h30m") == 90min);
  CHECK(length("1.5m") == 90s);
  CHECK(length("500ms") == 500ms);
  CHECK(length("0") == 0s);
  CHECK(length("\"0s\"") == 0s);
  for (const char* text : {"-5", "-5s", "soon", "5 m", "\"\"", "1.5", "[]", "5x", "1..5s", "99999999h", "m"}) {
    INFO(text);
    CHECK(!length(text));
  }
}

TEST_CASE("each feature that is not carried out yet is refused by its name", "[manifest]") {
  auto refused = [](const std::string& text) {
    Texts problems = problems_of(text);
    REQUIRE(!problems.empty());
    return problems[0].substr(problems[0].find(": ") + 2);
  };
  auto canary = [&](const std::string& field) {
    return refused(with("      steps:", "      " + field + "\n      steps:"));
  };
  auto step = [&](const std::string& field) { return refused(with("pause: {}", field)); };
  auto router = [&](const std::string& field) {
    return refused(with("        istio:", "        " + field + "\n        istio:"));
  };
  CHECK(refused(with("    canary:", "    blueGreen: {activeService: a}\n    canary:")) ==
        "spec.strategy: must have canary or blueGreen, not both");
  CHECK(refused("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec:\n  selector: "
                "{matchLabels: {a: b}}\n"
                "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}\n"
                "  strategy: {blueGreen: {activeService: a, postPromotionAnalysis: {}}}\n") ==
        "spec.strategy.blueGreen.postPromotionAnalysis is not supported yet");
  CHECK(canary("analysis: {}") == "spec.strategy.canary.analysis is not supported yet");
  CHECK(step("analysis: {}") == "spec.strategy.canary.steps[3].analysis is not supported yet");
  CHECK(step("experiment: {templates: [{name: a, specRef: stable}], analyses: [{name: a, templateName: b}]}") ==
        "spec.strategy.canary.steps[3].experiment.analyses is not supported yet");
  CHECK(step("plugin: {name: a}") == "spec.strategy.canary.steps[3].plugin is not supported: Serin runs no plugins");
  CHECK(router("appMesh: {}") == "spec.strategy.canary.trafficRouting.appMesh is not supported");
  CHECK(router("plugins: {nats: {}}") ==
        "spec.strategy.canary.trafficRouting.plugins.nats is not supported: of all "
        "plugins Serin knows argoproj-labs/gatewayAPI");
}

namespace {

/// An Experiment with this behind `templates` and the members of `spec`.
std::string experiment_file(const std::string& templates, const std::string& spec = "") {
  return "apiVersion: argoproj.io/v1alpha1\nkind: Experiment\nmetadata: {name: ab, namespace: shop}\nspec:\n" + spec +
         "  templates:\n" + templates;
}

/// A template of that name, with further members.
std::string version_of(const std::string& name, const std::string& more = "", const std::string& label = "ab") {
  return "  - name: " + name + "\n    selector: {matchLabels: {app: ab}}\n" + more +
         "    template:\n      metadata: {labels: {app: " + label +
         "}}\n      spec: {containers: [{name: ab, image: \"ab:v1\"}]}\n";
}

std::string problem_of(const std::string& text) {
  std::string out;
  for (const std::string& each : problems_of(text)) out += (out.empty() ? "" : "; ") + each;
  return out;
}

}  // namespace

TEST_CASE("an Experiment of its own is typed", "[manifest][standalone]") {
  const ManifestFile file = read_manifests(
      "r.yaml",
      experiment_file(version_of("base") +
                          version_of("trial", "    replicas: 2\n    minReadySeconds: 5\n    service: {name: ab-v2}\n"),
                      "  duration: 5m\n  progressDeadlineSeconds: 60\n  terminate: true\n  scaleDownDelaySeconds: 0\n"
                      "  dryRun: [{metricName: x}]\n  analyses: []\n"),
      "default");
  REQUIRE(file.rollouts.size() == 1);
  const Rollout& ab = file.rollouts[0];
  CHECK(ab.key == RolloutKey{"shop", "ab"});
  CHECK(ab.progress_deadline == 60s);
  CHECK(ab.images == std::vector<ContainerImage>{{"ab", "ab:v1"}, {"ab", "ab:v1"}});
  REQUIRE(ab.standalone);
  const std::string pods =
      R"({"metadata":{"labels":{"app":"ab"}},"spec":{"containers":[{"image":"ab:v1","name":"ab"}]}})";
  const std::string selector = R"({"matchLabels":{"app":"ab"}})";
  CHECK(*ab.standalone ==
        StandaloneExperiment{.templates = {{.name = "base", .selector = selector, .pod_template = pods},
                                           {.name = "trial",
                                            .replicas = 2,
                                            .min_ready_seconds = 5,
                                            .selector = selector,
                                            .pod_template = pods,
                                            .has_service = true,
                                            .service = "ab-v2"}},
                             .duration = 300s,
                             .scale_down_delay = 0s,
                             .terminate = true});
  CHECK(file.published.empty());
  CHECK(file.objects.empty());
  CHECK(file.rollout_lines.front().kind == "Experiment");
  // Defaults.
  const ManifestFile plain = read_manifests("r.yaml", experiment_file(version_of("a", "    service: {}\n")), "default");
  REQUIRE(plain.rollouts.size() == 1);
  CHECK(plain.rollouts[0].progress_deadline == 600s);
  CHECK(plain.rollouts[0].standalone->scale_down_delay == 30s);
  CHECK_FALSE(plain.rollouts[0].standalone->duration);
  CHECK(plain.rollouts[0].standalone->templates[0].has_service);
}

TEST_CASE("the hash of an Experiment is that of its spec without terminate", "[manifest][standalone]") {
  auto hash = [](const std::string& spec, const std::string& more = "") {
    return read_manifests("r.yaml", experiment_file(version_of("a", more), spec), "default").rollouts.at(0).hash;
  };
  CHECK(hash("") == hash("  terminate: true\n"));
  CHECK(hash("") == hash("  terminate: false\n"));
  CHECK(hash("") != hash("  duration: 5m\n"));
  CHECK(hash("") != hash("", "    replicas: 2\n"));
}

TEST_CASE("what an Experiment may not say", "[manifest][standalone]") {
  CHECK(problem_of(experiment_file("")) == "r.yaml:4:1: spec: templates is required: at least one");
  CHECK(problem_of(experiment_file(version_of("a") + version_of("a"))) ==
        "r.yaml:11:5: spec.templates[1].name: \"a\" is the name of another one");
  CHECK(problem_of(experiment_file(version_of("A"))).starts_with("r.yaml:6:5: spec.templates[0].name: must be a name"));
  CHECK(problem_of(experiment_file(version_of("a", "", "other"))) ==
        "r.yaml:7:5: spec.templates[0].selector: does not select the labels of spec.template");
  CHECK(problem_of(experiment_file("  - {name: a}\n")) ==
        "r.yaml:6:5: spec.templates[0].selector is required; r.yaml:6:5: spec.templates[0].template is required");
  CHECK(problem_of(experiment_file(version_of("a", "    replicas: -1\n")))
            .starts_with("r.yaml:8:5: spec.templates[0].replicas: must be"));
  CHECK(problem_of(experiment_file(version_of("a", "    specRef: stable\n"))) ==
        "r.yaml:8:5: unknown field \"spec.templates[0].specRef\"");
  CHECK(problem_of(experiment_file(version_of("a", "    minReadySeconds: 600\n"))) ==
        "r.yaml:8:5: spec.templates[0].minReadySeconds: must be less than progressDeadlineSeconds (600)");
  CHECK(problem_of(experiment_file(version_of("a", "    service: {name: x_y}\n")))
            .starts_with("r.yaml:8:15: spec.templates[0].service.name: must be a name"));
  CHECK(problem_of(experiment_file(version_of("a", "    service: {name: x}\n") +
                                   version_of("b", "    service: {name: x}\n"))) ==
        "r.yaml:14:15: spec.templates[1].service.name: \"x\" is the name of another one");
  const std::string longest(61, 'x');
  CHECK(problem_of(experiment_file(version_of(longest, "    service: {}\n"))) ==
        "r.yaml:8:5: spec.templates[0].service: \"ab-" + longest +
            "\" cannot be the name of a Service: set service.name");
  CHECK(problem_of(experiment_file(version_of("a"), "  duration: soon\n"))
            .starts_with("r.yaml:5:3: spec.duration: must be"));
  CHECK(problem_of(experiment_file(version_of("a"), "  terminat: true\n")) ==
        "r.yaml:5:3: unknown field \"spec.terminat\" (did you mean \"terminate\"?)");
  CHECK(problem_of(experiment_file(version_of("a"), "  analyses: [{name: a, templateName: b}]\n")) ==
        "r.yaml:5:3: spec.analyses is not supported yet");
  CHECK(problem_of("apiVersion: argoproj.io/v1alpha1\nkind: Experiment\nmetadata: {name: e}\n") ==
        "r.yaml:1:1: spec is required");
  std::string other_version = experiment_file(version_of("a"));
  other_version.replace(other_version.find("v1alpha1"), 8, "v1beta1");
  CHECK(problem_of(other_version) == "r.yaml:1:1: apiVersion: must be argoproj.io/v1alpha1");
  // All at once.
  CHECK(problems_of(experiment_file(version_of("a", "    replicas: x\n"), "  duration: soon\n  analyses: [{}]\n"))
            .size() == 3);
}

TEST_CASE("an Experiment and a Rollout of one name are not both", "[manifest][standalone]") {
  const std::string both = with("name: checkout\n", "name: ab\n") + "---\n" + experiment_file(version_of("a"));
  CHECK(problem_of(both).find(": argoproj.io/Experiment shop/ab stands twice in this file, also at line 1") !=
        std::string::npos);
}

TEST_CASE("an experiment is typed", "[manifest]") {
  const ManifestFile file = read_manifests(
      "r.yaml",
      with(
          "pause: {}",
          "experiment: {duration: 5m, scaleDownDelaySeconds: 7, templates: [{name: base, specRef: stable, weight: 5},\n"
          "            {name: trial, specRef: canary, replicas: 2, service: {name: checkout-trial},\n"
          "             selector: {matchLabels: {app: checkout}}, metadata: {labels: {role: trial}}}]}"),
      "default");
  REQUIRE(file.rollouts.size() == 1);
  const auto* experiment = std::get_if<Experiment>(&file.rollouts[0].steps[3]);
  REQUIRE(experiment);
  CHECK(*experiment == Experiment{.templates = {{.name = "base", .weight = 5, .has_service = true},
                                                {.name = "trial",
                                                 .spec = Experiment::SpecRef::Canary,
                                                 .replicas = 2,
                                                 .metadata = {{{"role", "trial"}}, {}},
                                                 .selector = R"({"matchLabels":{"app":"checkout"}})",
                                                 .has_service = true,
                                                 .service = "checkout-trial"}},
                                  .duration = 300s,
                                  .scale_down_delay = 7s});
}

TEST_CASE("the rules of an experiment", "[manifest]") {
  auto problem = [](const std::string& text) {
    const auto all = problems_of(with("pause: {}", "experiment: {" + text + "}"));
    std::string out;
    for (const std::string& each : all) out += (out.empty() ? "" : "; ") + each.substr(each.find(": ") + 2);
    return out;
  };
  const std::string at = "spec.strategy.canary.steps[3].experiment";
  CHECK(problem("duration: 5m") == at + ": templates is required: at least one");
  CHECK(problem("duration: soon, templates: [{name: a, specRef: stable}]").starts_with(at + ".duration: must be"));
  CHECK(problem("templates: [{name: a, specRef: canary}, {name: a, specRef: stable}]") ==
        at + ".templates[1].name: \"a\" is the name of another one");
  CHECK(problem("templates: [{name: a}]") == at + ".templates[0]: specRef is required");
  CHECK(problem("templates: [{name: a, specRef: old}]") == at + ".templates[0].specRef: must be stable or canary");
  CHECK(problem("templates: [{name: a, specRef: stable, weight: 5, replicas: 0}]") ==
        at + ".templates[0].weight: needs replicas");
  // setWeight: 40 comes before it.
  CHECK(problem("templates: [{name: a, specRef: stable, weight: 61}]") ==
        at + ".templates[0].weight: leaves no room: with the canary's weight they come to 101");
  CHECK(problem("templates: [{name: a, specRef: stable, selector: {matchLabels: {app: trial}}}]") ==
        at + ".templates[0].selector: does not select the labels of its pods");
  CHECK(problem("templates: [{name: a, specRef: stable, metadata: {labels: {app: trial}}, "
                "selector: {matchLabels: {app: trial}}}]") == "");
  CHECK(problem("templates: [{name: a, specRef: stable, wait: 5}]").starts_with("unknown field"));
  CHECK(problem("templates: [{name: " + std::string(50, 'a') + ", specRef: stable, service: {}}]") ==
        at + ".templates[0]: makes the name of a Service with more than 63 characters: set service.name");
}

TEST_CASE("the rules of a Rollout", "[manifest]") {
  struct Case {
    std::string from, to;
    Texts problems;
  };
  const std::string canary = "spec.strategy.canary";
  Case cases[] = {
      {"replicas: 5", "replicas: -1", {"r.yaml:7:3: spec.replicas: must be at least 0, is -1"}},
      {"replicas: 5", "replicas: many", {"r.yaml:7:3: spec.replicas: must be an integer, is a string"}},
      {"replicas: 5", "minReadySeconds: -1", {"r.yaml:7:3: spec.minReadySeconds: must be at least 0, is -1"}},
      {"replicas: 5", "revisionHistoryLimit: -2", {"r.yaml:7:3: spec.revisionHistoryLimit: must be at least 0, is -2"}},
      {"replicas: 5",
       "progressDeadlineSeconds: -2",
       {"r.yaml:7:3: spec.progressDeadlineSeconds: must be at least 0, is -2"}},
      {"replicas: 5",
       "minReadySeconds: 600",
       {"r.yaml:6:1: spec.progressDeadlineSeconds: must be greater than minReadySeconds (600)"}},
      {"replicas: 5", "paused: \"yes\"", {"r.yaml:7:3: spec.paused: must be true or false, is a string"}},
      {"replicas: 5", "replica: 5", {"r.yaml:7:3: unknown field \"spec.replica\" (did you mean \"replicas\"?)"}},
      {"replicas: 5", "somethingElseEntirely: 5", {"r.yaml:7:3: unknown field \"spec.somethingElseEntirely\""}},
      {"  selector:\n    matchLabels: {app: checkout}\n", "", {"r.yaml:6:1: spec.selector is required"}},
      {"matchLabels: {app: checkout}", "matchLabels: {}", {"r.yaml:8:3: spec.selector: must not be empty"}},
      {"matchLabels: {app: checkout}",
       "matchLabels: {app: cart}",
       {"r.yaml:8:3: spec.selector: does not select the labels of spec.template"}},
      {"matchLabels: {app: checkout}", "matchExpressions: [{key: tier, operator: Exists}]", {"-"}},
      {"matchLabels: {app: checkout}",
       "matchExpressions: [{key: tier, operator: In, values: [db]}]",
       {"r.yaml:8:3: spec.selector: does not select the labels of spec.template"}},
      {"matchLabels: {app: checkout}",
       "matchExpressions: [{key: tier, operator: Is}]",
       {"r.yaml:9:24: spec.selector.matchExpressions[0]: operator must be In, NotIn, Exists or DoesNotExist"}},
      {"          ports:",
       "          restartPolicy: 5\n          ports:",
       {"r.yaml:20:11: spec.template.spec.containers[0].restartPolicy: must be a string, is an integer; write it in "
        "quotes"}},
      {"      initContainers:",
       "      restartPolicy: Never\n      initContainers:",
       {"r.yaml:14:7: spec.template.spec.restartPolicy: must be Always, is Never"}},
      {"image: registry.example.com/checkout:v1",
       "command: [a]",
       {"r.yaml:18:11: spec.template.spec.containers[0]: image is required"}},
      {"name: proxy",
       "name: web",
       {"r.yaml:21:11: spec.template.spec.containers[1].name: a container named \"web\" stands here twice"}},
      {"containerPort: 8080",
       "containerPort: 80800",
       {"r.yaml:20:20: spec.template.spec.containers[0].ports[0].containerPort: must be 1 to 65535, is 80800"}},
      {"ports: [{containerPort: 8080}]",
       "resources: {limits: {cpu: lots}}",
       {"r.yaml:20:32: spec.template.spec.containers[0].resources.limits.cpu: must be a quantity such as 500m or 1Gi, "
        "is \"lots\""}},
      {"ports: [{containerPort: 8080}]",
       "volumeMounts: [{name: x, mountPath: /x}]",
       {"r.yaml:20:27: spec.template.spec.containers[0].volumeMounts[0].name: there is no volume \"x\" in this "
        "template"}},
      {"stableService: checkout-stable",
       "stableService: checkout-canary",
       {"r.yaml:25:7: " + canary + ".stableService: must be another Service than canaryService"}},
      {"      stableService: checkout-stable\n",
       "",
       {"r.yaml:24:5: " + canary + ".stableService is required with trafficRouting: it needs both services"}},
      {"      steps:",
       "      maxSurge: 0\n      maxUnavailable: 0%\n      steps:",
       {"r.yaml:32:7: " + canary + ".maxSurge: maxSurge and maxUnavailable must not both be zero"}},
      {"      steps:",
       "      maxUnavailable: 120%\n      steps:",
       {"r.yaml:32:7: " + canary + ".maxUnavailable: must be a count, or a percentage of 0% to 100%"}},
      {"      steps:",
       "      antiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: {weight: 200}}\n      steps:",
       {"r.yaml:32:72: " + canary +
        ".antiAffinity.preferredDuringSchedulingIgnoredDuringExecution.weight: must be 1 to 100, is 200"}},
      {"      steps:",
       "      antiAffinity: {}\n      steps:",
       {"r.yaml:32:7: " + canary +
        ".antiAffinity: must have exactly one of requiredDuringSchedulingIgnoredDuringExecution and "
        "preferredDuringSchedulingIgnoredDuringExecution"}},
      {"      steps:",
       "      canaryMetadata: {labels: {tier: 5}}\n      steps:",
       {"r.yaml:32:33: " + canary +
        ".canaryMetadata.labels.tier: must be a string, is an integer; write it in quotes"}},
      {"replicas: 5",
       "workloadRef: {apiVersion: apps/v1, kind: Deployment, name: a}",
       {"r.yaml:10:3: spec.template: must be absent with workloadRef"}},
      {"matchLabels: {app: checkout}",
       "matchLabels: {app: a b}",
       {"r.yaml:9:19: spec.selector.matchLabels.app: must be at most 63 of A-Z, a-z, 0-9, -, _ and ., is \"a b\""}},
      {"matchLabels: {app: checkout}",
       "matchLabels: {app: }",
       {"r.yaml:9:5: spec.selector.matchLabels: app has no value"}},
      {"{app: checkout, tier: web}",
       "{app: checkout, tier/: web}",
       {"r.yaml:12:7: spec.template.metadata.labels: \"tier/\" is no key of a label or annotation"}},
      {"tier: web}", "tier: web}\n      annotations: {Example.com/Who: A b}", {"-"}},
      {"ports: [{containerPort: 8080}]",
       "ports: [{containerPort: 8080, protocol: HTTP}]",
       {"r.yaml:20:41: spec.template.spec.containers[0].ports[0].protocol: must be TCP, UDP or SCTP"}},
      {"ports: [{containerPort: 8080}]",
       "readinessProbe: {httpGet: {port: 80800}, exec: {}}",
       {"r.yaml:20:11: spec.template.spec.containers[0].readinessProbe: must have exactly one way to ask, such as "
        "httpGet",
        "r.yaml:20:38: spec.template.spec.containers[0].readinessProbe.httpGet.port: must be 1 to 65535, is 80800"}},
      {"ports: [{containerPort: 8080}]",
       "command: \"\"",
       {"r.yaml:20:11: spec.template.spec.containers[0].command: must be a list, is a string"}},
      {"      initContainers:",
       "      volumes: [{name: a, emptyDir: {}, secret: {secretName: b}}]\n      initContainers:",
       {"r.yaml:14:17: spec.template.spec.volumes[0]: must be of one kind, such as configMap"}},
      {"replicas: 5",
       "analysis: {successfulRunHistoryLimit: -1}",
       {"r.yaml:7:14: spec.analysis.successfulRunHistoryLimit: must be at least 0, is -1"}},
      {"      steps:",
       "      antiAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {weight: 1}}\n      steps:",
       {"r.yaml:32:71: unknown field \"" + canary +
        ".antiAffinity.requiredDuringSchedulingIgnoredDuringExecution.weight\""}},
      {"replicas: 5", "restartAt: soon", {"r.yaml:7:3: spec.restartAt: must be a time such as 2026-11-20T09:14:03Z"}},
      {"      steps:", "      maxSurge: 0\n      maxUnavailable: 1%\n      steps:", {"-"}},
      {"      steps:",
       "      dynamicStableScale: true\n      scaleDownDelaySeconds: 5\n      steps:",
       {"r.yaml:32:7: " + canary + ".dynamicStableScale: cannot be used together with scaleDownDelaySeconds"}},
      {"      steps:",
       "      replicaProgressThreshold: {type: Share, value: 5}\n      steps:",
       {"r.yaml:32:34: " + canary + ".replicaProgressThreshold.type: must be Percent or Pods"}},
      {"      steps:",
       "      replicaProgressThreshold: {type: Percent, value: 101}\n      steps:",
       {"r.yaml:32:49: " + canary + ".replicaProgressThreshold.value: must be 0 to 100, is 101"}},
      {"setWeight: 20",
       "setCanaryScale: {replicas: 2, weight: 5}",
       {"r.yaml:33:11: " + canary +
        ".steps[0].setCanaryScale: must have exactly one of replicas, weight and matchTrafficWeight: true"}},
      {"setWeight: 20",
       "setCanaryScale: {replicas: -2}",
       {"r.yaml:33:28: " + canary + ".steps[0].setCanaryScale.replicas: must be at least 0, is -2"}},
      {"      steps:",
       "      maxSurge: lots\n      steps:",
       {"r.yaml:32:7: " + canary + ".maxSurge: must be a count or a percentage"}},
      {"      steps:",
       "      stepz: []\n      steps:",
       {"r.yaml:32:7: unknown field \"" + canary + ".stepz\" (did you mean \"steps\"?)"}},
      {"setWeight: 20",
       "setWeight: 110",
       {"r.yaml:33:11: " + canary + ".steps[0].setWeight: must be 0 to 100, is 110"}},
      {"setWeight: 20",
       "setWeight: 20\n          pause: {}",
       {"r.yaml:33:11: " + canary + ".steps[0]: a step must have exactly one type"}},
      {"- setWeight: 20",
       "- {}",
       {"r.yaml:33:11: " + canary + ".steps[0]: a step must have a type, such as setWeight or pause"}},
      {"duration: 5m",
       "duration: -5m",
       {"r.yaml:34:19: " + canary +
        ".steps[1].pause.duration: must be seconds, or a duration such as 90s, 5m or 1h30m, not negative"}},
      {"duration: 5m", "time: 5m", {"r.yaml:34:19: unknown field \"" + canary + ".steps[1].pause.time\""}},
      {"routes: [primary]",
       "routes: [a, a]",
       {"r.yaml:31:25: " + canary + ".trafficRouting.istio.virtualService.routes[1]: route \"a\" stands here twice"}},
      {"        istio:\n          virtualService:\n            name: checkout\n            routes: [primary]\n",
       "        maxTrafficWeight: 50\n",
       {"r.yaml:27:7: " + canary + ".trafficRouting: must name a router, such as istio",
        "r.yaml:28:9: " + canary + ".trafficRouting.maxTrafficWeight: needs nginx or a plugin"}},
      {"  name: checkout\n",
       "  name: Checkout\n",
       {"file r.yaml:4:3: metadata.name: must be a name of a-z, 0-9, - and . (at most 253), is \"Checkout\""}},
      {"  name: checkout\n",
       "  name: " + std::string(64, 'a') + "\n",
       {"r.yaml:4:3: metadata.name: must be at most 63 characters, because it becomes a label"}},
  };
  for (const Case& c : cases) {
    INFO(c.to);
    CHECK(problems_of(with(c.from, c.to)) == c.problems);
  }
}

TEST_CASE("workloadRef takes template and selector from another object", "[manifest]") {
  auto text = [](const std::string& ref) {
    return "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a, namespace: shop}\nspec:\n"
           "  workloadRef: " +
           ref + "\n  strategy: {canary: {}}\n";
  };
  CHECK(problems_of(text("{apiVersion: batch/v1, kind: Job, name: a}")) ==
        Texts{"r.yaml:5:3: spec.workloadRef: must name a Deployment or ReplicaSet of apps/v1, or a PodTemplate of v1, "
              "not Job of batch/v1"});
  CHECK(problems_of(text("{apiVersion: apps/v1, kind: Deployment, name: a, scaleDown: soon}")) ==
        Texts{"r.yaml:5:65: spec.workloadRef.scaleDown: must be never, onsuccess or progressively"});
  const ManifestFile file =
      read_manifests("r.yaml", text("{apiVersion: apps/v1, kind: Deployment, name: b}"), "default");
  REQUIRE(file.rollouts.size() == 1);
  CHECK(workload_key(file.rollouts[0]).text() == "apps/Deployment shop/b");
  const Json pod_template = Json::parse(
      R"({"metadata":{"labels":{"app":"till"}},"spec":{"containers":[{"name":"till","image":"example.com/till:v1"}]}})");
  const Json selector = {{"matchLabels", {{"app", "till"}}}};
  const auto filled = with_workload(file.rollouts[0], {{"spec", {{"template", pod_template}, {"selector", selector}}}});
  REQUIRE(filled);
  CHECK(filled->hash == *pod_template_hash(pod_template, std::nullopt));
  CHECK(filled->selector == dump(selector));
  CHECK(filled->images == std::vector<ContainerImage>{{"till", "example.com/till:v1"}});
  const ManifestFile selecting = read_manifests(
      "r.yaml", text("{apiVersion: apps/v1, kind: Deployment, name: b}\n  selector: {matchLabels: {tier: web}}"),
      "default");
  REQUIRE(selecting.rollouts.size() == 1);
  const auto unselected =
      with_workload(selecting.rollouts[0], {{"spec", {{"template", pod_template}, {"selector", selector}}}});
  REQUIRE(!unselected);
  CHECK(unselected.error().message ==
        "spec.workloadRef: the template of apps/Deployment shop/b: does not select the labels of spec.template");
  const auto broken = with_workload(file.rollouts[0], {{"spec", {{"template", pod_template}}}});
  REQUIRE(!broken);
  CHECK(broken.error().message.starts_with("spec.workloadRef: the template of apps/Deployment shop/b: "));
}

TEST_CASE("without trafficRouting services are optional, and what needs a router is refused", "[manifest]") {
  auto problems = [](const std::string& strategy) {
    return problems_of(
        "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec:\n"
        "  selector: {matchLabels: {a: b}}\n"
        "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}\n"
        "  strategy:\n    canary: " +
        strategy + "\n");
  };
  const std::string canary = "spec.strategy.canary";
  CHECK(problems("{}") == Texts{"-"});
  CHECK(problems("{maxSurge: 1, maxUnavailable: 0, steps: [{setWeight: 20}, {pause: {}}]}") == Texts{"-"});
  CHECK(problems("{stableService: a, canaryService: b}") == Texts{"-"});
  CHECK(problems("{stableService: a, canaryService: a}") ==
        Texts{"r.yaml:8:14: " + canary + ".stableService: must be another Service than canaryService"});
  CHECK(problems("{scaleDownDelaySeconds: 0}") ==
        Texts{"r.yaml:8:14: " + canary + ".scaleDownDelaySeconds: needs trafficRouting"});
  CHECK(problems("{dynamicStableScale: true}") ==
        Texts{"r.yaml:8:14: " + canary + ".dynamicStableScale: needs trafficRouting"});
  CHECK(problems("{pingPong: {pingService: a, pongService: b}}") ==
        Texts{"r.yaml:8:14: " + canary + ".pingPong: needs trafficRouting"});
  CHECK(problems("{steps: [{experiment: {templates: [{name: a, specRef: stable, weight: 5}]}}]}") ==
        Texts{"r.yaml:8:75: " + canary +
              ".steps[0].experiment.templates[0].weight is carried out by istio, alb, smi and "
              "argoproj-labs/gatewayAPI only"});
  CHECK(problems("{steps: [{setCanaryScale: {replicas: 1}}]}") ==
        Texts{"r.yaml:8:23: " + canary + ".steps[0].setCanaryScale: needs trafficRouting"});
}

TEST_CASE("all problems of a Rollout are reported at once, in the order of the file", "[manifest]") {
  std::string text = with("replicas: 5", "replicas: -1");
  text.replace(text.find("setWeight: 20"), 13, "setWeight: 200");
  text.replace(text.find("pause: {}"), 9, "analysis: {templates: []}");
  CHECK(problems_of(text) == Texts{"r.yaml:7:3: spec.replicas: must be at least 0, is -1",
                                   "r.yaml:33:11: spec.strategy.canary.steps[0].setWeight: must be 0 to 100, is 200",
                                   "r.yaml:36:11: spec.strategy.canary.steps[3].analysis is not supported yet"});
  CHECK(problems_of("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\n") ==
        Texts{"r.yaml:1:1: spec is required"});
  CHECK(problems_of("apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec: {}\n") ==
        Texts{"r.yaml:4:1: spec.selector is required", "r.yaml:4:1: spec.template is required",
              "r.yaml:4:1: spec.strategy is required"});
}

TEST_CASE("deviation 5: all errors at once, also of steps with several types", "[manifest]") {
  std::string text = with("setWeight: 20", "setWeight: 20\n          setCanaryScale: {replicas: 1, weight: 2}");
  text.replace(text.find("duration: 5m"), 12, "duration: never");
  const std::string steps = "spec.strategy.canary.steps";
  CHECK(problems_of(text) ==
        Texts{"r.yaml:33:11: " + steps + "[0]: a step must have exactly one type",
              "r.yaml:34:11: " + steps +
                  "[0].setCanaryScale: must have exactly one of replicas, weight and matchTrafficWeight: true",
              "r.yaml:35:19: " + steps +
                  "[1].pause.duration: must be seconds, or a duration such as 90s, 5m or 1h30m, not negative"});
}

TEST_CASE("some things are only warned of", "[manifest]") {
  CHECK(warnings_of(with("      steps:", "      maxSurge: \"50\"\n      steps:")) ==
        Texts{"r.yaml:32:7: spec.strategy.canary.maxSurge: \"50\" is read as 50%; write it so"});
  CHECK(warnings_of(with("          ports:", "          imagePullpolicy: Always\n          ports:")) ==
        Texts{"r.yaml:20:11: spec.template.spec.containers[0].imagePullpolicy: this field is not part of the pod API "
              "and is ignored"});
}

TEST_CASE("what has no effect without a router is warned of", "[manifest]") {
  const std::string text =
      "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\nspec:\n"
      "  selector: {matchLabels: {a: b}}\n"
      "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}\n"
      "  strategy: {canary: {abortScaleDownDelaySeconds: 5, minPodsPerReplicaSet: 2}}\n";
  CHECK(problems_of(text) == Texts{"-"});
  CHECK(warnings_of(text) ==
        Texts{"r.yaml:7:23: spec.strategy.canary.abortScaleDownDelaySeconds: has no effect without trafficRouting",
              "r.yaml:7:54: spec.strategy.canary.minPodsPerReplicaSet: has no effect without trafficRouting"});
}

TEST_CASE("plain objects are kept as they are, with the default namespace", "[manifest]") {
  ManifestFile file = read_manifests("all.yaml", R"(apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "system:thing"}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: w}
---
just: values
---
# nothing
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: rate}
)",
                                     "team");
  REQUIRE(file.problems.empty());
  CHECK(file.warnings.empty());
  std::vector<std::string> keys;
  for (const PlainObject& object : file.objects) keys.push_back(object.key.text());
  CHECK(keys == Texts{"Service team/web", "networking.istio.io/VirtualService shop/web", "Namespace shop",
                      "rbac.authorization.k8s.io/ClusterRole system:thing", "example.com/Widget team/w"});
  CHECK(file.objects[0].object["metadata"]["namespace"] == "team");
  CHECK(file.objects[0].line == 1);
  CHECK(file.objects[2].line == 10);
  CHECK(!file.objects[2].object["metadata"].contains("namespace"));
}

TEST_CASE("a List is its items", "[manifest]") {
  ManifestFile file = read_manifests("l.yaml",
                                     "apiVersion: v1\nkind: List\nitems:\n"
                                     "  - {apiVersion: v1, kind: Service, metadata: {name: a}}\n"
                                     "  - {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n",
                                     "x");
  REQUIRE(file.problems.empty());
  REQUIRE(file.objects.size() == 2);
  CHECK(file.objects[1].key == ObjectKey{"", "ConfigMap", "x", "b"});
  CHECK(file.objects[1].line == 5);
  CHECK(read_manifests("l.yaml", "apiVersion: v1\nkind: List\nitems:\n  - {a: b}\n", "x").problems.at(0).text() ==
        "l.yaml:4:5: items[0]: an item of a List must have apiVersion and kind");
  CHECK(read_manifests("l.yaml", "apiVersion: v1\nkind: List\nitems: 5\n", "x").problems.size() == 1);
}

TEST_CASE("documents that are no proper manifests are problems", "[manifest]") {
  std::pair<const char*, const char*> cases[] = {
      {"kind: Service", "m.yaml:1:1: kind without apiVersion"},
      {"apiVersion: v1", "m.yaml:1:1: apiVersion without kind"},
      {"apiVersion: 1\nkind: Service", "m.yaml:1:1: apiVersion: must be a string, is an integer; write it in quotes"},
      {"apiVersion: v1\nkind: Service", "m.yaml:1:1: metadata.name is required"},
      {"apiVersion: v1\nkind: Service\nmetadata: {}", "m.yaml:3:1: metadata: name is required"},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: a/b}",
       "m.yaml:3:12: metadata.name: must be a name of a-z, 0-9, - and . (at most 253), is \"a/b\""},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: B}",
       "m.yaml:3:21: metadata.namespace: must be a name of a-z, 0-9 and - (at most 63), is \"B\""},
      {"apiVersion: serin.dev/v1alpha1\nkind: RolloutStatus\nmetadata: {name: a}",
       "m.yaml:1:1: a RolloutStatus belongs under status/ or decisions/, not among the manifests"},
      {"apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}",
       "m.yaml:5:1: Service x/a stands twice in this file, also at line 1"},
      {"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nsops: {mac: x}",
       "m.yaml:1:1: Secret x/a is still encrypted; decrypt it, or use a controller that does"},
      {"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {p: \"ENC[AES256_GCM,data:x]\"}",
       "m.yaml:1:1: Secret x/a is still encrypted; decrypt it, or use a controller that does"}};
  for (auto [text, problem] : cases) {
    INFO(text);
    ManifestFile file = read_manifests("m.yaml", text, "x");
    REQUIRE(file.problems.size() == 1);
    CHECK(file.problems[0].text() == problem);
  }
}

TEST_CASE("one bad document does not hide the others", "[manifest]") {
  ManifestFile file = read_manifests(
      "m.yaml", "kind: A\n---\nkind: B\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\na: [\n", "x");
  CHECK(file.problems.size() == 3);
  CHECK(file.objects.size() == 1);
}

TEST_CASE("values of Secrets never stand in a message", "[manifest]") {
  for (const char* text : {"apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: hunter2",
                           "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: hunter2}\n  x: hunter2",
                           "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  p: \"hunter2\n",
                           "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: [hunter2]\ndata: *hunter"}) {
    for (const Problem& problem : read_manifests("s.yaml", text, "x").problems) {
      INFO(problem.text());
      CHECK(problem.text().find("hunter2") == std::string::npos);
    }
  }
}

TEST_CASE("random changes of a Rollout are never more than problems", "[manifest]") {
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    std::mt19937 random(seed);
    std::string text = kRollout;
    for (int i = random() % 4; i >= 0; --i) {
      static constexpr std::string_view kValues[] = {"[]",   "{}",  "null", "5",      "-1", "\"\"",
                                                     "true", "1.5", "[{}]", "{a: 1}", "x"};
      size_t colon = text.find(": ", random() % text.size());
      if (colon == text.npos) continue;
      size_t end = text.find('\n', colon);
      text.replace(colon + 2, end - colon - 2, kValues[random() % std::size(kValues)]);
    }
    INFO("seed " << seed << "\n" << text);
    ManifestFile file = read_manifests("r.yaml", text, "default");
    size_t outcomes = file.rollouts.size() + file.refused.size() + file.objects.size() + file.problems.size();
    CHECK(outcomes >= 1);
    for (const RefusedRollout& refused : file.refused) CHECK(!refused.problems.empty());
  }
}

TEST_CASE("manifests are known by their names", "[manifest]") {
  for (const char* path : {"a.yaml", "x/b.yml", "x/y/c.json"}) CHECK(is_manifest_path(path));
  for (const char* path : {"a.txt", ".a.yaml", ".github/a.yaml", "x/.y/c.json", "yaml", ".yaml", "x/.yaml", "a.yaml/b"})
    CHECK(!is_manifest_path(path));
}
