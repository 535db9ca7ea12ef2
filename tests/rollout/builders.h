// Small builders for tests of the engine: a rollout, what the cluster shows, and a cluster that does as it is told.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "rollout/anti_affinity.h"
#include "rollout/plan.h"
#include "rollout/replica_set.h"

namespace reconciler {

inline TimePoint at(int seconds) {
  return TimePoint(std::chrono::hours(24 * 365 * 50)) + std::chrono::seconds(seconds);
}

inline Rollout rollout(const std::string& tag,
                       std::vector<Step> steps = {SetWeight{20}, Pause{60s}, SetWeight{60}, Pause{60s}}) {
  Rollout r;
  r.key = {"shop", "till"};
  r.replicas = 5;
  r.selector = R"({"matchLabels":{"app":"till"}})";
  r.pod_template =
      R"({"metadata":{"labels":{"app":"till"}},"spec":{"containers":[{"name":"till","image":"example.com/till:)" + tag +
      R"("}]}})";
  r.hash = "hash" + tag;
  r.images = {{"till", "example.com/till:" + tag}};
  r.stable_service = "till-stable";
  r.canary_service = "till-canary";
  r.routing.routers = {IstioRouting{{{.ns = "shop", .name = "till"}}, std::nullopt}};
  r.steps = std::move(steps);
  r.steps_hash = r.steps.empty() ? "" : "steps" + std::to_string(r.steps.size());
  r.commit = "commit-" + tag;
  return r;
}

