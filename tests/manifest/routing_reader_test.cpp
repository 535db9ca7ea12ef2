#include "manifest/routing_reader.h"
#include "manifest/manifest.h"
#include "manifest/routing_fields.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

using Texts = std::vector<std::string>;

/// A Rollout whose canary has these two parts.
std::string rollout(const std::string& routing, const std::string& more = "") {
  return "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: till, namespace: shop}\nspec:\n"
         "  selector: {matchLabels: {a: b}}\n"
         "  template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: b}]}}\n"
         "  strategy:\n    canary:\n      stableService: s\n      canaryService: c\n" +
         more + "      trafficRouting: " + routing + "\n";
}

struct Read {
  TrafficRouting routing;
  Texts problems;
};

/// trafficRouting alone, in JSON.
Read read(const std::string& json) {
  static const std::string kFile = "r.yaml";
  static const Places kPlaces;
  Findings findings{kFile, kPlaces, {}, {}};
  const Json document = Json::parse(json);
  const Field field(document, findings);
  check_routing_fields(field);
  Read out{.routing = read_routing(field, {"shop", "till"})};
  for (const Problem& problem : findings.take_problems()) out.problems.push_back(problem.message);
  return out;
}

std::vector<Router> routers_of(const std::string& json) {
  Read out = read(json);
  CHECK(out.problems == Texts{});
  return out.routing.routers;
}

/// What is refused, without position and `spec.strategy.canary.`.
Texts refused(const std::string& text) {
  Texts out;
  for (const RefusedRollout& refused : read_manifests("r.yaml", text, "default").refused)
    for (const Problem& problem : refused.problems) {
      std::string message = problem.message;
      const std::string prefix = "spec.strategy.canary.";
      if (size_t at = message.find(prefix); at != message.npos) message.erase(at, prefix.size());
      out.push_back(message);
    }
  return out;
}

}  // namespace

TEST_CASE("each router is typed as the manifest has it", "[manifest]") {
  CHECK(
      routers_of(R"({"istio":{"virtualServices":[{"name":"a"},{"name":"b.mesh","routes":["r"],"tlsRoutes":[{"port":443,
    "sniHosts":["x"]}],"tcpRoutes":[{"port":1}]}],"destinationRule":{"name":"d","canarySubsetName":"c",
    "stableSubsetName":"s","additionalSubsetNames":["o"]}}})") ==
      std::vector<Router>{IstioRouting{{{"shop", "a", {}, {}, {}}, {"mesh", "b", {"r"}, {{443, {"x"}}}, {1}}},
                                       IstioDestinationRule{"d", "c", "s"}}});
  CHECK(routers_of(R"({"nginx":{"stableIngress":"i","annotationPrefix":"p","additionalIngressAnnotations":{"a":"b"},
    "canaryIngressAnnotations":{"c":"d"}}})") ==
        std::vector<Router>{NginxRouting{{"i"}, "p", {{"a", "b"}}, {{"c", "d"}}}});
  CHECK(routers_of(R"({"nginx":{"stableIngresses":["i","j"]}})") ==
        std::vector<Router>{NginxRouting{.ingresses = {"i", "j"}}});
  CHECK(routers_of(R"({"alb":{"ingress":"i","servicePort":80,"rootService":"r","stickinessConfig":{"enabled":true,
    "durationSeconds":60}}})") ==
        std::vector<Router>{AlbRouting{{"i"}, 80, "r", "alb.ingress.kubernetes.io", AlbRouting::Stickiness{true, 60}}});
  CHECK(routers_of(R"({"smi":{}})") == std::vector<Router>{SmiRouting{"", "till"}});
  CHECK(routers_of(R"({"traefik":{"weightedTraefikServiceName":"t"}})") == std::vector<Router>{TraefikRouting{"t"}});
  CHECK(routers_of(R"({"apisix":{"route":{"name":"r"}}})") == std::vector<Router>{ApisixRouting{"r", {"r"}}});
  CHECK(routers_of(R"({"ambassador":{"mappings":["m"]}})") == std::vector<Router>{AmbassadorRouting{{"m"}}});
  CHECK(routers_of(R"({"plugins":{"argoproj-labs/gatewayAPI":{"httpRoute":"h","namespace":"edge",
    "grpcRoutes":[{"name":"g"}]}}})") ==
        std::vector<Router>{GatewayRouting{"edge", {{"HTTPRoute", "h", "", true}, {"GRPCRoute", "g"}}}});
  CHECK(routers_of(R"({"plugins":{"argoproj-labs/gatewayAPI":{"tcpRoute":"t","tcpRouteRuleName":"main",
    "httpRoutes":[{"name":"h","useHeaderRoutes":true,"ruleName":"r"}],"configMap":"c","inProgressLabelKey":"k",
    "inProgressLabelValue":"v","disableInProgressLabel":true,"activeRolloutsAnnotationKey":"a"}}})") ==
        std::vector<Router>{GatewayRouting{"shop", {{"HTTPRoute", "h", "r", true}, {"TCPRoute", "t", "main", true}}}});
  CHECK(routers_of(R"({"smi":{},"istio":{"virtualService":{"name":"a"}},"managedRoutes":[{"name":"x"}]})").size() == 2);
}

