#include "rollout/route_builders.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

const ObjectKey kService{"networking.istio.io", "VirtualService", "shop", "till"};
const ObjectKey kRule{"networking.istio.io", "DestinationRule", "shop", "till"};

Rollout host_mode(IstioVirtualService service = {.ns = "shop", .name = "till"}) {
  return routed_by(IstioRouting{{std::move(service)}, std::nullopt});
}

Rollout subset_mode() {
  return routed_by(IstioRouting{{{.ns = "shop", .name = "till"}}, IstioDestinationRule{"till", "canary", "stable"}});
}

/// A VirtualService with this spec.
RouteObjects service(const std::string& spec) {
  return objects({R"({"apiVersion":"networking.istio.io/v1","kind":"VirtualService",
    "metadata":{"name":"till","namespace":"shop"},"spec":)" +
                  spec + "}"});
}

const std::string kPair = R"([{"destination":{"host":"till-stable.shop.svc.cluster.local"},"weight":100},
                              {"destination":{"host":"till-canary"}}])";

/// The weights of a route's destinations, in order.
std::vector<int> weights(const RouteObjects& objects, const char* protocol, size_t route) {
  std::vector<int> out;
  for (const Json& each : objects.at(kService)["spec"][protocol][route]["route"])
    out.push_back(int(integer_at(each, {"weight"}).value_or(-1)));
  return out;
}

std::vector<std::string> names(const RouteObjects& objects) {
  std::vector<std::string> out;
  for (const Json& route : objects.at(kService)["spec"]["http"]) out.push_back(text_at(route, {"name"}, "-"));
  return out;
}

}  // namespace

TEST_CASE("TLS and TCP routes are weighted with the HTTP route in one object", "[istio]") {
  const RouteObjects live =
      service(R"({"http":[{"route":)" + kPair + R"(}],"tls":[{"match":[{"port":443,"sniHosts":["a"]}],
    "route":)" +
              kPair + R"(}],"tcp":[{"route":)" + kPair + "}]}");
  auto after = with_weights(host_mode(), live, traffic(host_mode(), 30));
  REQUIRE(after);
  for (const char* protocol : {"http", "tls", "tcp"}) CHECK(weights(*after, protocol, 0) == std::vector<int>{70, 30});
}

TEST_CASE("listed TLS routes are found by port and SNI hosts, TCP routes by port", "[istio]") {
  const RouteObjects live = service(R"({"tls":[{"match":[{"port":443,"sniHosts":["a"]}],"route":)" + kPair +
                                    R"(},{"match":[{"port":443,"sniHosts":["b","c"]}],"route":)" + kPair +
                                    R"(}],"tcp":[{"match":[{"port":1}],"route":)" + kPair +
                                    R"(},{"match":[{"port":2}],"route":)" + kPair + "}]}");
  IstioVirtualService listed{.ns = "shop", .name = "till", .tls_routes = {{443, {"c", "b"}}}, .tcp_ports = {2}};
  auto after = with_weights(host_mode(listed), live, traffic(host_mode(), 30));
  REQUIRE(after);
  CHECK(weights(*after, "tls", 0) == std::vector<int>{100, -1});
  CHECK(weights(*after, "tls", 1) == std::vector<int>{70, 30});
  CHECK(weights(*after, "tcp", 0) == std::vector<int>{100, -1});
  CHECK(weights(*after, "tcp", 1) == std::vector<int>{70, 30});
  listed.tls_routes = {{443, {"b"}}};
  CHECK(error_of(with_weights(host_mode(listed), live, traffic(host_mode(), 30))) ==
        "VirtualService shop/till has no tls route as listed");
}

TEST_CASE("of several TLS or TCP routes the first is meant when none is listed", "[istio]") {
  const RouteObjects live =
      service(R"({"tls":[{"match":[{"port":443}],"route":)" + kPair +
              R"(},{"match":[{"port":444}],"route":[]}],"tcp":[{"route":)" + kPair + R"(},{"route":[]}]})");
  auto after = with_weights(host_mode(), live, traffic(host_mode(), 30));
  REQUIRE(after);
  CHECK(weights(*after, "tls", 0) == std::vector<int>{70, 30});
  CHECK(weights(*after, "tcp", 0) == std::vector<int>{70, 30});
}

