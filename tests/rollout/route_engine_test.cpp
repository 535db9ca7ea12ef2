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

namespace {

/// Over a route of the Gateway API, in parts of `whole`.
Rollout of_whole(const std::string& tag, std::optional<int> whole, std::vector<Step> steps) {
  Rollout out = with_router(rollout(tag, std::move(steps)), router_cases().front().router);
  out.routing.max_weight = whole;
  return out;
}

RoutedCluster over_gateway(const Rollout& desired) {
  RoutedCluster out(router_cases().front().routes);
  out.rest(desired, at(0));
  out.take_history();
  return out;
}

int64_t backend_weight(const RoutedCluster& c, size_t backend) {
  return *integer_at(c.live.routes.begin()->second["spec"]["rules"][0]["backendRefs"][backend], {"weight"});
}

}  // namespace

TEST_CASE("weights are parts of maxTrafficWeight, and so are pods", "[routing]") {
  const std::vector<Step> steps = {SetWeight{201}, Pause{60s}, SetWeight{1000}, Pause{}};
  RoutedCluster c = over_gateway(of_whole("v1", 1000, steps));
  CHECK(backend_weight(c, 0) == 1000);
  c.rest(of_whole("v2", 1000, steps), at(10));
  CHECK(c.take_history() == std::vector<std::string>{"deploying v2 (step 0/4)", "canary 201 of 1000 (step 1/4)"});
  CHECK(c.last.why.find("pausing") == std::string::npos);
  CHECK(c.status->weight == 201);
  CHECK(c.status->whole == 1000);
  CHECK(c.workload("hashv2").replicas == 2);  // ceil(5 * 201 / 1000)
  CHECK(backend_weight(c, 0) == 799);
  CHECK(backend_weight(c, 1) == 201);
  CHECK(commit_message(of_whole("v2", 1000, steps), {.status = *c.status, .subject = "s", .why = "w"}, "default", {})
            .find("\nRollout-Weight: 201/1000\n") != std::string::npos);
  c.rest(of_whole("v2", 1000, steps), at(100));
  CHECK(c.take_history() ==
        std::vector<std::string>{"canary 201 of 1000 (step 2/4)", "canary 1000 of 1000 (step 3/4)"});
  CHECK(c.workload("hashv2").replicas == 5);
  Rollout done = of_whole("v2", 1000, steps);
  done.decision = RolloutDecision{.verb = Verb::Promote, .revision = "hashv2", .author = "p", .commit = "d"};
  c.rest(done, at(110));
  CHECK(c.take_history().back() == "promoted v2");
  CHECK(c.status->whole == 100);
  CHECK(backend_weight(c, 0) == 1000);
}

TEST_CASE("another maxTrafficWeight in mid-canary starts the steps over", "[routing]") {
  const std::vector<Step> steps = {SetWeight{20}, Pause{}};
  RoutedCluster c = over_gateway(of_whole("v1", std::nullopt, steps));
  c.rest(of_whole("v2", std::nullopt, steps), at(10));
  c.take_history();
  CHECK(backend_weight(c, 1) == 20);
  c.rest(of_whole("v2", 1000, steps), at(20));
  const std::vector<std::string> history = c.take_history();
  CHECK(history == std::vector<std::string>{"deploying v2 (step 0/2)", "canary 20 of 1000 (step 1/2)"});
  CHECK(backend_weight(c, 0) == 980);
  CHECK(backend_weight(c, 1) == 20);
}

TEST_CASE("deviation 4: promoted at once, a dynamic canary gets no more than maxTrafficWeight", "[routing]") {
  const std::vector<Step> steps = {SetWeight{100}, Pause{}, SetWeight{500}, Pause{}};
  auto desired = [&](const std::string& tag) {
    Rollout out = of_whole(tag, 1000, steps);
    out.dynamic_stable_scale = true;
    return out;
  };
  RoutedCluster c = over_gateway(desired("v1"));
  c.rest(desired("v2"), at(10));
  CHECK(c.status->weight == 100);
  CHECK(c.workload("hashv1").replicas == 5);  // ceil(5 * 900 / 1000)
  Rollout all = desired("v2");
  all.decision = RolloutDecision{.verb = Verb::PromoteFull, .revision = "hashv2", .author = "p", .commit = "d"};
  c.pass(all, at(20));
  int most = 0;
  for (int i = 0; i < 40; ++i) {
    Workload& canary = c.workload("hashv2");
    // More pods than are asked for, as after a scale-down of the rollout.
    if (canary.available < canary.replicas) canary.current = canary.ready = canary.available = canary.available + 1;
    c.pass(all, at(21 + i));
    most = std::max(most, c.status->weight);
    CHECK(backend_weight(c, 0) + backend_weight(c, 1) == 1000);
    CHECK(c.status->weight <= 1000);
  }
  CHECK(most == 1000);
  for (const std::string& subject : c.history) CHECK(subject.find("VIOLATION") == std::string::npos);
  CHECK(std::count(c.history.begin(), c.history.end(), "canary 600 of 1000 (step 4/4)") == 1);
  CHECK(c.history.back() == "promoted v2");
}