TEST_CASE("route steps are typed, and refused when they do not fit the routers", "[manifest]") {
  const std::string steps =
      "      steps:\n        - setHeaderRoute: {name: h, match: [{headerName: a, headerValue: {prefix: b}}]}\n"
      "        - setMirrorRoute: {name: m, percentage: 5, match: [{method: {exact: GET}, headers: {x-a: {regex: "
      "z}}}]}\n";
  const std::string istio = "{istio: {virtualService: {name: a}}, managedRoutes: [{name: h}, {name: m}]}";
  ManifestFile file = read_manifests("r.yaml", rollout(istio, steps), "default");
  REQUIRE(file.rollouts.size() == 1);
  CHECK(file.rollouts[0].steps ==
        std::vector<Step>{
            SetHeaderRoute{"h", {{"a", {"prefix", "b"}}}},
            SetMirrorRoute{"m", 5, {{StringMatch{"exact", "GET"}, std::nullopt, {{"x-a", {"regex", "z"}}}}}}});
  CHECK(refused(rollout("{istio: {virtualService: {name: a}}}", steps)) ==
        Texts{"steps[0].setHeaderRoute.name: needs trafficRouting.managedRoutes to list it",
              "steps[1].setMirrorRoute.name: needs trafficRouting.managedRoutes to list it"});
  CHECK(refused(rollout("{smi: {}, managedRoutes: [{name: h}, {name: x}]}", steps)).at(0) ==
        "steps[0].setHeaderRoute is carried out by istio, alb, apisix and argoproj-labs/gatewayAPI only");
  CHECK(refused(rollout("{alb: {ingress: i, servicePort: 80}, managedRoutes: [{name: h}, {name: m}]}", steps)) ==
        Texts{"steps[0].setHeaderRoute.match[0].headerValue: must be exact with alb",
              "steps[1].setMirrorRoute is carried out by istio and by an httpRoute of argoproj-labs/gatewayAPI only"});
  auto gateway = [&](const std::string& routes, const std::string& names) {
    return refused(
        rollout("{plugins: {argoproj-labs/gatewayAPI: {" + routes + "}}, managedRoutes: [" + names + "]}", steps));
  };
  CHECK(gateway("httpRoute: w", "{name: h}, {name: m}") == Texts{});
  CHECK(gateway("grpcRoute: w", "{name: h}, {name: m}") ==
        Texts{"steps[1].setMirrorRoute is carried out by istio and by an httpRoute of argoproj-labs/gatewayAPI only"});
  CHECK(refused(rollout("{plugins: {argoproj-labs/gatewayAPI: {httpRoute: w}}, managedRoutes: [{name: m}]}",
                        "      steps: [{setMirrorRoute: {name: m, match: [{method: {prefix: G}}]}}]\n")) ==
        Texts{"steps[0].setMirrorRoute.match[0].method: must be exact with argoproj-labs/gatewayAPI"});
  const std::string header =
      "      steps: [{setHeaderRoute: {name: h, match: [{headerName: a, headerValue: {regex: b}}]}}]\n";
  CHECK(refused(rollout("{apisix: {route: {name: r}}, managedRoutes: [{name: h}]}", header)) == Texts{});
  CHECK(refused(rollout("{apisix: {route: {name: h}}, managedRoutes: [{name: h}]}", header)) ==
        Texts{"trafficRouting.managedRoutes[0].name is the name of the ApisixRoute itself"});
  CHECK(refused(rollout(istio,
                        "      steps: [{setHeaderRoute: {name: h, match: [{headerName: a, headerValue: {exact: "
                        "b, regex: c}}]}}, {setMirrorRoute: {name: m, percentage: 101}}]\n")) ==
        Texts{"steps[0].setHeaderRoute.match[0].headerValue: must have exactly one of exact, prefix and regex",
              "steps[1].setMirrorRoute.percentage: must be 0 to 100, is 101"});
}

