// Valid manifests of every strategy with parts of them changed: what is wrong is said with its place, `serin validate`
// says what the daemon says, and nothing is read as if it were not there.
#include <random>

#include "manifest/check_file.h"

#include "catch.h"

using namespace reconciler;

namespace {

/// Everything of a Rollout but its strategy.
Json rollout_with(const char* strategy) {
  Json out = Json::parse(R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout",
    "metadata":{"name":"r","namespace":"n","labels":{"l":"m"},"annotations":{"a":"b"}},
    "spec":{"replicas":5,"minReadySeconds":3,"revisionHistoryLimit":4,"paused":true,"progressDeadlineSeconds":50,
      "progressDeadlineAbort":true,"restartAt":"2026-11-20T09:14:03Z","rollbackWindow":{"revisions":2},
      "analysis":{"successfulRunHistoryLimit":2,"unsuccessfulRunHistoryLimit":2},
      "selector":{"matchLabels":{"app":"a"},"matchExpressions":[{"key":"tier","operator":"In","values":["web","x"]}]},
      "template":{"metadata":{"labels":{"app":"a","tier":"web"},"annotations":{"x":"y"}},
        "spec":{"terminationGracePeriodSeconds":5,"volumes":[{"name":"v","emptyDir":{"sizeLimit":"1Gi"}}],
          "containers":[{"name":"c","image":"i:v1","imagePullPolicy":"Always","command":["a"],
            "env":[{"name":"E","value":"1"}],"ports":[{"name":"http","containerPort":80,"protocol":"TCP"}],
            "resources":{"requests":{"cpu":"5m"},"limits":{"cpu":"10m"}},
            "readinessProbe":{"httpGet":{"path":"/","port":"http"},"periodSeconds":3},
            "volumeMounts":[{"name":"v","mountPath":"/v"}]}]}}}})");
  out["spec"]["strategy"] = Json::parse(strategy);
  return out;
}

