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