TEST_CASE("what is wrong with a router is said with its path, all at once", "[manifest]") {
  struct Case {
    std::string routing;
    Texts problems;
  };
  const std::vector<Case> cases = {
      {R"({"istio":{}})", {"istio: virtualService is required"}},
      {R"({"istio":{"virtualService":{"name":"a"},"virtualServices":[{"name":"b"}]}})",
       {"istio: must have virtualService or virtualServices, not both"}},
      {R"({"istio":{"virtualService":{"name":"a"},"destinationRule":{"name":"d"}}})",
       {"istio.destinationRule: canarySubsetName is required", "istio.destinationRule: stableSubsetName is required"}},
      {R"({"nginx":{"stableIngress":"a","stableIngresses":["b"]}})",
       {"nginx: must have stableIngress or stableIngresses, not both"}},
      {R"({"nginx":{},"alb":{}})",
       {"nginx: stableIngress is required", "alb: ingress is required", "alb: servicePort is required"}},
      {R"({"smi":{},"managedRoutes":[{"name":"x"},{"name":"x"}]})",
       {"managedRoutes[1].name: route \"x\" stands here twice"}},
      {R"({"plugins":{"argoproj-labs/gatewayAPI":{}}})",
       {"plugins.argoproj-labs/gatewayAPI: must name a route, such as httpRoute"}},
      {R"({"nginx":{"stableIngress":"i","stableIngresss":"a"}})",
       {"unknown field \"nginx.stableIngresss\" (did you mean \"stableIngress\"?)"}},
  };
  for (const Case& c : cases) {
    INFO(c.routing);
    CHECK(read(c.routing).problems == c.problems);
  }
}

TEST_CASE("weights are parts of maxTrafficWeight, with nginx and plugins", "[manifest]") {
  const std::string steps = "      steps: [{setWeight: 500}, {setCanaryScale: {weight: 1001}}, {setWeight: 1001}]\n";
  CHECK(refused(rollout("{nginx: {stableIngress: i}, maxTrafficWeight: 1000}", steps)) ==
        Texts{"steps[1].setCanaryScale.weight: must be 0 to 1000, is 1001",
              "steps[2].setWeight: must be 0 to 1000, is 1001"});
  CHECK(refused(rollout("{nginx: {stableIngress: i}}", "      steps: [{setWeight: 101}]\n")) ==
        Texts{"steps[0].setWeight: must be 0 to 100, is 101"});
  CHECK(refused(rollout("{smi: {}, maxTrafficWeight: 1000}", "")) ==
        Texts{"trafficRouting.maxTrafficWeight: needs nginx or a plugin"});
  CHECK(refused(rollout("{nginx: {stableIngress: i}, maxTrafficWeight: 0}", "")).size() == 1);
  const ManifestFile file =
      read_manifests("r.yaml",
                     rollout("{plugins: {argoproj-labs/gatewayAPI: {httpRoute: h}}, maxTrafficWeight: 1000}",
                             "      steps: [{setWeight: 500}]\n"),
                     "");
  REQUIRE(file.rollouts.size() == 1);
  CHECK(file.rollouts[0].whole() == 1000);
  CHECK(file.rollouts[0].steps == std::vector<Step>{SetWeight{500}});
}

