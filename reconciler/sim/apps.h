// The applications whose manifests people keep in the simulated repository, as files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "rollout/rollout.h"
#include "sim/app_routes.h"
#include "sim/commits.h"

namespace reconciler {

/// What people want one rollout to be.
struct App {
  RolloutKey key;
  std::string tag = "v1";  ///< `broken` in it: its pods never become ready
  int replicas = 3;
  Json steps = Json::array();
  std::optional<int> deadline_seconds;
  bool deadline_aborts = false;
  bool paused = false;
  bool routed = true;  ///< by its router; else the numbers of pods make the share of traffic
  AppRouter router = AppRouter::Istio;
  int max_weight = 0;        ///< maxTrafficWeight; 0: not in the manifest
  bool has_services = true;  ///< which only an app without routing, or with subsets, may be without
  bool ping_pong = false;    ///< its two Services take turns
  Json experiment;  ///< an Experiment by itself, of `v1` and the tag: its spec but for templates; null: a Rollout
  Json blue_green;  ///< strategy.blueGreen but for its Services and delays; null: a canary
  bool has_preview = true;  ///< a preview Service, with blue-green
  Json max_surge, max_unavailable;
  bool dynamic_stable = false;
  std::optional<int> min_pods;
  Json progress_threshold;
  std::optional<int> delay_revision_limit;
  std::optional<std::string> workload_scale_down;  ///< by workloadRef, from a Deployment of the same name
  Json canary_metadata, stable_metadata;
  Json anti_affinity;
  std::optional<std::string> restart_at;
  std::optional<int> rollback_window;
  std::optional<int> history_limit;
  std::optional<int> abort_delay_seconds;
  std::optional<int> scale_down_delay_seconds;
  int edition = 0;  ///< counted up by edits that change nothing else
  bool in_one_file = false;
  std::string folder = "apps";

  /// With blue-green the active Service, and the preview Service.
  std::string stable_service() const { return key.name; }
  std::string canary_service() const { return key.name + "-canary"; }
  std::string image() const { return "example.com/" + key.name + ":" + tag; }
};

Json rollout_manifest(const App& app);
/// The Services and what its router needs.
std::vector<Json> network_manifests(const App& app);

/// All files of an app, as they are to be.
std::vector<FileChange> files_of(const App& app);
/// Where its Rollout, or Experiment, stands.
std::string rollout_path(const App& app);
/// The removal of all its files.
std::vector<FileChange> removal_of(const App& app);

}  // namespace reconciler
