#pragma once

#include <string>

#include "base/time.h"

namespace reconciler {

/// Kubernetes events about what happens.
enum class EventsAre { Written, LeftOut };

/// Rollouts as objects of the cluster, with a status: a view for autoscalers, dashboards and health checks.
enum class RolloutObjects { LeftOut, Published };

/// What the loop needs to know; the adapters have their own options.
struct DaemonOptions {
  std::string cluster_name = "default";
  std::string path;  ///< where manifests lie in the repository; empty is the root
  std::string status_directory = "status";
  std::string decisions_directory = "decisions";
  std::string default_namespace = "default";
  Duration interval = 60s;  ///< between polls
  EventsAre events = EventsAre::Written;
  RolloutObjects rollout_objects = RolloutObjects::LeftOut;
};

}  // namespace reconciler
