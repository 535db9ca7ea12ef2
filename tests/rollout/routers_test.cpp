#include "rollout/route_cases.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

const std::string kIngress = R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress",
  "metadata":{"name":"web","namespace":"shop","annotations":{"kubernetes.io/ingress.class":"nginx","other":"x"}},
  "spec":{"ingressClassName":"nginx","tls":[{"hosts":["till"]}],"rules":[
    {"host":"till","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"till-stable","port":{"number":80}}}}]}},
    {"host":"else","http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"else","port":{"number":80}}}}]}}]}})";

/// After `weight`, and again: the second time must change nothing.
RouteObjects settled(const Rollout& rollout, const RouteObjects& live, int weight) {
  auto once = with_weights(rollout, live, traffic(rollout, weight));
  REQUIRE(once);
  auto twice = with_weights(rollout, *once, traffic(rollout, weight));
  REQUIRE(twice);
  CHECK(*twice == *once);
  CHECK(*canary_weight(rollout, *once, traffic(rollout, weight)) == weight);
  return *once;
}

}  // namespace

TEST_CASE("Gateway API: the rules that lead to both sides are weighted", "[gateway]") {
  for (const char* kind : {"HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute"}) {
    const Rollout r = routed_by(GatewayRouting{"shop", {{kind, "web"}}});
    const ObjectKey key{"gateway.networking.k8s.io", kind, "shop", "web"};
    RouteObjects live = objects({R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":")" + std::string(kind) +
                                 R"(","metadata":{"name":"web","namespace":"shop"},"spec":{"rules":[
      {"backendRefs":[{"name":"else","port":1}]},{"timeouts":{"request":"5s"},"backendRefs":[
        {"name":"till-stable","port":80,"filters":[]},{"name":"till-canary","port":80}]}]}})"});
    const RouteObjects after = settled(r, live, 20);
    Json expected = live.at(key);
    expected["spec"]["rules"][1]["backendRefs"][0]["weight"] = 80;
    expected["spec"]["rules"][1]["backendRefs"][1]["weight"] = 20;
    CHECK(after.at(key) == expected);
    live[key]["spec"]["rules"].erase(1);
    CHECK(error_of(with_weights(r, live, traffic(r, 20))) ==
          std::string(kind) + " shop/web has no rule with both backendRefs till-stable and till-canary");
  }
}

namespace {

/// An HTTPRoute with two rules that lead to both sides, as an API server with its defaults shows it.
const std::string kHttpRoute = R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute",
  "metadata":{"name":"web","namespace":"shop"},"spec":{"rules":[
    {"matches":[{"path":{"type":"PathPrefix","value":"/health"}}],"backendRefs":[{"name":"till-stable","port":80,"weight":1}]},
    {"matches":[{"path":{"type":"PathPrefix","value":"/a"}},{"path":{"type":"Exact","value":"/b"},
                 "headers":[{"name":"X-Team","type":"Exact","value":"t"}]}],"timeouts":{"request":"5s"},
     "filters":[{"type":"URLRewrite","urlRewrite":{"hostname":"h"}}],"backendRefs":[
      {"group":"","kind":"Service","name":"till-stable","port":80,"weight":100},
      {"group":"","kind":"Service","name":"till-canary","port":80,"weight":0}]},
    {"backendRefs":[{"name":"till-stable","port":80,"weight":100},{"name":"till-canary","port":81,"weight":0}]}]}})";

Rollout gateway_rollout(const GatewayRouting::Route& route) {
  Rollout out = routed_by(GatewayRouting{"shop", {route}});
  out.routing.managed_routes = {"testers", "shadow"};
  return out;
}

/// As servers keep an object whose definition has no names of rules.
RouteObjects without_rule_names(RouteObjects objects) {
  for (auto& [key, object] : objects)
    for (Json& rule : object["spec"]["rules"]) rule.erase("name");
  return objects;
}

}  // namespace