Json with_workload_ref() {
  Json out = rollout_with(R"({"canary":{"maxSurge":1,"maxUnavailable":0,"steps":[{"setWeight":20},
    {"experiment":{"templates":[{"name":"base","specRef":"stable"}]}}]}})");
  out["spec"].erase("template");
  out["spec"].erase("selector");
  out["spec"]["workloadRef"] = {
      {"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "d"}, {"scaleDown", "progressively"}};
  return out;
}

Json standalone_experiment() {
  Json out = rollout_with("{}");
  const Json one = {{"name", "base"}, {"selector", out["spec"]["selector"]}, {"template", out["spec"]["template"]}};
  Json other = one;
  other["name"] = "trial";
  other.update({{"replicas", 2}, {"minReadySeconds", 3}, {"service", {{"name", "q"}}}});
  out["kind"] = "Experiment";
  out["spec"] = {{"duration", "1h"},
                 {"progressDeadlineSeconds", 50},
                 {"terminate", true},
                 {"scaleDownDelaySeconds", 4},
                 {"templates", {one, other}}};
  return out;
}

const std::vector<Json>& valid_ones() {
  static const std::vector<Json> all = {
      rollout_with(R"({"canary":{"canaryService":"c","stableService":"s","maxSurge":"20%","maxUnavailable":1,
        "scaleDownDelaySeconds":7,"scaleDownDelayRevisionLimit":2,"abortScaleDownDelaySeconds":9,
        "minPodsPerReplicaSet":2,"replicaProgressThreshold":{"type":"Percent","value":90},
        "antiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":{"weight":5}},
        "canaryMetadata":{"labels":{"role":"canary"},"annotations":{"q":"r"}},
        "stableMetadata":{"labels":{"role":"stable"}},
        "trafficRouting":{"managedRoutes":[{"name":"h"},{"name":"m"}],"istio":{"virtualService":{"name":"vs",
          "routes":["primary"],"tlsRoutes":[{"port":443,"sniHosts":["a.b"]}],"tcpRoutes":[{"port":33}]},
          "destinationRule":{"name":"dr","canarySubsetName":"can","stableSubsetName":"sta"}}},
        "steps":[{"setWeight":20},{"pause":{"duration":"5m"}},{"pause":{"duration":30}},{"pause":{}},
          {"setCanaryScale":{"replicas":2}},{"setCanaryScale":{"weight":20}},
          {"setCanaryScale":{"matchTrafficWeight":true}},
          {"setHeaderRoute":{"name":"h","match":[{"headerName":"X","headerValue":{"exact":"v"}}]}},
          {"setMirrorRoute":{"name":"m","percentage":35,"match":[{"method":{"exact":"GET"},"path":{"prefix":"/"},
            "headers":{"x":{"regex":"y"}}}]}},
          {"experiment":{"duration":"1h","scaleDownDelaySeconds":4,"templates":[{"name":"base","specRef":"stable",
            "replicas":2,"weight":5,"service":{"name":"q"},"metadata":{"labels":{"e":"f"}},
            "selector":{"matchLabels":{"e":"f"}}},{"name":"can","specRef":"canary"}]}}]}})"),
      rollout_with(R"({"canary":{"canaryService":"c","stableService":"s","dynamicStableScale":true,
        "replicaProgressThreshold":{"type":"Pods","value":2},
        "antiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{}},
        "trafficRouting":{"istio":{"virtualServices":[{"name":"vs.ns","routes":["primary"]},{"name":"b"}]}},
        "steps":[{"setWeight":20}]}})"),
      rollout_with(R"({"canary":{"canaryService":"c","stableService":"s","trafficRouting":{
        "nginx":{"stableIngress":"i","annotationPrefix":"p","additionalIngressAnnotations":{"a":"b"},
          "canaryIngressAnnotations":{"c":"d"}},
        "alb":{"ingress":"i","servicePort":80,"rootService":"root","annotationPrefix":"x",
          "stickinessConfig":{"enabled":true,"durationSeconds":60}},
        "smi":{"rootService":"r","trafficSplitName":"t"},"ambassador":{"mappings":["m"]},
        "traefik":{"weightedTraefikServiceName":"w"},"apisix":{"route":{"name":"ar","rules":["x"]}},
        "plugins":{"argoproj-labs/gatewayAPI":{"httpRoute":"h","namespace":"ns","grpcRoutes":[{"name":"g"}]}}},
        "steps":[{"setWeight":20}]}})"),
      rollout_with(R"({"canary":{"pingPong":{"pingService":"ping","pongService":"pong"},"trafficRouting":{
        "alb":{"ingresses":["i","j"],"servicePort":80,"rootService":"root"}},"steps":[{"setWeight":20}]}})"),
      rollout_with(R"({"blueGreen":{"activeService":"a","previewService":"b","previewReplicaCount":1,
        "autoPromotionEnabled":false,"autoPromotionSeconds":30,"maxUnavailable":"10%","scaleDownDelaySeconds":7,
        "scaleDownDelayRevisionLimit":2,"abortScaleDownDelaySeconds":9,
        "antiAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":{"weight":5}},
        "previewMetadata":{"labels":{"r":"p"}},"activeMetadata":{"labels":{"r":"a"}}}})"),
      with_workload_ref(),
      standalone_experiment()};
  return all;
}

/// The pointers of everything in a document but itself.
void add_places(const Json& value, const Json::json_pointer& at, std::vector<Json::json_pointer>& out) {
  if (!at.empty()) out.push_back(at);
  if (value.is_object())
    for (const auto& [key, member] : value.items()) add_places(member, at / key, out);
  if (value.is_array())
    for (size_t i = 0; i < value.size(); ++i) add_places(value[i], at / i, out);
}

std::vector<Json::json_pointer> places_of(const Json& document) {
  std::vector<Json::json_pointer> out;
  add_places(document, Json::json_pointer(), out);
  return out;
}

/// What the daemon makes of it: nothing when it is accepted. Checks what holds of every answer.
std::vector<Problem> problems_with(const Json& document) {
  const std::string text = document.dump();
  const ManifestFile file = read_manifests("r.json", text, "default");
  std::vector<Problem> out = file.problems;
  for (const RefusedRollout& refused : file.refused)
    out.insert(out.end(), refused.problems.begin(), refused.problems.end());
  CHECK(out.empty() == (file.rollouts.size() + file.objects.size() == 1));
  for (const Problem& problem : out) {
    INFO(problem.text());
    CHECK(problem.line >= 1);
    CHECK(problem.message.size() < 250);
    CHECK(problem.message.find_first_of("\r\n") == std::string::npos);
  }
  // Whatever the daemon refuses `serin validate` refuses too, because it asks the same readers first.
  if (file.rollouts.empty()) return out;
  const FileCheck check = check_file("r.json", text, FileRole::Manifests, "default");
  INFO("validate: " << (check.problems.empty() ? "" : check.problems.front().text()));
  CHECK(check.problems.empty());
  return out;
}