TEST_CASE("a VirtualService whose routes do not fit says what is missing", "[istio]") {
  struct Case {
    std::string spec, error;
  };
  const std::vector<Case> cases = {
      {"{}", "VirtualService shop/till has no routes"},
      {R"({"http":[{"route":[{"destination":{"host":"till-stable"}}]}]})",
       "VirtualService shop/till: http route 0 has no destination till-canary"},
      {R"({"http":[{"name":"a"},{"name":"b"}]})",
       "VirtualService shop/till has several named HTTP routes; list yours in "
       "trafficRouting.istio.virtualService.routes"},
      {R"({"http":[{},{}]})",
       "VirtualService shop/till has several unnamed HTTP routes; list yours in "
       "trafficRouting.istio.virtualService.routes"},
      {R"({"http":[{"route":[{"destination":{"host":"till-stable"}},{"destination":{"host":"till-canary"}},
                             {"destination":{"host":"other"},"weight":80}]}]})",
       "VirtualService shop/till: other destinations of http route 0 weigh 80, which leaves no room for 30 % canary"},
  };
  for (const Case& c : cases)
    CHECK(error_of(with_weights(host_mode(), service(c.spec), traffic(host_mode(), 30))) == c.error);
}

TEST_CASE("several VirtualServices, also of another namespace, get the same weight", "[istio]") {
  Rollout r = routed_by(IstioRouting{{{.ns = "shop", .name = "till"}, {.ns = "mesh", .name = "edge"}}, std::nullopt});
  const std::string spec = R"("spec":{"http":[{"route":)" + kPair + "}]}}";
  RouteObjects live = objects(
      {R"({"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"till","namespace":"shop"},)" +
           spec,
       R"({"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"edge","namespace":"mesh"},)" +
           spec});
  auto after = with_weights(r, live, traffic(r, 30));
  REQUIRE(after);
  CHECK(*canary_weight(r, *after, traffic(r, 0)) == 30);
  for (const auto& [key, object] : *after) CHECK(object["spec"]["http"][0]["route"][1]["weight"] == 30);
  live.erase({"networking.istio.io", "VirtualService", "mesh", "edge"});
  CHECK(missing_route_object(r, live) == "VirtualService mesh/edge is missing");
}

TEST_CASE("unknown destinations keep their weight, and stable gets what is left (deviation 3)", "[istio]") {
  const RouteObjects live = service(R"({"http":[{"route":[{"destination":{"host":"till-stable"},"weight":90},
    {"destination":{"host":"till-canary"},"weight":0},{"destination":{"host":"old","subset":"x"},"weight":10}]}]})");
  auto after = with_weights(host_mode(), live, traffic(host_mode(), 30));
  REQUIRE(after);
  CHECK(weights(*after, "http", 0) == std::vector<int>{60, 30, 10});
}

TEST_CASE("in subset mode the sides are subsets, and the others keep theirs", "[istio]") {
  const Rollout r = subset_mode();
  RouteObjects live = service(R"({"http":[{"route":[{"destination":{"host":"till","subset":"stable"},"weight":95},
    {"destination":{"host":"till","subset":"canary"},"weight":0},{"destination":{"host":"till","subset":"v0"},"weight":5}]}]})");
  auto after = with_weights(r, live, traffic(r, 30));
  REQUIRE(after);
  CHECK(weights(*after, "http", 0) == std::vector<int>{65, 30, 5});
}

TEST_CASE("a DestinationRule gets the hashes and keeps everything else (deviation 3)", "[istio]") {
  const Rollout r = subset_mode();
  RouteObjects live = objects({R"({"apiVersion":"networking.istio.io/v1","kind":"DestinationRule",
    "metadata":{"name":"till","namespace":"shop"},"spec":{"host":"till","trafficPolicy":{"x":1},"subsets":[
      {"name":"stable","labels":{"app":"till"},"trafficPolicy":{"y":2}},{"name":"foreign","labels":{"v":"0"}},
      {"name":"canary"}]}})"});
  auto after = with_revisions(r, live, {"hashv1", "hashv2"});
  REQUIRE(after);
  Json expected = live.at(kRule);
  expected["metadata"]["annotations"][std::string(kManagedByAnnotation)] = "till";
  expected["spec"]["subsets"][0]["labels"][std::string(kHashLabel)] = "hashv1";
  expected["spec"]["subsets"][2]["labels"][std::string(kHashLabel)] = "hashv2";
  CHECK(after->at(kRule) == expected);
  CHECK(subset_revisions(r, *after) == SubsetRevisions{"hashv1", "hashv2"});
  CHECK(*with_revisions(r, *after, {"hashv1", "hashv2"}) == *after);
  live[kRule]["spec"]["subsets"].erase(2);
  CHECK(error_of(with_revisions(r, live, {"hashv1", "hashv2"})) ==
        "DestinationRule shop/till has no subset named \"canary\"");
}