TEST_CASE("Gateway API: a header step makes a rule before each that leads to both sides", "[gateway]") {
  const Rollout r = gateway_rollout({.kind = "HTTPRoute", .name = "web", .header_routes = true});
  const RouteObjects live = objects({kHttpRoute});
  const ObjectKey key = live.begin()->first;
  Traffic wanted = traffic(r, 0);
  wanted.managed = {SetHeaderRoute{"testers", {{"x-a", {"exact", "b"}}, {"x-team", {"prefix", "a.b"}}}}};
  const RouteObjects with = *with_weights(r, live, wanted);
  CHECK(has_managed_route(r, with));
  CHECK(*with_weights(r, with, wanted) == with);
  const Json& rules = with.at(key)["spec"]["rules"];
  REQUIRE(rules.size() == 5);
  // The match that asks for X-Team already is left alone.
  CHECK(rules[0] == Json::parse(R"({"name":"testers","matches":[{"path":{"type":"PathPrefix","value":"/a"},"headers":[
      {"name":"x-a","type":"Exact","value":"b"},{"name":"x-team","type":"RegularExpression","value":"a\\.b.*"}]}],
    "timeouts":{"request":"5s"},"filters":[{"type":"URLRewrite","urlRewrite":{"hostname":"h"}}],
    "backendRefs":[{"group":"","kind":"Service","name":"till-canary","port":80,"weight":1}]})"));
  CHECK(rules[1]["name"] == "testers-1");
  CHECK(rules[1]["matches"][0]["path"] == Json({{"type", "PathPrefix"}, {"value", "/"}}));
  CHECK(rules[1]["backendRefs"] == Json::parse(R"([{"name":"till-canary","port":81,"weight":1}])"));
  CHECK(*canary_weight(r, with, wanted) == 0);
  // Git's route keeps what the live one has.
  CHECK(*with_live_routes(r, with, live.at(key), traffic(r, 0)) == with.at(key));
  CHECK(*with_weights(r, with, traffic(r, 0)) == live);
  const Rollout not_there = gateway_rollout({.kind = "HTTPRoute", .name = "web"});
  CHECK(*with_weights(not_there, live, wanted) == live);
}

TEST_CASE("Gateway API: a mirror step makes a weighted rule that copies requests to the canary", "[gateway]") {
  const Rollout r = gateway_rollout({.kind = "HTTPRoute", .name = "web"});
  const RouteObjects live = objects({kHttpRoute});
  const ObjectKey key = live.begin()->first;
  Traffic wanted = traffic(r, 20);
  wanted.managed = {SetMirrorRoute{"shadow", 30, {{StringMatch{"exact", "GET"}, StringMatch{"prefix", "/a"}, {}}}}};
  RouteObjects with = *with_weights(r, live, wanted);
  CHECK(*with_weights(r, with, wanted) == with);
  const Json rule = with.at(key)["spec"]["rules"][0];
  CHECK(rule["name"] == "shadow");
  CHECK(rule["matches"] == Json::parse(R"([{"method":"GET","path":{"type":"PathPrefix","value":"/a"}}])"));
  CHECK(rule["backendRefs"] == with.at(key)["spec"]["rules"][2]["backendRefs"]);
  CHECK(rule["backendRefs"][1]["weight"] == 20);
  CHECK(rule["filters"][1] == Json::parse(R"({"type":"RequestMirror","requestMirror":{"percent":30,
    "backendRef":{"group":"","kind":"Service","name":"till-canary","port":80}}})"));
  CHECK(splits(r, with, wanted)->size() == 3);
  // Whoever knows no share of mirrored requests mirrors all of them; that is no reason to write again.
  with[key]["spec"]["rules"][0]["filters"][1]["requestMirror"].erase("percent");
  CHECK(*with_weights(r, with, wanted) == with);
  CHECK(*with_weights(r, with, traffic(r, 20)) == *with_weights(r, live, traffic(r, 20)));
}

TEST_CASE("Gateway API: rules that steps made are known where rules have no names", "[gateway]") {
  const Rollout r = gateway_rollout({.kind = "HTTPRoute", .name = "web", .header_routes = true});
  const RouteObjects live = objects({kHttpRoute});
  Traffic wanted = traffic(r, 20);
  wanted.managed = {SetHeaderRoute{"testers", {{"x-a", {"exact", "b"}}}},
                    SetMirrorRoute{"shadow", 30, {{StringMatch{"exact", "GET"}, std::nullopt, {}}}}};
  const RouteObjects kept = without_rule_names(*with_weights(r, live, wanted));
  CHECK(*with_weights(r, kept, wanted) == kept);
  wanted.weight = 40;
  const RouteObjects next = without_rule_names(*with_weights(r, kept, wanted));
  CHECK(next.begin()->second["spec"]["rules"].size() == 6);
  CHECK(*with_weights(r, next, traffic(r, 0)) == live);
}

