#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "daemon/shard.h"
#include "objects/ignore_rules.h"

namespace reconciler {

/// Kubernetes events about what happens.
enum class EventsAre { Written, LeftOut };

/// Rollouts as objects of the cluster, with a status: a view for autoscalers, dashboards and health checks.
enum class RolloutObjects { LeftOut, Published };

/// What to do about an object that others changed.
enum class DriftMode { Correct, Report, Off };

/// What the loop needs to know; the adapters have their own options.
struct DaemonOptions {
  std::string cluster_name = "default";
  std::string path;  ///< where manifests lie in the repository; empty is the root
  std::string status_directory = "status";
  std::string decisions_directory = "decisions";
  std::string default_namespace = "default";
  std::string owner = "serin";  ///< value of the label serin.dev/owner; objects of another one are left alone
  Duration interval = 60s;      ///< between polls
  EventsAre events = EventsAre::Written;
  RolloutObjects rollout_objects = RolloutObjects::LeftOut;
  DriftMode drift = DriftMode::Correct;
  std::vector<IgnoreRule> ignore = {};  ///< fields that are left to others
  Shard shard = {};
};

}  // namespace reconciler