TEST_CASE("managed routes stand first, in the order of managedRoutes, and go without a trace", "[istio]") {
  Rollout r = host_mode();
  r.routing.managed_routes = {"mirror", "header"};
  const RouteObjects live = service(R"({"http":[{"name":"old","route":[{"destination":{"host":"x"}}]},{"route":[
    {"destination":{"host":"till-stable","port":{"number":8080}},"weight":100},{"destination":{"host":"till-canary"}}]}]})");
  Traffic wanted = traffic(r, 20);
  wanted.managed = {
      SetHeaderRoute{"header", {{"x-user", {"exact", "me"}}, {"agent", {"regex", "^x"}}}},
      SetMirrorRoute{"mirror", 50, {{.method = StringMatch{"exact", "GET"}, .path = StringMatch{"prefix", "/"}}}}};
  auto with = with_weights(r, live, wanted);
  REQUIRE(with);
  CHECK(names(*with) == std::vector<std::string>{"mirror", "header", "old", "-"});
  CHECK(with->at(kService)["spec"]["http"][1] == Json::parse(R"({"name":"header",
    "match":[{"headers":{"x-user":{"exact":"me"}}},{"headers":{"agent":{"regex":"^x"}}}],
    "route":[{"destination":{"host":"till-canary","port":{"number":8080}},"weight":100}]})"));
  CHECK(with->at(kService)["spec"]["http"][0] == Json::parse(R"({"name":"mirror",
    "match":[{"method":{"exact":"GET"},"uri":{"prefix":"/"}}],
    "route":[{"destination":{"host":"till-stable","port":{"number":8080}},"weight":80},
             {"destination":{"host":"till-canary"},"weight":20}],
    "mirror":{"host":"till-canary","port":{"number":8080}},"mirrorPercentage":{"value":50}})"));
  CHECK(*with_weights(r, *with, wanted) == *with);
  wanted.weight = 40;
  auto heavier = with_weights(r, *with, wanted);
  REQUIRE(heavier);
  CHECK(weights(*heavier, "http", 0) == std::vector<int>{60, 40});
  CHECK(weights(*heavier, "http", 3) == std::vector<int>{60, 40});
  wanted.managed.clear();
  wanted.weight = 0;
  Json expected = live.at(kService);
  expected["spec"]["http"][1]["route"][1]["weight"] = 0;
  auto without = with_weights(r, *heavier, wanted);
  REQUIRE(without);
  CHECK(without->at(kService) == expected);
  CHECK(has_managed_route(r, *with));
  CHECK_FALSE(has_managed_route(r, *without));
}

TEST_CASE("unnamed routes are not multiplied when managed ones are ordered (deviation 8)", "[istio]") {
  Rollout r = host_mode({.ns = "shop", .name = "till", .routes = {"primary"}});
  r.routing.managed_routes = {"header"};
  const RouteObjects live = service(R"({"http":[{"match":[{"uri":{"exact":"/a"}}]},{"match":[{"uri":{"exact":"/b"}}]},
    {"name":"primary","route":)" + kPair +
                                    "}]}");
  Traffic wanted = traffic(r, 0);
  wanted.managed = {SetHeaderRoute{"header", {{"a", {"exact", "b"}}}}};
  auto after = with_weights(r, live, wanted);
  REQUIRE(after);
  CHECK(names(*after) == std::vector<std::string>{"header", "-", "-", "primary"});
}