TEST_CASE("Gateway API: gRPC rules take headers, the others neither headers nor mirrors", "[gateway]") {
  for (const std::string kind : {"GRPCRoute", "TCPRoute", "TLSRoute"}) {
    const Rollout r = gateway_rollout({.kind = kind, .name = "web", .header_routes = true});
    const RouteObjects live = objects({R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":")" + kind +
                                       R"(","metadata":{"name":"web","namespace":"shop"},"spec":{"rules":[
      {"backendRefs":[{"name":"till-stable","weight":100},{"name":"till-canary","weight":0}]}]}})"});
    Traffic wanted = traffic(r, 0);
    wanted.managed = {SetHeaderRoute{"testers", {{"a", {"exact", "b"}}}}, SetMirrorRoute{"shadow", 1, {{}}}};
    const RouteObjects with = *with_weights(r, live, wanted);
    CHECK(has_managed_route(r, with) == (kind == "GRPCRoute"));
    CHECK(with.begin()->second["spec"]["rules"].size() == (kind == "GRPCRoute" ? 2 : 1));
    if (kind == "GRPCRoute")
      CHECK(with.begin()->second["spec"]["rules"][0]["matches"] ==
            Json::parse(R"([{"headers":[{"name":"a","type":"Exact","value":"b"}]}])"));
  }
}

TEST_CASE("Gateway API: experiments get destinations in each weighted rule, and those go again", "[gateway]") {
  const Rollout r = gateway_rollout({.kind = "HTTPRoute", .name = "web"});
  const RouteObjects live = objects({kHttpRoute});
  const ObjectKey key = live.begin()->first;
  Traffic wanted = traffic(r, 20);
  wanted.experiments = {{"till-trial", "hash", 15}};
  const RouteObjects with = *with_weights(r, live, wanted);
  CHECK(*with_weights(r, with, wanted) == with);
  const Json& backends = with.at(key)["spec"]["rules"][1]["backendRefs"];
  CHECK(backends[0]["weight"] == 65);
  CHECK(backends[2] == Json::parse(R"({"group":"","kind":"Service","name":"till-trial","port":80,"weight":15})"));
  CHECK(*experiment_weights(r, with, traffic(r, 0)) == std::map<std::string, int>{{"till-trial", 15}});
  CHECK(*with_weights(r, with, traffic(r, 0)) == live);
}

TEST_CASE("Gateway API: a rule that is named is the only one", "[gateway]") {
  Rollout r = gateway_rollout({.kind = "HTTPRoute", .name = "web", .rule = "main"});
  RouteObjects live = objects({kHttpRoute});
  CHECK(error_of(with_weights(r, live, traffic(r, 20))) ==
        "HTTPRoute shop/web has no rule \"main\" with both backendRefs till-stable and till-canary");
  live.begin()->second["spec"]["rules"][2]["name"] = "main";
  Json expected = live.begin()->second;
  expected["spec"]["rules"][2]["backendRefs"][0]["weight"] = 80;
  expected["spec"]["rules"][2]["backendRefs"][1]["weight"] = 20;
  CHECK(with_weights(r, live, traffic(r, 20))->begin()->second == expected);
}

