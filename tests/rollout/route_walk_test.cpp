// Random histories of people, pods and time through every router: nothing is written at rest, no object is written more
// often than something else was wanted of it, and what is not ours in it stays byte for byte.
#include <random>
#include <set>

#include "rollout/route_cases.h"
#include "rollout/route_diff.h"
//
#include "catch.h"

using namespace reconciler;

namespace {

const std::set<std::string> kOurs = {"weight",
                                     std::string(kHashLabel),
                                     std::string(kManagedByAnnotation),
                                     std::string(kRejectedAnnotation),
                                     std::string(kManagedRulesAnnotation),
                                     "alb.ingress.kubernetes.io/actions.till-stable",
                                     "alb.ingress.kubernetes.io/actions.testers",
                                     "alb.ingress.kubernetes.io/conditions.testers"};

bool is_managed(const Json& item) {
  std::string name = text_at(item, {"name"});
  if (name.empty()) name = text_at(item, {"backend", "service", "name"});
  return name == "testers" || name == "shadow";
}

/// `value` without anything that a router may write into an object of somebody else.
Json foreign_part(const Json& value) {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& item : value)
      if (!is_managed(item)) out.push_back(foreign_part(item));
    return out;
  }
  if (!value.is_object()) return value;
  Json out = Json::object();
  for (const auto& [name, member] : value.items()) {
    if (kOurs.contains(name)) continue;
    Json part = foreign_part(member);
    // Maps that came to be for something of ours.
    if ((name == "annotations" || name == "labels") && part.empty()) continue;
    out[name] = std::move(part);
  }
  if (out.contains("metadata") && out["metadata"].empty()) out.erase("metadata");
  return out;
}

/// All that a pass may want of the routes; the second says whether routes of steps may stand there.
using WantedRoutes = std::pair<Traffic, bool>;

class Walk {
 public:
  Walk(const RouterCase& router, unsigned seed) : router_(router), chance_(seed), cluster_(router.routes) {}

  void run() {
    settle();
    for (int i = 0; i < 12; ++i) {
      change();
      for (int passes = between(0, 3); passes > 0; --passes) pass();
      if (between(0, 1)) settle();
    }
    settle();
    const bool stepping = cluster_.status->canary && !traffic_of(target(desired(), *cluster_.status)).managed.empty();
    CHECK((stepping || !has_managed_route(desired(), cluster_.live.routes)));
    for (const auto& [key, before] : router_.routes)
      CHECK(dump(foreign_part(cluster_.live.routes.at(key))) == dump(foreign_part(before)));
    for (const auto& [key, writes] : writes_) {
      INFO(key.text());
      CHECK(writes <= wanted_states_);
    }
    for (const std::string& subject : cluster_.history) {
      INFO(subject);
      CHECK(subject.find("VIOLATION") == std::string::npos);
      CHECK(cluster_.last.held.empty());
    }
  }