bool ends_with_one_of(std::string_view text, std::initializer_list<std::string_view> ends) {
  return std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return text.ends_with(end); });
}

/// May a value of this place be of the type that `value` has?
bool may_be(const std::string& place, const Json& value) {
  if (ends_with_one_of(place, {"/maxSurge", "/maxUnavailable", "/duration", "/httpGet/port"}))
    return value.is_string() || value.is_number();
  return ends_with_one_of(place, {"/cpu", "/sizeLimit"}) && value.is_number();
}

}  // namespace

TEST_CASE("the manifests that are changed here are valid", "[mutation]") {
  for (const Json& valid : valid_ones()) CHECK(problems_with(valid).empty());
}

TEST_CASE("no member of a Rollout may have another type than its own", "[mutation]") {
  // Most are what is left out of a hash when it is of the right type.
  const std::vector<Json> values = {"", 7, 7.5, false, Json::array(), Json::object()};
  for (const Json& valid : valid_ones())
    for (const auto& place : places_of(valid)) {
      const std::string path = place.to_string();
      for (const Json& value : values) {
        const bool same = value == 7 ? valid[place].is_number() : value.type() == valid[place].type();
        if (same || may_be(path, value)) continue;
        Json changed = valid;
        changed[place] = value;
        INFO(path << " = " << value);
        CHECK(!problems_with(changed).empty());
      }
    }
}

TEST_CASE("a member that does not exist is refused wherever it stands", "[mutation]") {
  for (const Json& valid : valid_ones())
    for (const auto& place : places_of(valid)) {
      const std::string path = place.to_string();
      // The pod API has members that we do not know; of them is warned. Labels are free.
      const bool of_pod = path.ends_with("/template") || path.find("/template/") != std::string::npos;
      if (!valid[place].is_object() || of_pod || ends_with_one_of(path, {"abels", "nnotations", "/headers"})) continue;
      Json changed = valid;
      changed[place]["surprise"] = {{"exact", "x"}};
      INFO(path);
      CHECK(!problems_with(changed).empty());
    }
}

TEST_CASE("any changes give a Rollout or lines that say what is wrong", "[mutation]") {
  Json deep = 1;
  for (int i = 0; i < 40; ++i) deep = Json::array({{{"a", deep}}});
  const std::vector<Json> values = {nullptr,
                                    "",
                                    "x",
                                    " ",
                                    "A b",
                                    5,
                                    0,
                                    -1,
                                    true,
                                    1.5,
                                    1e300,
                                    1LL << 40,
                                    INT32_MAX,
                                    "5%",
                                    "100x",
                                    Json::array(),
                                    Json::object(),
                                    Json::array({nullptr}),
                                    {{"a", nullptr}},
                                    "\xC3\xA4\n",
                                    std::string(400, 'x'),
                                    deep};
  for (unsigned seed = 1; seed <= 400; ++seed) {
    std::mt19937 random(seed);
    Json changed = valid_ones()[random() % valid_ones().size()];
    for (unsigned n = 1 + random() % 4; n > 0; --n) {
      const auto places = places_of(changed);
      const auto& place = places[random() % places.size()];
      const auto parent = place.parent_pointer();
      const Json value = changed[place];
      switch (random() % 4) {
        case 0:
          changed[parent].is_object() ? void(changed[parent].erase(place.back())) : changed[parent].clear();
          break;
        case 1: changed[places[random() % places.size()]] = value; break;
        default: changed[place] = values[random() % values.size()];
      }
      if (changed.contains(parent) && changed[parent].is_array()) changed[parent].push_back(value);
    }
    INFO("seed " << seed << ": " << changed.dump());
    problems_with(changed);
  }
}