TEST_CASE("nginx: the canary Ingress is made from the Ingress and follows it", "[nginx]") {
  NginxRouting nginx{
      .ingresses = {"web"}, .prefixed_annotations = {{"canary-by-header", "X"}}, .plain_annotations = {{"a/b", "c"}}};
  const Rollout r = routed_by(nginx);
  const ObjectKey made{"networking.k8s.io", "Ingress", "shop", "till-web-canary"};
  RouteObjects live = objects({kIngress});
  RouteObjects after = settled(r, live, 20);
  CHECK(after.at(key_of(Json::parse(kIngress))) == Json::parse(kIngress));
  CHECK(after.at(made) == Json::parse(R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{
    "name":"till-web-canary","namespace":"shop","labels":{"serin.dev/rollout":"till"},"annotations":{
      "a/b":"c","kubernetes.io/ingress.class":"nginx","nginx.ingress.kubernetes.io/canary":"true",
      "nginx.ingress.kubernetes.io/canary-by-header":"X","nginx.ingress.kubernetes.io/canary-weight":"20"}},
    "spec":{"ingressClassName":"nginx","tls":[{"hosts":["till"]}],"rules":[{"host":"till","http":{"paths":[
      {"path":"/","pathType":"Prefix","backend":{"service":{"name":"till-canary","port":{"number":80}}}}]}}]}})"));
  after.at(key_of(Json::parse(kIngress)))["spec"].erase("tls");
  CHECK_FALSE(settled(r, after, 20).at(made)["spec"].contains("tls"));
  CHECK(missing_route_object(r, {}) == "Ingress shop/web is missing");
  CHECK(missing_route_object(r, live).empty());
}

TEST_CASE("nginx: weights of another whole come with that whole", "[nginx]") {
  Rollout r = routed_by(NginxRouting{.ingresses = {"web"}, .prefixed_annotations = {{"canary-weight-total", "7"}}});
  const ObjectKey made{"networking.k8s.io", "Ingress", "shop", "till-web-canary"};
  auto annotations = [&](const RouteObjects& live) { return live.at(made)["metadata"]["annotations"]; };
  RouteObjects live = settled(r, objects({kIngress}), 20);
  CHECK_FALSE(annotations(live).contains("nginx.ingress.kubernetes.io/canary-weight-total"));
  r.routing.max_weight = 1000;
  CHECK(*canary_weight(r, live, traffic(r, 0)) == 200);
  live = settled(r, live, 20);
  CHECK(annotations(live)["nginx.ingress.kubernetes.io/canary-weight"] == "20");
  CHECK(annotations(live)["nginx.ingress.kubernetes.io/canary-weight-total"] == "1000");
  r.routing.max_weight.reset();
  CHECK(*canary_weight(r, live, traffic(r, 0)) == 2);
}

TEST_CASE("Gateway API: with maxTrafficWeight other destinations keep theirs beside it", "[gateway]") {
  Rollout r = routed_by(GatewayRouting{"shop", {{.kind = "HTTPRoute", .name = "web"}}});
  const RouteObjects live = objects({R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{
    "name":"web","namespace":"shop"},"spec":{"rules":[{"backendRefs":[{"name":"tap","weight":5},
    {"name":"till-stable","weight":95},{"name":"till-canary","weight":0}]}]}})"});
  const Json backends = settled(r, live, 20).begin()->second["spec"]["rules"][0]["backendRefs"];
  CHECK(backends[1]["weight"] == 75);
  r.routing.max_weight = 95;
  const RouteObjects after = settled(r, live, 95);
  CHECK(after.begin()->second["spec"]["rules"][0]["backendRefs"][0]["weight"] == 5);
  CHECK(after.begin()->second["spec"]["rules"][0]["backendRefs"][1]["weight"] == 0);
  CHECK(after.begin()->second["spec"]["rules"][0]["backendRefs"][2]["weight"] == 95);
}

TEST_CASE("nginx: a canary Ingress of somebody else is not touched, one of Argo Rollouts is taken over", "[nginx]") {
  const Rollout r = routed_by(NginxRouting{.ingresses = {"web"}});
  const ObjectKey made{"networking.k8s.io", "Ingress", "shop", "till-web-canary"};
  RouteObjects live = objects({kIngress});
  live[made] = Json::parse(R"({"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{}})");
  CHECK(error_of(with_weights(r, live, traffic(r, 20))) ==
        "Ingress shop/till-web-canary exists and is not of this rollout");
  live[made]["metadata"]["ownerReferences"] = Json::array({{{"kind", "Rollout"}, {"name", "till"}}});
  CHECK(settled(r, live, 20).at(made)["metadata"]["labels"]["serin.dev/rollout"] == "till");
}

