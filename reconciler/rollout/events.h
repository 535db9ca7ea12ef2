// What happened to a rollout, in the words of Argo Rollouts' events (spec 5): for Kubernetes events and for counters.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rollout/action.h"
#include "rollout/plan.h"
#include "rollout/status.h"

namespace reconciler {

enum class EventType { Normal, Warning };

struct RolloutEvent {
  EventType type = EventType::Normal;
  std::string_view reason;  ///< `RolloutStepCompleted`
  std::string message;      ///< one sentence
  bool operator==(const RolloutEvent&) const = default;
};

/// What a recorded transition means; empty when the decision is none.
std::vector<RolloutEvent> events_of(const std::optional<Status>& before, const Decision& decision);

/// What an action that was carried out means; the status says what share the canary is to have.
std::optional<RolloutEvent> event_of(const Action& action, const Status& status);

/// The same for an action that failed; nothing for those that only Serin needs to know of.
std::optional<RolloutEvent> failure_event_of(const Action& action, const std::string& error);

}  // namespace reconciler
