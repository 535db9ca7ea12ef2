#include "rollout/pod_template_hash.h"

#include "rollout/quantity.h"
#include "rollout/steps_hash.h"

#include "catch.h"

using namespace reconciler;

namespace {

Json example(std::string_view name) {
  Json container = {{"name", name},
                    {"image", "nginx:1.19-alpine"},
                    {"ports", {{{"name", "http"}, {"containerPort", 80}, {"protocol", "TCP"}}}},
                    {"resources", {{"requests", {{"cpu", "5m"}, {"memory", "16Mi"}}}}}};
  Json out;
  out["metadata"]["labels"]["app"] = name;
  out["spec"]["containers"] = Json::array({container});
  return out;
}

Json with_gate() {
  Json out = example("dynamic-stable-scale");
  out["spec"]["readinessGates"] = Json::array({{{"conditionType", "argoproj.io/e2e-readiness"}}});
  return out;
}

std::string encoded(std::string_view text) {
  auto document = parse_json(text);
  REQUIRE(document);
  TypedEncoding encoding = encode_pod_template(*document);
  REQUIRE(encoding.problems.empty());
  return encoding.bytes;
}

}  // namespace

TEST_CASE("the pod-template hash is the one Argo Rollouts computes", "[hash]") {
  CHECK(*pod_template_hash(example("canary-scaledowndelay"), {}) == "674d8cf959");
  CHECK(*pod_template_hash(example("canary-scaledowndelay"), 0) == "68785fb4f5");
  CHECK(*pod_template_hash(example("canary-scaledowndelay"), 1) == "dbc977b9d");
  CHECK(*pod_template_hash(with_gate(), {}) == "6b56c8cdb4");
}

TEST_CASE("the hash of older controllers can be computed for taking over", "[hash]") {
  CHECK(*older_pod_template_hash(example("canary-scaledowndelay"), {}) == "66597877b7");
  CHECK(*older_pod_template_hash(with_gate(), {}) == "868d98995b");
}

TEST_CASE("unknown members and the spelling of quantities do not change the hash", "[hash]") {
  Json other = example("canary-scaledowndelay");
  other["spec"]["notAField"] = 7;
  other["spec"]["containers"][0]["resources"]["requests"]["memory"] = "16384Ki";
  other["spec"]["containers"][0]["resources"]["requests"]["cpu"] = 0.005;
  other["spec"]["containers"][0]["env"] = Json::array();
  CHECK(*pod_template_hash(other, {}) == "674d8cf959");
  CHECK(encode_pod_template(other).unknown == std::vector<std::string>{"/spec/notAField"});
}

TEST_CASE("a template is encoded in typed form", "[hash]") {
  CHECK(encoded("{}") == R"({"metadata":{},"spec":{"containers":null}})");
  CHECK(encoded(R"({"spec":{"containers":[{}]}})") ==
        R"({"metadata":{},"spec":{"containers":[{"name":"","resources":{}}]}})");
  CHECK(encoded(R"({"spec":{"containers":[],"hostNetwork":false,"automountServiceAccountToken":false,
                    "terminationGracePeriodSeconds":0,"securityContext":{},"nodeSelector":{},"priority":null}})") ==
        R"({"metadata":{},"spec":{"containers":[],"terminationGracePeriodSeconds":0,)"
        R"("automountServiceAccountToken":false,"securityContext":{}}})");
  CHECK(encoded(R"({"metadata":{"labels":{"b":"2","a":"1"},"name":"x"},"spec":{"containers":[]}})") ==
        R"({"metadata":{"name":"x","labels":{"a":"1","b":"2"}},"spec":{"containers":[]}})");
}

TEST_CASE("strings are escaped as Go escapes them", "[hash]") {
  CHECK(encoded("{\"metadata\":{\"name\":\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001<>&\\u2028\\u2029\xC3\xA9\"},\"spec\":{}}") ==
        "{\"metadata\":{\"name\":\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\\u003c\\u003e\\u0026\\u2028\\u2029\xC3\xA9\"},"
        "\"spec\":{\"containers\":null}}");
}