TEST_CASE("ALB: a header route is a path before the others, and its annotations go with it", "[alb]") {
  Rollout r = routed_by(AlbRouting{.ingresses = {"web"}, .service_port = 80});
  r.routing.managed_routes = {"testers"};
  const RouteObjects live = *with_weights(r, objects({kIngress}), traffic(r, 20));
  const ObjectKey key = live.begin()->first;
  CHECK_FALSE(has_managed_route(r, live));
  Traffic wanted = traffic(r, 20);
  wanted.managed = {SetHeaderRoute{"testers", {{"x-a", {"exact", "b"}}}}};
  const RouteObjects with = *with_weights(r, live, wanted);
  CHECK(has_managed_route(r, with));
  CHECK(*with_weights(r, with, wanted) == with);
  const Json& paths = with.at(key)["spec"]["rules"][0]["http"]["paths"];
  CHECK(paths.size() == live.at(key)["spec"]["rules"][0]["http"]["paths"].size() + 1);
  CHECK(paths[0]["backend"] == Json::parse(R"({"service":{"name":"testers","port":{"name":"use-annotation"}}})"));
  const Json& annotations = with.at(key)["metadata"]["annotations"];
  CHECK(Json::parse(annotations["alb.ingress.kubernetes.io/actions.testers"].get<std::string>()) ==
        Json::parse(R"({"Type":"forward","ForwardConfig":{"TargetGroups":[
          {"ServiceName":"till-canary","ServicePort":"80","Weight":100}]}})"));
  CHECK(Json::parse(annotations["alb.ingress.kubernetes.io/conditions.testers"].get<std::string>()) ==
        Json::parse(R"([{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"x-a","values":["b"]}}])"));
  // Git's Ingress keeps what the live one has.
  const Json in_git = objects({kIngress}).begin()->second;
  CHECK(*with_live_routes(r, with, in_git, traffic(r, 0)) == with.at(key));
  CHECK(*with_weights(r, with, traffic(r, 20)) == live);
}

TEST_CASE("ALB: the forward action of the stable or root Service is written once", "[alb]") {
  AlbRouting alb{.ingresses = {"web"}, .service_port = 80};
  const RouteObjects live = objects({kIngress});
  const ObjectKey key = live.begin()->first;
  const RouteObjects after = settled(routed_by(alb), live, 20);
  const Json& annotations = after.at(key)["metadata"]["annotations"];
  CHECK(Json::parse(annotations["alb.ingress.kubernetes.io/actions.till-stable"].get<std::string>()) ==
        Json::parse(R"({"Type":"forward","ForwardConfig":{"TargetGroups":[
          {"ServiceName":"till-canary","ServicePort":"80","Weight":20},
          {"ServiceName":"till-stable","ServicePort":"80","Weight":80}]}})"));
  CHECK(after.at(key)["spec"] == live.at(key)["spec"]);
  alb.stickiness = AlbRouting::Stickiness{true, 60};
  alb.annotation_prefix = "example.com";
  alb.root_service = "else";
  const RouteObjects sticky = settled(routed_by(alb), live, 0);
  CHECK(Json::parse(sticky.at(key)["metadata"]["annotations"]["example.com/actions.else"]
                        .get<std::string>())["ForwardConfig"]["TargetGroupStickinessConfig"] ==
        Json({{"Enabled", true}, {"DurationSeconds", 60}}));
  alb.root_service = "nobody";
  CHECK(error_of(with_weights(routed_by(alb), live, traffic(routed_by(alb), 5))) ==
        "Ingress shop/web has no rule for Service nobody");
}

TEST_CASE("SMI: a TrafficSplit is made, and quantities are read as numbers", "[smi]") {
  const Rollout r = routed_by(SmiRouting{"", "till"});
  const ObjectKey key{"split.smi-spec.io", "TrafficSplit", "shop", "till"};
  RouteObjects after = settled(r, {}, 20);
  CHECK(after.at(key)["spec"] == Json::parse(R"({"service":"till-stable","backends":[
    {"service":"till-canary","weight":20},{"service":"till-stable","weight":80}]})"));
  after[key]["spec"]["backends"][0]["weight"] = "20";
  CHECK(settled(r, after, 20) == after);
}

