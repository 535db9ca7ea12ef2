#include "rollout/decisions.h"

#include "base/check.h"
#include "base/format.h"
#include "rollout/target.h"
#include "rollout/transition.h"

namespace reconciler {
namespace {

/// `promoted by Ann <ann@example.com>: looks good`
std::string said(std::string_view what, const RolloutDecision& decision) {
  std::string text(what);
  if (!decision.author.empty()) text += " by " + decision.author;
  if (!decision.reason.empty()) text += ": " + decision.reason;
  return text;
}

std::string why_not(const RolloutDecision& decision, std::string_view reason) {
  return format("decision {} for revision {} is stale: {}", to_text(decision.verb), decision.revision, reason);
}

/// The decided transition, with the decision remembered in it so that the same file is not carried out twice.
Advance remembered(Advance out, const RolloutDecision& decision, TimePoint now) {
  out.status.decision = CarriedOut{decision.verb,   decision.revision,  decision.step,  decision.author,
                                   decision.commit, whole_seconds(now), decision.reason};
  return out;
}

Advance same_place(const Status& status, Phase phase, std::string_view what, const std::string& why) {
  Status next = status;
  next.phase = phase;
  return {.status = next, .subject = at_step(format("{} at {}%", what, status.weight), next), .why = why};
}

/// Takes the whole run to its end: no more steps, pauses or shares; promotion still waits for all pods.
Advance skip_steps(const Rollout& desired, const Status& status, const std::string& why, TimePoint now) {
  Status next = status;
  next.experiment.reset();
  if (next.step) {
    next.step->index = next.step->count;
    next.step->since = whole_seconds(now + 999ms);
  }
  next.phase = phase_at(desired, int(desired.steps.size()));
  return {.status = next, .subject = at_step(format("canary {}%", status.weight), next), .why = why};
}

/// `retry` is about a revision that failed or is stuck, with or without its canary still there.
std::optional<Advance> retry(const Rollout& desired, const Status& status, const Observed& live, TimePoint now,
                             std::string& stale) {
  const RolloutDecision& decision = *desired.decision;
  if (decision.revision != desired.hash) {
    stale = why_not(decision, "Git asks for revision " + desired.hash);
    return std::nullopt;
  }
  const std::string why = said("retried", decision);
  if (is_rejected(status, desired.hash)) {
    Status lapsed = status;
    lapse_rejections(lapsed, "");
    return start(desired, lapsed, live, why, now);
  }
  if (status.phase == Phase::Degraded && status.canary && status.stable) {
    Advance out = same_place(status, phase_of(desired, status), "retrying", why);
    (out.status.step ? out.status.step->since : out.status.canary->since) = whole_seconds(now + 999ms);
    return out;
  }
  stale = why_not(decision, "there is nothing to retry");
  return std::nullopt;
}

/// Go on: to the next step, to the last one, or from the preview to the switch. A preview may be accepted before it is
/// up, just as a step may be skipped before it is complete.
std::optional<Advance> go_on(const Rollout& desired, const Status& status, TimePoint now, std::string& stale) {
  const RolloutDecision& decision = *desired.decision;
  const bool full = decision.verb == Verb::PromoteFull;
  const std::string why = said(full ? "promoted in full" : "promoted", decision);
  if (desired.blue_green) {
    if (!status.preview || !status.preview->accepted) return accept_preview(desired, status, why, now);
    stale = why_not(decision, "its preview is accepted already");
    return std::nullopt;
  }
  if (!status.step || status.step->index >= status.step->count) {
    stale = why_not(decision, "the last step is done");
    return std::nullopt;
  }
  return full ? skip_steps(desired, status, why, now) : next_step(desired, status, status.weight, why, now);
}

/// The end of a pause, whoever made it.
std::optional<Advance> resume(const Rollout& desired, const Status& status, TimePoint now, std::string& stale) {
  const RolloutDecision& decision = *desired.decision;
  const std::string why = said("resumed", decision);
  if (held_by_person(status)) return same_place(status, phase_of(desired, status), "resumed", why);
  if (!is_at_pause(desired, status)) {
    stale = why_not(decision, "it is not paused");
    return std::nullopt;
  }
  return desired.blue_green ? accept_preview(desired, status, why, now)
                            : next_step(desired, status, status.weight, why, now);
}

/// The other verbs are about a canary under way.
std::optional<Advance> steer(const Rollout& desired, const Status& status, TimePoint now, std::string& stale) {
  const RolloutDecision& decision = *desired.decision;
  switch (decision.verb) {
    case Verb::Promote:
    case Verb::PromoteFull: return go_on(desired, status, now, stale);
    case Verb::Abort: return reject(desired, status, said("aborted", decision), now);
    case Verb::Pause: return same_place(status, Phase::Paused, "paused", said("paused", decision));
    case Verb::Resume: return resume(desired, status, now, stale);
    case Verb::Retry: break;
  }
  unreachable();
}

}  // namespace

bool held_by_person(const Status& status) {
  // A pause belongs to the run it was decided in, not to a later one of the same revision.
  return status.phase == Phase::Paused && status.decision && status.decision->verb == Verb::Pause && status.canary &&
         status.decision->revision == status.canary->hash && status.decision->at >= status.canary->since;
}

std::optional<Advance> obey(const Rollout& desired, const Status& status, const Observed& live, TimePoint now,
                            std::string& stale) {
  if (!desired.decision) return std::nullopt;
  const RolloutDecision& decision = *desired.decision;
  if (status.decision && status.decision->commit == decision.commit) return std::nullopt;
  if (decision.verb == Verb::Retry) {
    auto out = retry(desired, status, live, now, stale);
    return out ? std::optional(remembered(*out, decision, now)) : std::nullopt;
  }
  if (!status.canary || !status.stable || !status.returning.empty()) {
    stale = why_not(decision, "no canary is under way");
  } else if (decision.revision != status.canary->hash) {
    stale = why_not(decision, "the canary is revision " + status.canary->hash);
  } else if (decision.step && status.step && *decision.step != status.step->index) {
    stale =
        why_not(decision, format("it is about step {}, the canary is at step {}", *decision.step, status.step->index));
  } else if (auto out = steer(desired, status, now, stale)) {
    return remembered(*out, decision, now);
  }
  return std::nullopt;
}

}  // namespace reconciler
