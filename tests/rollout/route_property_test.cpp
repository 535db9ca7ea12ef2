// Whatever sequence of weights and managed routes is asked for: what is not ours stays byte for byte, every route sums
// to 100, and asking twice changes nothing.
#include <random>

#include "rollout/route_cases.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

using Chance = std::minstd_rand;

int between(Chance& chance, int low, int high) { return std::uniform_int_distribution<int>(low, high)(chance); }

/// A destination list with both sides somewhere in it and others of `others` % in all.
Json destinations(Chance& chance, int& others) {
  Json out = Json::array({{{"destination", {{"host", "till-stable"}}}, {"weight", 0}},
                          {{"destination", {{"host", "till-canary.shop"}}}, {"headers", {{"x", "y"}}}}});
  others = 0;
  for (int i = between(chance, 0, 2); i > 0; --i) {
    const int weight = between(chance, 0, 10);
    others += weight;
    out.insert(out.begin() + between(chance, 0, int(out.size())),
               Json{{"destination", {{"host", "other" + std::to_string(i)}}}, {"weight", weight}});
  }
  for (Json& each : out)
    if (text_at(each, {"destination", "host"}) == "till-stable") each["weight"] = 100 - others;
  return out;
}

struct Sample {
  Rollout rollout;
  RouteObjects live;
  int others_most = 0;
};

Sample draw(Chance& chance) {
  IstioVirtualService service{.ns = "shop", .name = "till"};
  Json spec = {{"hosts", {"till"}}};
  Sample out;
  auto route = [&](Json base) {
    int others = 0;
    base["route"] = destinations(chance, others);
    out.others_most = std::max(out.others_most, others);
    return base;
  };
  Json http = Json::array();
  if (between(chance, 0, 1)) http.push_back({{"name", "first"}, {"redirect", {{"uri", "/"}}}});
  http.push_back(route({{"name", "primary"}, {"timeout", "5s"}}));
  if (between(chance, 0, 1)) http.push_back(route({{"name", "secondary"}}));
  if (between(chance, 0, 1)) http.push_back({{"match", Json::array({{{"uri", {{"exact", "/x"}}}}})}});
  for (const Json& each : http)
    if (each.contains("route")) service.routes.push_back(each["name"].get<std::string>());
  spec["http"] = http;
  if (between(chance, 0, 1)) spec["tls"] = Json::array({route({{"match", Json::array({{{"port", 443}}})}})});
  if (between(chance, 0, 1)) spec["tcp"] = Json::array({route(Json::object())});
  out.rollout = routed_by(IstioRouting{{service}, std::nullopt});
  out.rollout.routing.managed_routes = {"m1", "m2", "m3"};
  Json object = {{"apiVersion", "networking.istio.io/v1"},
                 {"kind", "VirtualService"},
                 {"metadata", {{"name", "till"}, {"namespace", "shop"}, {"labels", {{"a", "b"}}}}},
                 {"spec", std::move(spec)}};
  const ObjectKey key = key_of(object);
  out.live[key] = std::move(object);
  return out;
}

Traffic ask(Chance& chance, const Sample& sample) {
  Traffic out = traffic(sample.rollout, between(chance, 0, 100 - sample.others_most));
  for (const char* name : {"m1", "m2", "m3"}) {
    if (between(chance, 0, 2) == 0)
      out.managed.push_back(SetHeaderRoute{name, {{"h", {"exact", name}}}});
    else if (between(chance, 0, 2) == 0)
      out.managed.push_back(SetMirrorRoute{name, between(chance, 0, 100), {{}}});
  }
  if (between(chance, 0, 3) == 0) out.rejected = "hashv2";
  for (const char* name : {"e1", "e2"})
    if (const int room = out.stable_weight() - sample.others_most; room > 0 && between(chance, 0, 2) == 0)
      out.experiments.push_back({name, "", between(chance, 1, room)});
  return out;
}