TEST_CASE("Traefik: the weighted services of a TraefikService", "[traefik]") {
  const Rollout r = routed_by(TraefikRouting{"web"});
  const ObjectKey key{"traefik.io", "TraefikService", "shop", "web"};
  RouteObjects live = objects({R"({"apiVersion":"traefik.io/v1alpha1","kind":"TraefikService",
    "metadata":{"name":"web","namespace":"shop"},"spec":{"weighted":{"sticky":{},"services":[
      {"name":"till-stable","port":80},{"name":"till-canary","port":80}]}}})"});
  Json expected = live.at(key);
  expected["spec"]["weighted"]["services"][0]["weight"] = 75;
  expected["spec"]["weighted"]["services"][1]["weight"] = 25;
  CHECK(settled(r, live, 25).at(key) == expected);
  live[key]["spec"].erase("weighted");
  CHECK(error_of(with_weights(r, live, traffic(r, 5))) == "TraefikService shop/web has no spec.weighted.services");
}

TEST_CASE("APISIX: the backends of the named rules", "[apisix]") {
  const Rollout r = routed_by(ApisixRouting{"web", {"main"}});
  const ObjectKey key{"apisix.apache.org", "ApisixRoute", "shop", "web"};
  RouteObjects live = objects({R"({"apiVersion":"apisix.apache.org/v2","kind":"ApisixRoute",
    "metadata":{"name":"web","namespace":"shop"},"spec":{"http":[{"name":"other","backends":[]},{"name":"main","backends":[
      {"serviceName":"till-stable","servicePort":80},{"serviceName":"till-canary","servicePort":80,"weight":3}]}]}})"});
  Json expected = live.at(key);
  expected["spec"]["http"][1]["backends"][0]["weight"] = 75;
  expected["spec"]["http"][1]["backends"][1]["weight"] = 25;
  CHECK(settled(r, live, 25).at(key) == expected);
  live[key]["spec"]["http"].erase(1);
  CHECK(error_of(with_weights(r, live, traffic(r, 5))) == "ApisixRoute shop/web has no rule named \"main\"");
}

TEST_CASE("APISIX: a header step makes an ApisixRoute before the rules, and takes it away", "[apisix]") {
  Rollout r = routed_by(ApisixRouting{"web", {"main"}});
  r.routing.managed_routes = {"staff", "testers"};
  const ObjectKey base{"apisix.apache.org", "ApisixRoute", "shop", "web"},
      made{"apisix.apache.org", "ApisixRoute", "shop", "testers"};
  const RouteObjects live = objects({R"({"apiVersion":"apisix.apache.org/v2","kind":"ApisixRoute","metadata":{
    "name":"web","namespace":"shop","labels":{"a":"b"},"annotations":{"kubernetes.io/ingress.class":"apisix"}},
    "spec":{"ingressClassName":"apisix","stream":[{"name":"s"}],"http":[{"name":"other","backends":[]},{"name":"main",
      "priority":3,"match":{"hosts":["h"],"exprs":[{"subject":{"scope":"Query","name":"q"},"op":"Equal","value":"1"}]},
      "websocket":true,"backends":[{"serviceName":"till-stable","servicePort":80,"weight":100},
      {"serviceName":"till-canary","servicePort":81,"weight":0}]}]}})"});
  Traffic wanted = traffic(r, 20);
  wanted.managed = {SetHeaderRoute{"testers", {{"x-a", {"exact", "b"}}, {"x-c", {"prefix", "d+"}}}}};
  RouteObjects with = *with_weights(r, live, wanted);
  CHECK(has_managed_route(r, with));
  CHECK(*with_weights(r, with, wanted) == with);
  CHECK(with.at(made) == Json::parse(R"({"apiVersion":"apisix.apache.org/v2","kind":"ApisixRoute","metadata":{
    "name":"testers","namespace":"shop","labels":{"serin.dev/rollout":"till"},
    "annotations":{"kubernetes.io/ingress.class":"apisix"}},"spec":{"ingressClassName":"apisix","http":[{"name":"main",
      "priority":4,"match":{"hosts":["h"],"exprs":[{"subject":{"scope":"Query","name":"q"},"op":"Equal","value":"1"},
      {"subject":{"scope":"Header","name":"x-a"},"op":"Equal","value":"b"},
      {"subject":{"scope":"Header","name":"x-c"},"op":"RegexMatch","value":"^d\\+.*"}]},
      "websocket":true,"backends":[{"serviceName":"till-canary","servicePort":81,"weight":100}]}]}})"));
  CHECK(*canary_weight(r, with, wanted) == 20);
  CHECK(*with_weights(r, with, traffic(r, 0)) == live);
  wanted.managed.insert(wanted.managed.begin(), SetHeaderRoute{"staff", {{"x-s", {"regex", "^s"}}}});
  const RouteObjects both = *with_weights(r, with, wanted);
  CHECK(both.at(made) == with.at(made));
  CHECK(both.at({"apisix.apache.org", "ApisixRoute", "shop", "staff"})["spec"]["http"][0]["priority"] == 5);
  // One of somebody else's is neither changed nor taken away.
  with[made]["metadata"].erase("labels");
  CHECK(*with_weights(r, with, traffic(r, 20)) == with);
  CHECK_FALSE(has_managed_route(r, with));
  CHECK(error_of(with_weights(r, with, wanted)) == "ApisixRoute shop/testers exists and is not of this rollout");
}

