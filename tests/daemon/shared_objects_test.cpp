#include "daemon/shared_objects.h"

#include "rollout/route_builders.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

Json service(const std::string& http) {
  return Json::parse(R"({"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"till",
    "namespace":"shop"},"spec":{"http":)" +
                     http + "}}");
}

const std::string kTesters = R"({"name":"testers","match":[{"headers":{"a":{"exact":"b"}}}],
  "route":[{"destination":{"host":"till-canary"},"weight":100}]})";

/// A route with both sides.
std::string shared(const std::string& name, int stable, int canary) {
  return R"({"name":")" + name + R"(","route":[{"destination":{"host":"till-stable"},"weight":)" +
         std::to_string(stable) + R"(},{"destination":{"host":"till-canary"},"weight":)" + std::to_string(canary) +
         "}]}";
}

}  // namespace

TEST_CASE("while a Rollout cannot be read, its weights and extra routes stay in an applied VirtualService",
          "[shared]") {
  const Json live = service("[" + kTesters + "," + shared("primary", 80, 20) + R"(,{"name":"gone","redirect":{}}])");
  const Json manifest = service("[" + shared("primary", 100, 0) + "]");
  CHECK(keeping_traffic(manifest, live, {"till-stable", "till-canary"}) ==
        service("[" + kTesters + "," + shared("primary", 80, 20) + "]"));
  CHECK(keeping_traffic(manifest, live, {}) == manifest);
  CHECK(keeping_traffic(service("[" + shared("other", 100, 0) + "]"), live, {"till-stable"})["spec"]["http"].back() ==
        Json::parse(shared("other", 100, 0)));
}

TEST_CASE("while a Rollout is refused, routes of every kind keep the weights they have", "[shared]") {
  auto route = [](const char* kind, const char* routes, const char* list, const char* name, bool many, int canary) {
    Json destinations =
        Json::array({{{name, "till-stable"}, {"weight", 100 - canary}}, {{name, "till-canary"}, {"weight", canary}}});
    const Json one = {{list, std::move(destinations)}};
    return Json{{"kind", kind}, {"spec", {{routes, many ? Json::array({one}) : one}}}};
  };
  struct Case {
    const char *kind, *routes, *list, *name;
    bool many;
  };
  for (const Case& c : {Case{"HTTPRoute", "rules", "backendRefs", "name", true},
                        {"GRPCRoute", "rules", "backendRefs", "name", true},
                        {"TraefikService", "weighted", "services", "name", false},
                        {"ApisixRoute", "http", "backends", "serviceName", true}}) {
    INFO(c.kind);
    const Json live = route(c.kind, c.routes, c.list, c.name, c.many, 20);
    const Json manifest = route(c.kind, c.routes, c.list, c.name, c.many, 0);
    CHECK(keeping_traffic(manifest, live, {"till-canary"}) == live);
    CHECK(keeping_traffic(manifest, live, {"cart"}) == manifest);
  }
  const std::string action = "alb.ingress.kubernetes.io/actions.till";
  Json manifest = {{"kind", "Ingress"}, {"metadata", {{"annotations", {{action, "{}"}}}}}};
  Json live = manifest;
  live["metadata"]["annotations"][action] =
      R"({"ForwardConfig":{"TargetGroups":[{"ServiceName":"till-canary","Weight":20}]}})";
  CHECK(keeping_traffic(manifest, live, {"till-canary"}) == live);
}

TEST_CASE("while a Rollout is refused, destinations of its experiment stay", "[shared]") {
  const Json manifest = service("[" + shared("primary", 100, 0) + "]");
  Json live = service("[" + shared("primary", 70, 20) + "]");
  live["metadata"]["annotations"]["serin.dev/experiments"] = "till-base";
  live["spec"]["http"][0]["route"].push_back({{"destination", {{"host", "till-base"}}}, {"weight", 10}});
  CHECK(keeping_traffic(manifest, live, {"till-stable", "till-canary"}) == live);
}

TEST_CASE("while a Rollout cannot be read, subsets keep the revisions they name", "[shared]") {
  const Json manifest = Json::parse(R"({"kind":"DestinationRule","spec":{"subsets":[{"name":"a"},{"name":"b"}]}})");
  Json live = manifest;
  live["spec"]["subsets"][0]["labels"][std::string(kHashLabel)] = "hashv1";
  CHECK(keeping_traffic(manifest, live, {}) == manifest);
  live["metadata"]["annotations"][std::string(kManagedByAnnotation)] = "till";
  CHECK(keeping_traffic(manifest, live, {})["spec"] == live["spec"]);
}

TEST_CASE("a DestinationRule from Git is filled in with the revisions that the subsets name", "[shared]") {
  Rollout r =
      routed_by(IstioRouting{{{.ns = "shop", .name = "till"}}, IstioDestinationRule{"till", "canary", "stable"}});
  const Json manifest = Json::parse(R"({"apiVersion":"networking.istio.io/v1","kind":"DestinationRule",
    "metadata":{"name":"till","namespace":"shop"},"spec":{"host":"till","subsets":[{"name":"stable"},{"name":"canary"}]}})");
  Observed live;
  Status status{.stable = Revision{"hashv1", "", {}}};
  auto hashes = [&](const Json& rule) {
    return std::pair(text_at(rule["spec"]["subsets"][0], {"labels", kHashLabel}),
                     text_at(rule["spec"]["subsets"][1], {"labels", kHashLabel}));
  };
  CHECK(hashes(filled_in(manifest, r, live, status)) == std::pair<std::string, std::string>("hashv1", "hashv1"));
  live.routes[key_of(manifest)] = filled_in(manifest, r, live, status);
  live.routes[key_of(manifest)]["spec"]["subsets"][1]["labels"][std::string(kHashLabel)] = "hashv2";
  CHECK(hashes(filled_in(manifest, r, live, status)) == std::pair<std::string, std::string>("hashv1", "hashv2"));
}

TEST_CASE("with pingPong each Service gets the revision of its role when it is made anew", "[shared]") {
  Rollout r = rollout("v1");
  r.ping_pong = true;
  const Json pong = {{"kind", "Service"}, {"metadata", {{"name", "till-canary"}, {"namespace", "shop"}}}};
  Status status{.stable = Revision{"hashv1", "", {}}, .canary = Revision{"hashv2", "", {}}, .weight = 20};
  status.pong_is_stable = true;
  CHECK(filled_in(pong, r, {}, status)["spec"]["selector"][std::string(kHashLabel)] == "hashv1");
}