/// What a router may be asked for, by the steps that it takes.
Traffic ask_router(Chance& chance, const RouterCase& router, const Rollout& rollout) {
  Traffic out = traffic(rollout, between(chance, 0, rollout.whole()));
  if (router.steps() != RouterCase::Steps::None && between(chance, 0, 1))
    out.managed.push_back(SetHeaderRoute{"testers", {{"h", {"exact", between(chance, 0, 1) ? "a" : "b"}}}});
  if (router.steps() == RouterCase::Steps::Mirrors && between(chance, 0, 1))
    out.managed.push_back(SetMirrorRoute{"shadow", between(chance, 0, 100), {{StringMatch{"exact", "GET"}, {}, {}}}});
  if (between(chance, 0, 3) == 0) out.rejected = "hashv2";
  if (std::holds_alternative<GatewayRouting>(router.router) && out.stable_weight() > 0 && between(chance, 0, 1))
    out.experiments.push_back({"trial", "", between(chance, 1, out.stable_weight())});
  return out;
}

}  // namespace

TEST_CASE("any sequence of weights and routes leaves alone what is not ours, and sums to 100", "[routing]") {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    Chance chance(seed);
    const Sample sample = draw(chance);
    RouteObjects now = sample.live;
    for (int i = between(chance, 1, 6); i > 0; --i) {
      const Traffic wanted = ask(chance, sample);
      auto next = with_weights(sample.rollout, now, wanted);
      REQUIRE(next);
      const auto all = splits(sample.rollout, *next, wanted);
      REQUIRE(all);
      for (const Split& split : *all) CHECK(split.stable + split.canary + split.others == 100);
      CHECK(*canary_weight(sample.rollout, *next, wanted) == wanted.weight);
      CHECK(*with_weights(sample.rollout, *next, wanted) == *next);
      now = *std::move(next);
    }
    // Back to where it began: only a weight that was left out is written out now.
    auto back = with_weights(sample.rollout, now, traffic(sample.rollout, 0));
    REQUIRE(back);
    Json expected = sample.live.begin()->second;
    for (const char* protocol : {"http", "tls", "tcp"})
      if (expected["spec"].contains(protocol))
        for (size_t r = 0; r < expected["spec"][protocol].size(); ++r)
          for (size_t d = 0;
               expected["spec"][protocol][r].contains("route") && d < expected["spec"][protocol][r]["route"].size();
               ++d)
            if (auto weight = integer_at(back->begin()->second["spec"][protocol][r]["route"][d], {"weight"});
                weight == 0)
              expected["spec"][protocol][r]["route"][d]["weight"] = 0;
    CHECK(dump(back->begin()->second) == dump(expected));
  }
}

TEST_CASE("where a router has come from does not show in where it is", "[routing]") {
  std::vector<RouterCase> routers = router_cases();
  for (RouterCase& each : cases_with_max_weight()) routers.push_back(std::move(each));
  routers.push_back({"subsets", subset_router(), subset_objects()});
  for (const RouterCase& router : routers)
    for (unsigned seed = 1; seed <= 40; ++seed) {
      INFO(router.what << " of " << router.max_weight.value_or(100) << ", seed " << seed);
      Chance chance(seed);
      Rollout rollout = routed_by(router.router);
      rollout.routing.managed_routes = {"testers", "shadow"};
      rollout.routing.max_weight = router.max_weight;
      RouteObjects now = router.routes;
      for (int i = between(chance, 1, 6); i > 0; --i) {
        const Traffic wanted = ask_router(chance, router, rollout);
        auto next = with_weights(rollout, now, wanted);
        REQUIRE(next);
        const auto shares = splits(rollout, *next, wanted);
        REQUIRE(shares);
        for (const Split& split : *shares) {
          CHECK(whole_of(rollout, split) == rollout.whole());
          CHECK(split.experiments.size() == wanted.experiments.size());
        }
        CHECK(*canary_weight(rollout, *next, wanted) == wanted.weight);
        CHECK(has_managed_route(rollout, *next) == !wanted.managed.empty());
        CHECK(*with_weights(rollout, *next, wanted) == *next);
        auto at_once = with_weights(rollout, router.routes, wanted);
        REQUIRE(at_once);
        // A canary Mapping comes with the first weight and stays.
        if (!std::holds_alternative<AmbassadorRouting>(router.router) || wanted.weight > 0) CHECK(*next == *at_once);
        now = *std::move(next);
      }
    }
}
