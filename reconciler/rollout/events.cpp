#include "rollout/events.h"

#include "base/format.h"
#include "rollout/image.h"

namespace reconciler {
namespace {

const std::string& hash_of(const std::optional<Revision>& revision) {
  static const std::string none;
  return revision ? revision->hash : none;
}

/// One transition, looked at from each side; each function adds what it sees.
class Transition {
 public:
  Transition(const Status& before, const Decision& decision)
      : before_(before), after_(decision.status), decision_(decision) {}

  std::vector<RolloutEvent> run() {
    if (after_.refused != before_.refused && !after_.refused.empty()) {
      add(EventType::Warning, "InvalidSpec", after_.refused);
      return std::move(out_);
    }
    decide();
    if (after_.run) {
      run_experiment();
      return std::move(out_);
    }
    if (begins()) {
      begin();
    } else if (!after_.returning.empty() && before_.returning.empty()) {
      turn_back();
    } else if (after_.canary) {
      walk();
    }
    end();
    return std::move(out_);
  }

 private:
  bool begins() const {
    const bool restarted = after_.step && before_.step && after_.step->index < before_.step->index;
    return after_.canary && after_.returning.empty() &&
           (hash_of(after_.canary) != hash_of(before_.canary) || !before_.returning.empty() || restarted);
  }

  void decide() {
    if (!after_.decision || after_.decision == before_.decision) return;
    if (after_.decision->verb == Verb::Retry)
      add(EventType::Normal, "RolloutRetry", format("retried by {}", after_.decision->by));
  }

  void begin() {
    if (before_.canary && hash_of(before_.canary) != hash_of(after_.canary) && before_.returning.empty())
      add(EventType::Normal, "RolloutNotCompleted",
          format("not completed: {} is superseded by {}", hash_of(before_.canary), hash_of(after_.canary)));
    add(EventType::Normal, "RolloutUpdated",
        format("updated to revision {} ({}): {}", hash_of(after_.canary), tag_of(after_.canary->image), decision_.why));
    if (after_.stable && after_.step && after_.step->index == after_.step->count && after_.step->count > 0)
      add(EventType::Normal, "SkipSteps", decision_.why);
    if (after_.phase == Phase::Paused) add(EventType::Normal, "RolloutPaused", decision_.why);
  }

  void turn_back() {
    const bool rejected = after_.rejected != before_.rejected && !after_.rejected.empty() &&
                          after_.rejected.front().hash == hash_of(after_.canary) && !after_.rejected.front().lapsed;
    if (rejected) add(EventType::Warning, "RolloutAborted", decision_.why);
    if (!rejected) add(EventType::Normal, "RolloutNotCompleted", "not completed: " + decision_.why);
  }

  void walk() {
    if (before_.step && after_.step && after_.step->index > before_.step->index)
      add(EventType::Normal, "RolloutStepCompleted",
          format("step {}/{} completed: {}", after_.step->index, after_.step->count, decision_.why));
    if (!before_.experiment && after_.experiment) add(EventType::Normal, "ExperimentRunning", decision_.why);
    if (before_.experiment && !after_.experiment) add(EventType::Normal, "ExperimentSuccessful", decision_.why);
    if (before_.phase != Phase::Paused && after_.phase == Phase::Paused)
      add(EventType::Normal, "RolloutPaused", decision_.why);
    if (before_.phase == Phase::Paused && after_.phase == Phase::Progressing)
      add(EventType::Normal, "RolloutResumed", decision_.why);
  }

  /// An Experiment by itself, in the words of Argo Rollouts for its phases.
  void run_experiment() {
    const bool is_new =
        !before_.run || before_.run->hash != after_.run->hash || before_.run->since != after_.run->since;
    const bool is_over = !after_.run->ended.empty();
    if (is_new && !is_over) add(EventType::Normal, "ExperimentPending", decision_.why);
    if (!is_over && after_.experiment && (is_new || !before_.experiment))
      add(EventType::Normal, "ExperimentRunning", decision_.why);
    if (!is_over || (!is_new && !before_.run->ended.empty())) return;
    if (after_.run->failed)
      add(EventType::Warning, "ExperimentFailed", decision_.why);
    else
      add(EventType::Normal, "ExperimentSuccessful", decision_.why);
  }

  void end() {
    if (after_.phase == before_.phase) return;
    const bool was_rejected = !before_.returning.empty();
    if (after_.phase == Phase::Healthy) add(EventType::Normal, "RolloutCompleted", decision_.subject);
    // An abort was said when it began.
    if (after_.phase == Phase::Degraded && !was_rejected)
      add(EventType::Warning, "RolloutNotCompleted", format("{}: {}", decision_.subject, decision_.why));
  }

  void add(EventType type, std::string_view reason, std::string message) {
    out_.push_back({type, reason, std::move(message)});
  }

  const Status& before_;
  const Status& after_;
  const Decision& decision_;
  std::vector<RolloutEvent> out_;
};

}  // namespace

std::vector<RolloutEvent> events_of(const std::optional<Status>& before, const Decision& decision) {
  if (decision.subject.empty()) return {};
  const Status nothing;
  return Transition(before ? *before : nothing, decision).run();
}

std::optional<RolloutEvent> event_of(const Action& action, const Status& status) {
  if (std::holds_alternative<CreateReplicaSet>(action))
    return RolloutEvent{EventType::Normal, "NewReplicaSetCreated", describe(action)};
  if (std::holds_alternative<CreateExperimentPods>(action))
    return RolloutEvent{EventType::Normal, "ExperimentPending", describe(action)};
  if (std::holds_alternative<ScaleReplicaSet>(action))
    return RolloutEvent{EventType::Normal, "ScalingReplicaSet", describe(action)};
  if (std::holds_alternative<SelectRevision>(action))
    return RolloutEvent{EventType::Normal, "SwitchService", describe(action)};
  if (std::holds_alternative<RewriteRoutes>(action))
    return RolloutEvent{EventType::Normal, "TrafficWeightUpdated", "canary weight is " + share_text(status)};
  return std::nullopt;
}

std::optional<RolloutEvent> failure_event_of(const Action& action, const std::string& error) {
  if (std::holds_alternative<RewriteRoutes>(action))
    return RolloutEvent{EventType::Warning, "TrafficRoutingError", error};
  if (std::holds_alternative<CreateReplicaSet>(action))
    return RolloutEvent{EventType::Warning, "ReplicaSetCreateError", error};
  return std::nullopt;
}

}  // namespace reconciler