TEST_CASE("absent parts that are written anyway", "[hash]") {
  CHECK(encoded(R"({"spec":{"containers":[{"name":"a","livenessProbe":{"grpc":{"port":1},"httpGet":{}},
      "env":[{"name":"M","valueFrom":{"resourceFieldRef":{"resource":"limits.memory"}}}]}]}})") ==
        R"({"metadata":{},"spec":{"containers":[{"name":"a","env":[{"name":"M","valueFrom":{"resourceFieldRef":)"
        R"({"resource":"limits.memory","divisor":"0"}}}],"resources":{},"livenessProbe":{"httpGet":{"port":0},)"
        R"("grpc":{"port":1,"service":null}}}]}})");
}

TEST_CASE("a template with wrong types is refused by the name of the member", "[hash]") {
  Json wrong = example("a");
  wrong["spec"]["containers"][0]["ports"][0]["containerPort"] = "80";
  wrong["spec"]["containers"][0]["env"] = Json::array({{{"name", "DEBUG"}, {"value", true}}});
  CHECK(encode_pod_template(wrong).problems ==
        std::vector<TypeProblem>{
            {"/spec/containers/0/ports/0/containerPort", "must be an integer, is a string"},
            {"/spec/containers/0/env/0/value", "must be a string, is a boolean; write it in quotes"}});
  CHECK(pod_template_hash(wrong, {}).error().message ==
        "template.spec.containers[0].ports[0].containerPort must be an integer, is a string");
}

TEST_CASE("quantities have one spelling", "[hash]") {
  std::pair<const char*, const char*> cases[] = {
      {"1000m", "1"},       {"0.5", "500m"},     {"1500m", "1500m"},
      {"1024Mi", "1Gi"},    {"1.5Gi", "1536Mi"}, {"0.5Ki", "512"},
      {"0.001", "1m"},      {"1e3", "1e3"},      {"100M", "100M"},
      {"0", "0"},           {"1000", "1k"},      {"100", "100"},
      {"5m", "5m"},         {"16Mi", "16Mi"},    {"0.0", "0"},
      {"-1500m", "-1500m"}, {"1E3", "1e3"},      {"1E", "1E"},
      {"100e1", "1e3"},     {"1.", "1"},         {".5", "500m"},
      {"+2", "2"},          {"1025", "1025"},    {"1025Ki", "1025Ki"},
      {"0.1n", "1n"},       {"1e-1", "100e-3"},  {"8Ei", "9223372036854775807"},
      {"0Gi", "0"},         {"2000000000n", "2"}};
  for (auto [text, canonical] : cases) {
    INFO(text);
    CHECK(canonical_quantity(text).value_or("none") == canonical);
  }
  for (const char* text : {"", "abc", "1.2.3", "1KiB", "1 Gi", "--1", "e3", "1e", "1e999", "invalid"}) {
    INFO(text);
    CHECK(!canonical_quantity(text));
  }
}

TEST_CASE("the hash of steps is Argo's currentStepHash", "[hash]") {
  CHECK(*steps_hash(Json()) == "5ffbfbbd64");
  CHECK(*steps_hash(*parse_json(R"([{"pause":{}}])")) == "6b9b86fbd5");
  CHECK(*steps_hash(*parse_json(R"([{"pause":{}},{"pause":{}}])")) == "79c9b9f6bf");
}

TEST_CASE("steps are encoded in typed form", "[hash]") {
  auto bytes = [](std::string_view text) { return encode_steps(*parse_json(text)).bytes; };
  CHECK(bytes(R"([{"pause":{"duration":"5m"}},{"setWeight":0},{"setWeight":20,"pause":null}])") ==
        R"([{"pause":{"duration":"5m"}},{"setWeight":0},{"setWeight":20}])");
  CHECK(bytes(R"([{"setHeaderRoute":{"match":[{"headerName":"a"}],"name":"r"}}])") ==
        R"([{"setHeaderRoute":{"name":"r","match":[{"headerName":"a","headerValue":null}]}}])");
  CHECK(bytes(R"([{"experiment":{"templates":[{"specRef":"canary","name":"x"}]}}])") ==
        R"([{"experiment":{"templates":[{"name":"x","specRef":"canary","metadata":{}}],"analysisRunMetadata":{}}}])");
  CHECK(bytes(R"([{"experiment":{"templates":[],"duration":30}}])") ==
        R"([{"experiment":{"templates":[],"duration":30,"analysisRunMetadata":{}}}])");
  CHECK(!steps_hash(*parse_json(R"([{"setWeight":"20"}])")));
}