TEST_CASE("a mirror route before a route without destinations is an error (deviation 9)", "[istio]") {
  Rollout r = host_mode();
  r.routing.managed_routes = {"mirror"};
  Traffic wanted = traffic(r, 0);
  wanted.managed = {SetMirrorRoute{"mirror", 100, {{}}}};
  CHECK(error_of(with_weights(r, service(R"({"http":[{"redirect":{}}]})"), wanted)) ==
        "VirtualService shop/till: http route 0 has no destination till-stable");
  CHECK(error_of(with_weights(r, service(R"({"tcp":[{"route":)" + kPair + "}]}"), wanted)) ==
        "VirtualService shop/till has no HTTP route that a header or mirror route could stand before");
}

TEST_CASE("header and mirror routes that are as they should be are not written again (deviation 10)", "[istio]") {
  Rollout r = host_mode();
  r.routing.managed_routes = {"header", "mirror"};
  Traffic wanted = traffic(r, 20);
  wanted.managed = {SetHeaderRoute{"header", {{"a", {"regex", "b"}}}}, SetMirrorRoute{"mirror", 30, {{}}}};
  const auto once = with_weights(r, service(R"({"http":[{"route":)" + kPair + "}]}"), wanted);
  REQUIRE(once);
  CHECK(names(*once) == std::vector<std::string>{"header", "mirror", "-"});
  CHECK(*with_weights(r, *once, wanted) == *once);
}

TEST_CASE("with a managed mirror route the primary one is weighted too, listed or not (deviation 14)", "[istio]") {
  for (const std::vector<std::string>& listed : {std::vector<std::string>{}, {"primary"}}) {
    Rollout r = host_mode({.ns = "shop", .name = "till", .routes = listed});
    r.routing.managed_routes = {"mirror"};
    Traffic wanted = traffic(r, 0);
    wanted.managed = {SetMirrorRoute{"mirror", 30, {{}}}};
    const auto mirrored = with_weights(r, service(R"({"http":[{"name":"primary","route":)" + kPair + "}]}"), wanted);
    REQUIRE(mirrored);
    wanted.weight = 40;
    const auto after = with_weights(r, *mirrored, wanted);
    REQUIRE(after);
    CHECK(names(*after) == std::vector<std::string>{"mirror", "primary"});
    CHECK(weights(*after, "http", 0) == std::vector<int>{60, 40});
    CHECK(weights(*after, "http", 1) == std::vector<int>{60, 40});
  }
}

TEST_CASE("in subset mode a header route leads to the canary's subset of the rule's host", "[istio]") {
  Rollout r = subset_mode();
  r.routing.managed_routes = {"header"};
  RouteObjects live = service(R"({"http":[{"route":[{"destination":{"host":"till","subset":"stable"},"weight":100},
    {"destination":{"host":"till","subset":"canary"},"weight":0}]}]})");
  live[kRule] = Json::parse(R"({"spec":{"host":"till.shop","subsets":[{"name":"stable"},{"name":"canary"}]}})");
  Traffic wanted = traffic(r, 0);
  wanted.managed = {SetHeaderRoute{"header", {{"a", {"exact", "b"}}}}};
  auto after = with_weights(r, live, wanted);
  REQUIRE(after);
  CHECK(after->at(kService)["spec"]["http"][0]["route"][0]["destination"] ==
        Json({{"host", "till.shop"}, {"subset", "canary"}}));
}

TEST_CASE("a manifest is filled in with the live weights and managed routes", "[istio]") {
  Rollout r = host_mode();
  r.routing.managed_routes = {"header"};
  const RouteObjects in_git = service(R"({"hosts":["new"],"http":[{"route":)" + kPair + "}]}");
  Traffic wanted = traffic(r, 40);
  wanted.managed = {SetHeaderRoute{"header", {{"a", {"exact", "b"}}}}};
  const RouteObjects live = *with_weights(r, service(R"({"hosts":["old"],"http":[{"route":)" + kPair + "}]}"), wanted);
  auto filled = with_live_routes(r, live, in_git.at(kService), traffic(r, 0));
  REQUIRE(filled);
  CHECK((*filled)["spec"]["hosts"] == Json::parse(R"(["new"])"));
  CHECK((*filled)["spec"]["http"] == live.at(kService)["spec"]["http"]);
  auto made_anew = with_live_routes(r, {}, in_git.at(kService), traffic(r, 20));
  REQUIRE(made_anew);
  CHECK((*made_anew)["spec"]["http"][0]["route"][1]["weight"] == 20);
}
