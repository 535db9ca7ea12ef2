#include "rollout/forecast.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/plan.h"
#include "rollout/replica_set.h"
#include "rollout/routing.h"

namespace reconciler {
namespace {

/// No list of steps is so long that the engine needs more passes.
constexpr int kPassesMax = 10'000;

/// The same steps whichever router carries them out: one route stands for all.
Rollout with_ideal_route(Rollout desired) {
  desired.ping_pong = false;
  if (!desired.is_routed()) return desired;
  if (desired.stable_service.empty()) desired.stable_service = "stable";
  if (desired.canary_service.empty()) desired.canary_service = "canary";
  desired.routing.routers = {IstioRouting{{{.ns = desired.key.ns, .name = desired.key.name}}, std::nullopt}};
  return desired;
}

/// The cluster that does as it is told, at once.
class IdealCluster {
 public:
  IdealCluster(const Rollout& desired, const std::optional<Status>& status, TimePoint now) {
    std::string stable = status && status->stable ? status->stable->hash : "";
    std::string canary = status && status->canary ? status->canary->hash : stable;
    for (const std::string& hash : {stable, canary})
      if (!hash.empty() && !live_.workload(hash)) add(desired, hash, desired.replicas, now);
    if (!desired.stable_service.empty()) live_.services[desired.stable_service].hash = stable;
    if (!desired.canary_service.empty()) live_.services[desired.canary_service].hash = canary;
    for (const RouteObject& object : route_objects(desired))
      live_.routes[object.key] = route(desired, status ? rescaled(status->weight, status->whole, desired.whole()) : 0);
  }

  const Observed& at(TimePoint now) {
    for (auto* workloads : {&live_.workloads, &live_.experiments})
      for (Workload& w : *workloads) w.deadline_passed = w.scale_down_deadline && *w.scale_down_deadline <= now;
    return live_;
  }

  void carry_out(const Rollout& desired, const Action& action, TimePoint now) {
    if (const auto* create = std::get_if<CreateReplicaSet>(&action))
      add(desired, desired.hash, static_cast<int>(integer_at(create->object, {"spec", "replicas"}).value_or(0)), now);
    if (const auto* copy = std::get_if<CreateExperimentPods>(&action)) add_experiment(copy->pods, now);
    if (const auto* service = std::get_if<CreateExperimentService>(&action))
      live_.experiment_services[service->name] = service->replica_set;
    if (const auto* scale = std::get_if<ScaleReplicaSet>(&action)) {
      resize(named(scale->name), scale->replicas);
      named(scale->name).scale_down_deadline.reset();
    }
    if (const auto* adopt = std::get_if<AdoptReplicaSet>(&action)) named(adopt->name).owned = true;
    if (const auto* linger = std::get_if<SetScaleDownDeadline>(&action))
      named(linger->name).scale_down_deadline = linger->deadline;
    if (const auto* role = std::get_if<SetTemplateMetadata>(&action)) named(role->name).metadata = role->after;
    if (const auto* restore = std::get_if<RestoreAffinity>(&action)) named(restore->name).avoids.clear();
    if (const auto* mark = std::get_if<MarkReplicaSet>(&action)) named(mark->name).rejected = !mark->hash.empty();
    if (const auto* remove = std::get_if<DeleteReplicaSet>(&action))
      for (auto* workloads : {&live_.workloads, &live_.experiments})
        std::erase_if(*workloads, [&](const Workload& w) { return w.name == remove->name; });
    if (const auto* select = std::get_if<SelectRevision>(&action)) live_.services[select->service].hash = select->hash;
    if (const auto* rewrite = std::get_if<RewriteRoutes>(&action)) live_.routes[rewrite->object] = rewrite->after;
  }

 private:
  static Json route(const Rollout& desired, int weight) {
    Json destinations = Json::array();
    destinations.push_back({{"destination", {{"host", desired.stable_service}}}, {"weight", desired.whole() - weight}});
    destinations.push_back({{"destination", {{"host", desired.canary_service}}}, {"weight", weight}});
    return {{"spec", {{"http", Json::array({{{"route", std::move(destinations)}}})}}}};
  }

  static void resize(Workload& w, int replicas) { w.replicas = w.current = w.ready = w.available = replicas; }

  void add(const Rollout& desired, const std::string& hash, int replicas, TimePoint now) {
    Workload w{.name = replica_set_name(desired, hash), .hash = hash, .owned = true};
    if (hash == desired.hash) w.images = desired.images;
    w.created = w.pods_moved = now;
    resize(w, replicas);
    live_.workloads.push_back(std::move(w));
    std::sort(live_.workloads.begin(), live_.workloads.end(), [](auto& a, auto& b) { return a.name < b.name; });
  }

  void add_experiment(const ExperimentPods& pods, TimePoint now) {
    Workload w{.name = pods.name, .hash = pods.hash, .owned = true, .service = pods.service};
    w.created = w.pods_moved = now;
    resize(w, pods.replicas);
    live_.experiments.push_back(std::move(w));
  }

  Workload& named(const std::string& name) {
    auto is_it = [&](const Workload& w) { return w.name == name; };
    auto copy = std::find_if(live_.experiments.begin(), live_.experiments.end(), is_it);
    if (copy != live_.experiments.end()) return *copy;
    auto found = std::find_if(live_.workloads.begin(), live_.workloads.end(), is_it);
    CHECK(found != live_.workloads.end());
    return *found;
  }

  Observed live_;
};

/// A canary at an indefinite pause, or an experiment without a duration: nothing but a person moves it.
bool waits_for_person(const Rollout& desired, const Status& status, const Decision& decision) {
  return (status.canary || status.run) && status.phase == Phase::Paused && !desired.paused && !decision.look_again;
}

bool is_at_rest(const Status& status) { return status.phase == Phase::Healthy || status.phase == Phase::Degraded; }

}  // namespace

Forecast forecast(const Rollout& in_git, const std::optional<Status>& status, TimePoint now) {
  const Rollout desired = with_ideal_route(in_git);
  const TimePoint start = now;
  Rollout asked = desired;
  IdealCluster cluster(desired, status, now);
  std::optional<Status> recorded = status;
  Forecast out;
  for (int pass = 0; pass < kPassesMax; ++pass) {
    Decision decision = plan(asked, cluster.at(now), recorded, now);
    if (!decision.held.empty()) {
      out.held = decision.held;
      return out;
    }
    for (const Action& action : decision.actions) cluster.carry_out(desired, action, now);
    const bool is_ignored = decision.status.ignored && (!recorded || decision.status.ignored != recorded->ignored);
    recorded = decision.status;
    if (is_ignored) {
      out.held = decision.why;
      return out;
    }
    if (!decision.subject.empty()) {
      out.steps.push_back({now - start, decision.subject, decision.why, decision.status.weight, decision.status.whole});
      continue;
    }
    if (!decision.actions.empty()) continue;
    if (is_at_rest(*recorded)) return out;
    if (waits_for_person(desired, *recorded, decision)) {
      if (!out.steps.empty()) out.steps.back().waits_for_person = true;
      if (asked.decision && asked.decision->commit == format("forecast-{}", out.steps.size())) return out;
      asked.decision = RolloutDecision{.verb = Verb::Promote,
                                       .revision = desired.hash,
                                       .author = "a person",
                                       .commit = format("forecast-{}", out.steps.size())};
      continue;
    }
    if (!decision.look_again || *decision.look_again <= now) {
      out.held = decision.why;
      return out;
    }
    now = *decision.look_again;
  }
  out.held = "it does not come to rest";
  return out;
}

}  // namespace reconciler