TEST_CASE("pingPong names two Services, for the routers that can", "[manifest]") {
  const std::string istio = "{istio: {virtualService: {name: a}}}";
  auto rollout = [](const std::string& routing, const std::string& more) {
    std::string text = ::rollout(routing, more);
    const std::string services = "      stableService: s\n      canaryService: c\n";
    return text.erase(text.find(services), services.size());
  };
  ManifestFile file =
      read_manifests("r.yaml", rollout(istio, "      pingPong: {pingService: i, pongService: o}\n"), "");
  REQUIRE(file.rollouts.size() == 1);
  CHECK(file.rollouts[0].ping_pong);
  CHECK(file.rollouts[0].stable_service == "i");
  CHECK(file.rollouts[0].canary_service == "o");
  CHECK(refused(rollout(istio, "      pingPong: {pingService: i, pongService: i}\n")) ==
        Texts{"pingPong.pongService: must be another Service than pingService"});
  CHECK(refused(rollout(istio, "      pingPong: {pingService: i}\n")) == Texts{"pingPong: pongService is required"});
  CHECK(refused(rollout("{smi: {}}", "      pingPong: {pingService: i, pongService: o}\n")).at(0) ==
        "pingPong: needs alb, istio or a plugin");
  CHECK(
      refused(rollout("{alb: {ingress: i, servicePort: 80}}", "      pingPong: {pingService: i, pongService: o}\n")) ==
      Texts{"trafficRouting.alb: rootService is required with pingPong"});
  // They would be two Services more, which nobody leads anywhere.
  CHECK(refused(::rollout(istio, "      pingPong: {pingService: i, pongService: o}\n")) ==
        Texts{"stableService is not supported beside pingPong, whose two Services take its place",
              "canaryService is not supported beside pingPong, whose two Services take its place"});
}

TEST_CASE("routers and steps that are not carried out are refused by name, at their place", "[manifest]") {
  const std::string text =
      rollout("\n        appMesh: {}\n        nginx: {stableIngress: i}\n        plugins: {example/mesh: {}}",
              "      steps:\n        - setWeight: 5\n        - plugin: {name: example/step}\n        - setHeaderRoute: "
              "{name: h}\n");
  std::vector<std::string> out;
  for (const RefusedRollout& refused : read_manifests("r.yaml", text, "default").refused)
    for (const Problem& problem : refused.problems) out.push_back(problem.text());
  const std::string canary = ": spec.strategy.canary.";
  CHECK(out ==
        Texts{"r.yaml:13:11" + canary + "steps[1].plugin is not supported: Serin runs no plugins",
              "r.yaml:14:11" + canary +
                  "steps[2].setHeaderRoute is carried out by istio, alb, apisix and argoproj-labs/gatewayAPI only",
              "r.yaml:14:28" + canary + "steps[2].setHeaderRoute.name: needs trafficRouting.managedRoutes to list it",
              "r.yaml:16:9" + canary + "trafficRouting.appMesh is not supported",
              "r.yaml:18:19" + canary +
                  "trafficRouting.plugins.example/mesh is not supported: of all plugins Serin "
                  "knows argoproj-labs/gatewayAPI"});
}
