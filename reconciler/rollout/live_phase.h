// The phase as Argo Rollouts tells it (spec 3.14): the recorded one follows the rollout's own transitions, this one
// also follows its pods. For reports and for whoever reads the published status.
#pragma once

#include <optional>
#include <string>

#include "rollout/observed.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

struct LivePhase {
  Phase phase = Phase::Progressing;
  std::string message;  ///< why; empty when Healthy
  bool operator==(const LivePhase&) const = default;
};

LivePhase live_phase(const Rollout& desired, const Observed& live, const std::optional<Status>& status, TimePoint now);

/// The revision that the active Service of blue-green, or the stable one, selects; empty when it is none in particular.
std::string active_revision(const Rollout& desired, const Observed& live);

/// Pods over all ReplicaSets of the rollout, and those of the revision that Git asks for.
struct PodCounts {
  int replicas = 0;
  int updated = 0;
  int ready = 0;
  int available = 0;
  int updated_available = 0;
  bool operator==(const PodCounts&) const = default;
};

PodCounts count_pods(const Rollout& desired, const Observed& live);

}  // namespace reconciler