 private:
  int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(chance_); }

  Rollout desired() const {
    Rollout out = with_router(rollout(tag_, steps_), router_.router);
    out.routing.managed_routes = {"testers", "shadow"};
    out.routing.max_weight = router_.max_weight;
    return out;
  }

  void change() {
    switch (between(0, 5)) {
      case 0:
      case 1: tag_ = "v" + std::to_string(between(1, 4)); break;
      case 2: seconds_ += 61; break;
      case 3: lose_pods(); break;
      case 4: seconds_ += between(1, 30); break;
      case 5: steps_ = draw_steps(); break;
    }
  }

  std::vector<Step> draw_steps() {
    std::vector<Step> out;
    for (int i = between(0, 5); i > 0; --i) {
      const int kind = between(0, 2 + int(router_.steps()));
      if (kind < 2) out.emplace_back(SetWeight{between(0, router_.max_weight.value_or(100))});
      if (kind == 2) out.emplace_back(Pause{60s});
      if (kind == 3) out.emplace_back(SetHeaderRoute{"testers", {{"a", {"exact", std::to_string(between(1, 2))}}}});
      if (kind == 4) out.emplace_back(SetMirrorRoute{"shadow", between(0, 100), {{}}});
    }
    return out;
  }

  void lose_pods() {
    if (cluster_.live.workloads.empty()) return;
    Workload& w = cluster_.live.workloads[size_t(between(0, int(cluster_.live.workloads.size()) - 1))];
    w.current = w.ready = w.available = 0;
    w.pods.clear();
  }

  bool pass() {
    const Observed before = cluster_.live;
    const bool changed = cluster_.pass(desired(), at(seconds_));
    if (!cluster_.status) return changed;
    note_wanted(before);
    note_wanted(cluster_.live);
    for (const Action& action : cluster_.last.actions)
      if (const auto* rewrite = std::get_if<RewriteRoutes>(&action)) {
        CHECK(rewrite->before != rewrite->after);
        if (rewrite->after.is_null()) CHECK(text_at(rewrite->before, {"metadata", "labels", kRolloutLabel}) == "till");
        ++writes_[rewrite->object];
      }
    return changed;
  }

  /// Counts what is wanted of the routes when it is another thing than before.
  void note_wanted(const Observed& live) {
    WantedRoutes wanted{traffic_of(target(desired(), *cluster_.status)), false};
    const Side& canary = wanted.first.canary;
    if (const Workload* w = live.workload(canary.hash)) wanted.second = w->available > 0 && leads_to(canary, live);
    if (wanted != wanted_) ++wanted_states_;
    wanted_ = wanted;
  }

  bool leads_to(const Side& canary, const Observed& live) const {
    if (auto subsets = subset_revisions(desired(), live.routes)) return subsets->canary == canary.hash;
    return live.services.at(canary.service).hash == canary.hash;
  }

  /// Passes until nothing changes; then one more writes nothing.
  void settle() {
    for (int i = 0; i < 100; ++i) {
      const bool changed = pass();
      cluster_.pods_start(at(seconds_));
      if (changed || pass()) continue;
      CHECK(cluster_.last.actions.empty());
      return;
    }
    FAIL("never at rest");
  }

  const RouterCase& router_;
  std::minstd_rand chance_;
  RoutedCluster cluster_;
  std::string tag_ = "v1";
  std::vector<Step> steps_ = {SetWeight{2}, Pause{60s}, SetWeight{6}, Pause{60s}};
  int seconds_ = 0;
  int wanted_states_ = 0;
  WantedRoutes wanted_;
  std::map<ObjectKey, int> writes_;
};

std::vector<RouterCase> all_routers() {
  std::vector<RouterCase> out = router_cases();
  const ObjectKey edge{"networking.istio.io", "VirtualService", "mesh", "edge"};
  Json second = virtual_service(100, 0);
  second["metadata"] = {{"name", "edge"}, {"namespace", "mesh"}};
  second["spec"]["http"].insert(second["spec"]["http"].begin(), Json{{"name", "old"}, {"redirect", {{"uri", "/"}}}});
  second["spec"]["http"][1]["route"].push_back({{"destination", {{"host", "else"}}}, {"weight", 0}});
  RouteObjects two{{edge, second}, {key_of(virtual_service(100, 0)), virtual_service(100, 0)}};
  out.push_back({"two VirtualServices",
                 IstioRouting{{{.ns = "shop", .name = "till"}, {.ns = "mesh", .name = "edge"}}, std::nullopt}, two});
  out.push_back({"subsets", subset_router(), subset_objects()});
  for (RouterCase& each : cases_with_max_weight()) out.push_back(std::move(each));
  return out;
}

}  // namespace

TEST_CASE("no history makes a router write more than it must, or what is not ours", "[routing]") {
  const std::vector<RouterCase> routers = all_routers();
  for (const RouterCase& router : routers)
    for (unsigned seed = 1; seed <= 60; ++seed) {
      INFO(router.what << " seed " << seed);
      Walk(router, seed).run();
    }
}