TEST_CASE("Ambassador: a canary Mapping beside each Mapping, once it has weight", "[ambassador]") {
  const Rollout r = routed_by(AmbassadorRouting{{"web"}});
  const ObjectKey base{"getambassador.io", "Mapping", "shop", "web"},
      made{"getambassador.io", "Mapping", "shop", "web-canary"};
  RouteObjects live = objects({R"({"apiVersion":"getambassador.io/v2","kind":"Mapping","metadata":{"name":"web",
    "namespace":"shop"},"spec":{"prefix":"/till/","rewrite":"/","service":"till-stable:8080"}})"});
  CHECK(settled(r, live, 0) == live);
  RouteObjects after = settled(r, live, 20);
  CHECK(after.at(base) == live.at(base));
  CHECK(after.at(made)["spec"] ==
        Json({{"prefix", "/till/"}, {"rewrite", "/"}, {"service", "till-canary:8080"}, {"weight", 20}}));
  CHECK(settled(r, after, 0).at(made)["spec"]["weight"] == 0);
  live[base]["spec"]["weight"] = 5;
  CHECK(error_of(with_weights(r, live, traffic(r, 5))) == "Mapping shop/web must not have a weight");
}

TEST_CASE("weights that are no weights are read as some share", "[routing]") {
  const int64_t most = INT64_MAX, least = INT64_MIN;
  for (RouterCase router : router_cases())
    for (int64_t absurd : {most, least}) {
      INFO(router.what << " " << absurd);
      std::string text;
      RouteObjects live;
      for (const auto& [key, object] : router.routes) {
        text = dump(object);
        for (size_t at = 0; (at = text.find("\"weight\":100", at)) != text.npos; ++at)
          text.replace(at, 12, "\"weight\":" + std::to_string(absurd));
        live[key] = Json::parse(text);
      }
      const Rollout desired = with_router(rollout("v1"), router.router);
      const Traffic sides{.stable = {"till-stable", "a"}, .canary = {"till-canary", "b"}};
      auto share = canary_weight(desired, live, sides);
      REQUIRE(share);
      CHECK(*share >= 0);
      CHECK(*share <= 100);
    }
  CHECK(reckoned_weight(most) + reckoned_weight(most) > 0);
  CHECK(reckoned_weight(least) == 0);
  CHECK(reckoned_weight(std::nullopt, 1) == 1);
}

TEST_CASE("the mark of a rejected revision stands on the first object whose weights are written", "[routing]") {
  const Rollout r = routed_by(NginxRouting{.ingresses = {"web"}});
  Traffic wanted = traffic(r, 0);
  wanted.rejected = "hashv2";
  auto marked = with_weights(r, objects({kIngress}), wanted);
  REQUIRE(marked);
  CHECK(rejected_mark(r, *marked) == "hashv2");
  wanted.rejected.clear();
  auto cleared = with_weights(r, *marked, wanted);
  REQUIRE(cleared);
  CHECK(rejected_mark(r, *cleared).empty());
  CHECK(*cleared == *with_weights(r, objects({kIngress}), wanted));
}