inline Json virtual_service(int stable, int canary) {
  return Json::parse(
      R"({"apiVersion":"networking.istio.io/v1","kind":"VirtualService","metadata":{"name":"till","namespace":"shop"},
    "spec":{"hosts":["till"],"http":[{"route":[{"destination":{"host":"till-stable"},"weight":)" +
      std::to_string(stable) + R"(},{"destination":{"host":"till-canary"},"weight":)" + std::to_string(canary) +
      "}]}]}}");
}

/// A cluster that carries out what it is asked to, at once; pods become available when `pods_start` is called.
struct Cluster1 {
  Observed live;
  std::vector<std::string> history;  ///< subjects of the transitions
  std::optional<Status> status;

  Cluster1() {
    live.services = {{"till-stable", {}}, {"till-canary", {}}};
    routes() = virtual_service(100, 0);
  }

  Json& routes() { return live.routes[{"networking.istio.io", "VirtualService", "shop", "till"}]; }

  Workload& workload(const std::string& hash) {
    return *std::find_if(live.workloads.begin(), live.workloads.end(), [&](auto& w) { return w.hash == hash; });
  }

  int canary_weight() { return int(routes()["spec"]["http"][0]["route"][1]["weight"]); }

  void carry_out(const Action& action, TimePoint now) {
    auto named = [&](const std::string& name) -> Workload& {
      for (Workload& w : live.experiments)
        if (w.name == name) return w;
      return *std::find_if(live.workloads.begin(), live.workloads.end(), [&](auto& w) { return w.name == name; });
    };
    if (auto a = std::get_if<CreateReplicaSet>(&action)) {
      Workload w{.name = a->name, .uid = "uid-" + a->name, .hash = a->name.substr(5), .owned = true};
      w.images = {{"till", a->object["spec"]["template"]["spec"]["containers"][0]["image"]}};
      w.replicas = a->object["spec"]["replicas"];
      w.created = now;
      w.revision = int(live.workloads.size()) + 1;
      w.avoids = avoided_revision(a->object["spec"]["template"]);
      w.metadata = text_at(a->object, {"metadata", "annotations", kEphemeralMetadataAnnotation});
      live.workloads.push_back(w);
    } else if (auto a = std::get_if<CreateExperimentPods>(&action)) {
      live.experiments.push_back({.name = a->pods.name,
                                  .uid = "uid-" + a->pods.name,
                                  .hash = a->pods.hash,
                                  .replicas = a->pods.replicas,
                                  .created = now,
                                  .owned = true,
                                  .service = a->pods.service});
    } else if (auto a = std::get_if<CreateExperimentService>(&action)) {
      live.experiment_services[a->name] = a->replica_set;
    } else if (auto a = std::get_if<ScaleReplicaSet>(&action)) {
      Workload& w = named(a->name);
      w.replicas = a->replicas;
      w.current = std::min(w.current, a->replicas);
      w.available = std::min(w.available, a->replicas);
      w.scale_down_deadline.reset();
    } else if (auto a = std::get_if<AdoptReplicaSet>(&action)) {
      named(a->name).owned = true;
    } else if (auto a = std::get_if<SetScaleDownDeadline>(&action)) {
      named(a->name).scale_down_deadline = a->deadline;
    } else if (auto a = std::get_if<MarkReplicaSet>(&action)) {
      named(a->name).rejected = !a->hash.empty();
    } else if (auto a = std::get_if<SetTemplateMetadata>(&action)) {
      named(a->name).metadata = a->after;
    } else if (auto a = std::get_if<RestoreAffinity>(&action)) {
      named(a->name).avoids.clear();
    } else if (auto a = std::get_if<SetPodMetadata>(&action)) {
      for (Workload& w : live.workloads)
        for (PodState& pod : w.pods)
          if (pod.name == a->name) pod.metadata = a->after;
    } else if (auto a = std::get_if<EvictPods>(&action)) {
      for (const PodState& gone : a->pods) evict(gone.name);
    } else if (auto a = std::get_if<DeleteReplicaSet>(&action)) {
      std::erase_if(live.workloads, [&](auto& w) { return w.name == a->name; });
      std::erase_if(live.experiments, [&](auto& w) { return w.name == a->name; });
    } else if (auto a = std::get_if<SelectRevision>(&action)) {
      live.services[a->service].hash = a->hash;
    } else if (auto a = std::get_if<RewriteRoutes>(&action)) {
      if (a->after.is_null())
        live.routes.erase(a->object);
      else
        live.routes[a->object] = a->after;
    }
  }

  void evict(const std::string& pod) {
    for (Workload& w : live.workloads) {
      const auto before = w.pods.size();
      std::erase_if(w.pods, [&](auto& p) { return p.name == pod; });
      w.current = w.ready = w.available = w.available - int(before - w.pods.size());
    }
  }

  /// Every pod that is asked for is available.
  void pods_start(TimePoint now) {
    for (Workload& w : live.workloads) {
      while (int(w.pods.size()) > w.replicas) w.pods.pop_back();
      while (int(w.pods.size()) < w.replicas)
        w.pods.push_back({w.name + "-" + std::to_string(++pods_made), "", now, w.metadata});
      if (w.available != w.replicas) w.pods_moved = now;
      w.current = w.ready = w.available = w.replicas;
    }
    for (Workload& w : live.experiments) {
      if (w.available != w.replicas) w.pods_moved = now;
      w.current = w.ready = w.available = w.replicas;
    }
  }

  /// Plans, records and acts once. True when anything was done.
  bool pass(const Rollout& desired, TimePoint now) {
    for (auto* workloads : {&live.workloads, &live.experiments})
      for (Workload& w : *workloads) w.deadline_passed = w.scale_down_deadline && *w.scale_down_deadline <= now;
    Decision d = plan(desired, live, status, now);
    last = d;
    if (!d.held.empty()) return false;
    for (const std::string& broken : violations(desired, live, d)) history.push_back("VIOLATION " + broken);
    if (!d.subject.empty()) history.push_back(d.subject);
    const bool changed = !status || !(*status == d.status) || !d.actions.empty();
    status = d.status;
    for (const Action& action : d.actions) carry_out(action, now);
    return changed;
  }

  /// Passes until nothing happens, pods starting in between.
  void rest(const Rollout& desired, TimePoint now, bool pods = true) {
    for (int i = 0; i < 100; ++i) {
      bool changed = pass(desired, now);
      if (pods) pods_start(now);
      if (!changed && !pass(desired, now)) return;
    }
    history.push_back("NEVER AT REST");
  }

  std::vector<std::string> take_history() { return std::exchange(history, {}); }

  Decision last;
  int pods_made = 0;
};

/// A cluster in which `desired` is stable and at rest.
inline Cluster1 running(const Rollout& desired) {
  Cluster1 c;
  c.rest(desired, at(0));
  c.take_history();
  return c;
}

inline Cluster1 running(const std::string& tag) { return running(rollout(tag)); }

/// Without services and routing.
inline Rollout unrouted(const std::string& tag, std::vector<Step> steps = {SetWeight{20}, Pause{60s}}) {
  Rollout r = rollout(tag, std::move(steps));
  r.stable_service.clear();
  r.canary_service.clear();
  r.routing = {};
  return r;
}

}  // namespace reconciler
