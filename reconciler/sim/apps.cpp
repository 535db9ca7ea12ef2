#include "sim/apps.h"

#include <algorithm>

namespace reconciler {
namespace {

Json named(const char* api_version, const char* kind, const std::string& ns, const std::string& name) {
  return {{"apiVersion", api_version}, {"kind", kind}, {"metadata", {{"name", name}, {"namespace", ns}}}};
}

/// An edit that means nothing.
void set_edition(const App& app, Json& manifest) {
  if (app.edition > 0) manifest["metadata"]["annotations"]["example.com/edition"] = std::to_string(app.edition);
}

Json service(const App& app, const std::string& name) {
  Json out = named("v1", "Service", app.key.ns, name);
  set_edition(app, out);
  out["spec"] = {{"selector", {{"app", app.key.name}}},
                 {"ports", Json::array({{{"port", 80}, {"protocol", "TCP"}, {"targetPort", 8080}}})}};
  return out;
}

/// What a Deployment and a Rollout have in common.
Json workload_spec(const App& app) {
  const Json labels = {{"app", app.key.name}};
  const Json containers = Json::array({{{"name", "app"}, {"image", app.image()}}});
  return {{"selector", {{"matchLabels", labels}}},
          {"template", {{"metadata", {{"labels", labels}}}, {"spec", {{"containers", containers}}}}}};
}

/// `v1` as a baseline, and the tag beside it.
Json experiment_manifest(const App& app) {
  Json out = named("argoproj.io/v1alpha1", "Experiment", app.key.ns, app.key.name);
  set_edition(app, out);
  App before = app;
  before.tag = "v1";
  Json baseline = workload_spec(before), trial = workload_spec(app);
  baseline["name"] = "baseline";
  trial["name"] = "trial";
  trial["replicas"] = app.replicas;
  if (app.has_services) trial["service"] = Json::object();
  out["spec"] = app.experiment;
  out["spec"]["templates"] = Json::array({std::move(baseline), std::move(trial)});
  if (app.deadline_seconds) out["spec"]["progressDeadlineSeconds"] = *app.deadline_seconds;
  if (app.scale_down_delay_seconds) out["spec"]["scaleDownDelaySeconds"] = *app.scale_down_delay_seconds;
  return out;
}

/// What both strategies have.
void set_common(const App& app, Json& strategy) {
  if (!app.anti_affinity.is_null()) strategy["antiAffinity"] = app.anti_affinity;
  if (app.abort_delay_seconds) strategy["abortScaleDownDelaySeconds"] = *app.abort_delay_seconds;
  if (app.scale_down_delay_seconds) strategy["scaleDownDelaySeconds"] = *app.scale_down_delay_seconds;
}

Json blue_green_strategy(const App& app) {
  Json out = app.blue_green;
  out["activeService"] = app.stable_service();
  if (app.has_preview) out["previewService"] = app.canary_service();
  if (!app.max_unavailable.is_null()) out["maxUnavailable"] = app.max_unavailable;
  if (!app.canary_metadata.is_null()) out["previewMetadata"] = app.canary_metadata;
  if (!app.stable_metadata.is_null()) out["activeMetadata"] = app.stable_metadata;
  if (app.delay_revision_limit)
    out["scaleDownDelayRevisionLimit"] = std::min(*app.delay_revision_limit, app.history_limit.value_or(10));
  set_common(app, out);
  return {{"blueGreen", std::move(out)}};
}

/// The two Services as the strategy names them.
Json services_of(const App& app) {
  const char *first = app.ping_pong ? "pingService" : "stableService",
             *second = app.ping_pong ? "pongService" : "canaryService";
  Json out = {{first, app.stable_service()}, {second, app.canary_service()}};
  return app.ping_pong ? Json{{"pingPong", std::move(out)}} : out;
}

Json canary_strategy(const App& app) {
  Json canary = Json::object();
  if (app.has_services) canary = services_of(app);
  if (app.routed) canary["trafficRouting"] = traffic_routing(app);
  if (!app.max_surge.is_null()) canary["maxSurge"] = app.max_surge;
  if (!app.max_unavailable.is_null()) canary["maxUnavailable"] = app.max_unavailable;
  if (app.dynamic_stable) canary["dynamicStableScale"] = true;
  if (app.min_pods) canary["minPodsPerReplicaSet"] = *app.min_pods;
  if (!app.progress_threshold.is_null()) canary["replicaProgressThreshold"] = app.progress_threshold;
  if (!app.canary_metadata.is_null()) canary["canaryMetadata"] = app.canary_metadata;
  if (!app.stable_metadata.is_null()) canary["stableMetadata"] = app.stable_metadata;
  if (app.delay_revision_limit) canary["scaleDownDelayRevisionLimit"] = *app.delay_revision_limit;
  if (!app.steps.empty()) canary["steps"] = app.steps;
  set_common(app, canary);
  return {{"canary", std::move(canary)}};
}

/// One document, or several as a stream.
std::string stream_of(const std::vector<Json>& documents) {
  std::string out;
  for (const Json& document : documents) out += (out.empty() ? "" : "---\n") + dump(document) + "\n";
  return out;
}

Json list_of(const std::vector<Json>& items) { return {{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}}; }

std::string base_path(const App& app) { return app.folder + "/" + app.key.name; }

}  // namespace

Json rollout_manifest(const App& app) {
  if (!app.experiment.is_null()) return experiment_manifest(app);
  Json out = named("argoproj.io/v1alpha1", "Rollout", app.key.ns, app.key.name);
  set_edition(app, out);
  out["spec"] = {{"replicas", app.replicas},
                 {"strategy", app.blue_green.is_null() ? canary_strategy(app) : blue_green_strategy(app)}};
  if (app.workload_scale_down) {
    out["spec"]["workloadRef"] = {{"apiVersion", "apps/v1"},
                                  {"kind", "Deployment"},
                                  {"name", app.key.name},
                                  {"scaleDown", *app.workload_scale_down}};
  } else {
    out["spec"].update(workload_spec(app));
  }
  if (app.restart_at) out["spec"]["restartAt"] = *app.restart_at;
  if (app.deadline_seconds) out["spec"]["progressDeadlineSeconds"] = *app.deadline_seconds;
  if (app.deadline_aborts) out["spec"]["progressDeadlineAbort"] = true;
  if (app.paused) out["spec"]["paused"] = true;
  if (app.rollback_window) out["spec"]["rollbackWindow"] = {{"revisions", *app.rollback_window}};
  if (app.history_limit) out["spec"]["revisionHistoryLimit"] = *app.history_limit;
  return out;
}

std::vector<Json> network_manifests(const App& app) {
  std::vector<Json> out;
  if (!app.experiment.is_null()) return out;
  // A preview Service that no Rollout names would lead to every pod.
  const bool has_second = app.blue_green.is_null() || app.has_preview;
  if (app.has_services) out = {service(app, app.stable_service())};
  if (app.has_services && has_second) out.push_back(service(app, app.canary_service()));
  if (app.routed)
    for (Json& route : route_manifests(app)) {
      set_edition(app, route);
      out.push_back(std::move(route));
    }
  if (app.workload_scale_down) {
    Json deployment = named("apps/v1", "Deployment", app.key.ns, app.key.name);
    deployment["spec"] = workload_spec(app);
    deployment["spec"]["replicas"] = app.replicas;
    out.push_back(std::move(deployment));
  }
  return out;
}

std::string rollout_path(const App& app) {
  return app.in_one_file ? base_path(app) + ".yaml" : base_path(app) + "/rollout.json";
}

std::vector<FileChange> files_of(const App& app) {
  std::vector<Json> network = network_manifests(app);
  if (app.in_one_file) {
    network.push_back(rollout_manifest(app));
    return {{rollout_path(app), stream_of(network)}};
  }
  return {{rollout_path(app), dump(rollout_manifest(app))}, {base_path(app) + "/network.json", dump(list_of(network))}};
}

std::vector<FileChange> removal_of(const App& app) {
  std::vector<FileChange> out = files_of(app);
  for (FileChange& change : out) change.content.reset();
  return out;
}

}  // namespace reconciler
