// A whole rollout through each kind of router: the same transitions, traffic never to missing pods, and no more writes
// of an object than wanted states.
#include "rollout/route_cases.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

const std::vector<std::string> kWalk = {
    "deploying v2 (step 0/4)", "canary 20% (step 1/4)",  "canary 20% (step 2/4)",   "canary 60% (step 3/4)",
    "canary 60% (step 4/4)",   "canary 100% (step 4/4)", "promoting v2 (step 4/4)", "promoted v2"};

}  // namespace

TEST_CASE("every router takes a canary to its end, one write per weight", "[routing]") {
  for (const RouterCase& c : router_cases()) {
    INFO(c.what);
    RoutedCluster cluster(c.routes);
    cluster.rest(with_router(rollout("v1"), c.router), at(0));
    cluster.take_history();
    const Rollout v2 = with_router(rollout("v2"), c.router);
    int writes = 0;
    for (int seconds : {100, 200, 300, 400, 500}) writes += cluster.rest_counting(v2, at(seconds));
    CHECK(cluster.take_history() == kWalk);
    CHECK(writes == 4);  // 20, 60, 100, 0
    CHECK(*canary_weight(v2, cluster.live.routes, traffic(v2, 0)) == 0);
  }
}

TEST_CASE("every router gives traffic back when Git asks for stable again", "[routing]") {
  for (const RouterCase& c : router_cases()) {
    INFO(c.what);
    RoutedCluster cluster(c.routes);
    const Rollout v1 = with_router(rollout("v1"), c.router), v2 = with_router(rollout("v2"), c.router);
    cluster.rest(v1, at(0));
    cluster.rest(v2, at(100));
    REQUIRE(*canary_weight(v2, cluster.live.routes, traffic(v2, 0)) == 20);
    cluster.take_history();
    CHECK(cluster.rest_counting(v1, at(110)) == 1);
    CHECK(cluster.take_history() == std::vector<std::string>{"returning to v1: Git asks for v1 again",
                                                             "rolled back to v1: Git asks for v1 again"});
    CHECK(*canary_weight(v2, cluster.live.routes, traffic(v2, 0)) == 0);
  }
}

TEST_CASE("in subset mode the rule names each revision before traffic goes to it, one write per state", "[routing]") {
  RoutedCluster cluster(subset_objects());
  auto subsets = [&] { return *subset_revisions(with_router(rollout("v2"), subset_router()), cluster.live.routes); };
  cluster.rest(with_router(rollout("v1"), subset_router()), at(0));
  CHECK(subsets() == SubsetRevisions{"hashv1", "hashv1"});
  cluster.take_history();
  const Rollout v2 = with_router(rollout("v2"), subset_router());
  // 20 % and the canary's subset.
  CHECK(cluster.rest_counting(v2, at(100)) == 2);
  CHECK(subsets() == SubsetRevisions{"hashv1", "hashv2"});
  int writes = 0;
  for (int seconds : {200, 300, 400, 500}) writes += cluster.rest_counting(v2, at(seconds));
  // 60 %, 100 %, both subsets, 0 %.
  CHECK(writes == 4);
  CHECK(subsets() == SubsetRevisions{"hashv2", "hashv2"});
  CHECK(cluster.take_history() == kWalk);
}

TEST_CASE("a subset is not taken away from a revision while traffic goes through it", "[routing]") {
  RoutedCluster cluster(subset_objects());
  const Rollout v1 = with_router(rollout("v1"), subset_router()), v2 = with_router(rollout("v2"), subset_router());
  cluster.rest(v1, at(0));
  cluster.rest(v2, at(100));
  cluster.pass(with_router(rollout("v3"), subset_router()), at(110));
  // Traffic has left v2 in this pass, and its subset stays until v3 has pods.
  CHECK(*canary_weight(v2, cluster.live.routes, traffic(v2, 0)) == 0);
  CHECK(subset_revisions(v2, cluster.live.routes)->canary == "hashv2");
  cluster.rest(with_router(rollout("v3"), subset_router()), at(111));
  CHECK(subset_revisions(v2, cluster.live.routes)->canary == "hashv3");
}

TEST_CASE("header and mirror routes come by their steps and go with the canary", "[routing]") {
  const std::vector<Step> steps = {SetWeight{20},
                                   SetHeaderRoute{"h", {{"a", {"exact", "b"}}}},
                                   Pause{60s},
                                   SetMirrorRoute{"m", 100, {{}}},
                                   SetHeaderRoute{"h", {}},
                                   Pause{60s}};
  auto version = [&](const std::string& tag) {
    Rollout out = rollout(tag, steps);
    out.routing.managed_routes = {"h", "m"};
    return out;
  };
  auto names = [](Cluster1& c) {
    std::string out;
    for (const Json& route : c.routes()["spec"]["http"]) out += text_at(route, {"name"}, "-");
    return out;
  };
  Cluster1 c;
  c.rest(version("v1"), at(0));
  CHECK(names(c) == "-");
  c.take_history();
  c.rest(version("v2"), at(100));
  CHECK(names(c) == "h-");
  c.rest(version("v2"), at(200));
  CHECK(names(c) == "m-");
  CHECK(c.take_history() == std::vector<std::string>{"deploying v2 (step 0/6)", "canary 20% (step 1/6)",
                                                     "canary 20% (step 2/6)", "canary 20% (step 3/6)",
                                                     "canary 20% (step 4/6)", "canary 20% (step 5/6)"});
  Cluster1 back = c;
  back.rest(version("v1"), at(210));
  CHECK(names(back) == "-");
  Cluster1 lost = c;
  lost.workload("hashv2").available = lost.workload("hashv2").current = 0;
  lost.pass(version("v2"), at(210));
  CHECK(names(lost) == "-");
  c.rest(version("v2"), at(300));
  CHECK(c.take_history().back() == "promoted v2");
  CHECK(names(c) == "-");
}

TEST_CASE("with pingPong the Services take turns, and a promotion moves no traffic", "[routing]") {
  auto version = [](const std::string& tag) {
    Rollout out = rollout(tag);
    out.ping_pong = true;
    return out;
  };
  auto weights = [](Cluster1& c) {
    const Json& route = c.routes()["spec"]["http"][0]["route"];
    return std::pair<int, int>(route[0]["weight"], route[1]["weight"]);
  };
  Cluster1 c;
  c.rest(version("v1"), at(0));
  CHECK(weights(c) == std::pair(100, 0));
  for (int seconds : {100, 200, 300, 400}) c.rest(version("v2"), at(seconds));
  CHECK(c.status->pong_is_stable);
  CHECK(weights(c) == std::pair(0, 100));
  CHECK(c.live.services["till-canary"].hash == "hashv2");
  c.rest(version("v3"), at(500));
  CHECK(weights(c) == std::pair(20, 80));
  CHECK(c.live.services["till-stable"].hash == "hashv3");
  for (int seconds : {600, 700, 800}) c.rest(version("v3"), at(seconds));
  CHECK_FALSE(c.status->pong_is_stable);
  CHECK(weights(c) == std::pair(100, 0));
  CHECK(c.take_history().back() == "promoted v3");
}
