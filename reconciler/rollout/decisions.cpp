#include "rollout/decisions.h"

#include "base/check.h"
#include "base/format.h"
#include "rollout/freeze.h"
#include "rollout/target.h"
#include "rollout/transition.h"

namespace reconciler {
namespace {

Advance same_place(const Status& status, Phase phase, std::string_view what, const std::string& why) {
  Status next = status;
  next.phase = phase;
  return {.status = next, .subject = at_step(format("{} at {}", what, share_text(status)), next), .why = why};
}

}  // namespace

std::string said(std::string_view what, const RolloutDecision& decision) {
  std::string text(what);
  if (!decision.author.empty()) text += " by " + decision.author;
  if (!decision.reason.empty()) text += ": " + decision.reason;
  return text;
}

std::string why_not(const RolloutDecision& decision, std::string_view reason) {
  return format("decision {} for revision {} is stale: {}", to_text(decision.verb), decision.revision, reason);
}

Advance remembered(Advance out, const RolloutDecision& decision, TimePoint now) {
  out.status.decision = CarriedOut{decision.verb,   decision.revision,  decision.step,  decision.author,
                                   decision.commit, whole_seconds(now), decision.reason};
  out.status.ignored.reset();
  return out;
}

namespace {

/// Takes the whole run to its end: no more steps, pauses or shares; promotion still waits for all pods.
Advance skip_steps(const Rollout& desired, const Status& status, const std::string& why, TimePoint now) {
  Status next = status;
  next.experiment.reset();
  if (next.step) {
    next.step->index = next.step->count;
    next.step->since = whole_seconds(now + 999ms);
  }
  if (next.trailers) next.trailers->pause_at.reset();
  next.phase = phase_at(desired, int(desired.steps.size()));
  return {.status = next, .subject = at_step("canary " + share_text(status), next), .why = why};
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

/// Somebody looked: the deploy commit holds the canary no more.
Status without_mark(Status status) {
  if (status.trailers) status.trailers->pause_at.reset();
  return status;
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
    if (is_at_pause_mark(desired, status)) return same_place(without_mark(status), Phase::Progressing, "resumed", why);
    stale = why_not(decision, "the last step is done");
    return std::nullopt;
  }
  return full ? skip_steps(desired, status, why, now)
              : next_step(desired, without_mark(status), status.weight, why, now);
}

/// The end of a pause, whoever made it.
std::optional<Advance> resume(const Rollout& desired, const Status& status, TimePoint now, std::string& stale) {
  const RolloutDecision& decision = *desired.decision;
  const std::string why = said("resumed", decision);
  if (held_by_person(status)) return same_place(status, phase_of(desired, status), "resumed", why);
  if (is_at_pause_mark(desired, status)) {
    const Status free = without_mark(status);
    return same_place(free, phase_of(desired, free), "resumed", why);
  }
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

bool goes_forward(Verb verb) {
  switch (verb) {
    case Verb::Promote:
    case Verb::PromoteFull:
    case Verb::Retry:
    case Verb::Resume: return true;
    case Verb::Abort:
    case Verb::Pause: return false;
  }
  unreachable();
}

bool held_by_person(const Status& status) {
  // A pause belongs to the run it was decided in, not to a later one of the same revision.
  return status.phase == Phase::Paused && status.decision && status.decision->verb == Verb::Pause && status.canary &&
         status.decision->revision == status.canary->hash && status.decision->at >= status.canary->since;
}

bool is_answered(const Status& status, const RolloutDecision& decision) {
  return (status.decision && status.decision->commit == decision.commit) ||
         (status.ignored && status.ignored->commit == decision.commit);
}

namespace {

/// A canary that Git asks for and that a freeze keeps from beginning.
std::optional<Advance> begin_in_freeze(const Rollout& desired, const Status& status, const Observed& live,
                                       const std::string& due, TimePoint now, std::string& stale) {
  const RolloutDecision& decision = *desired.decision;
  const bool begins = decision.verb == Verb::Promote || decision.verb == Verb::PromoteFull;
  if (begins && decision.revision == desired.hash)
    return start(desired, status, live,
                 due.empty() ? said("let pass", decision) : due + "; " + said("let pass", decision), now);
  stale = why_not(decision, "Git asks for revision " + desired.hash);
  return std::nullopt;
}

/// What the decision makes of the rollout; nothing when it does not apply, which `stale` says.
std::optional<Advance> carry_out(const Rollout& desired, const Status& status, const Observed& live, TimePoint now,
                                 std::string& stale) {
  const RolloutDecision& decision = *desired.decision;
  const auto due = due_start(desired, status);
  if (due && goes_forward(decision.verb)) return begin_in_freeze(desired, status, live, *due, now, stale);
  if (decision.verb == Verb::Retry) return retry(desired, status, live, now, stale);
  if (!status.canary || !status.stable || !status.returning.empty()) {
    stale = why_not(decision, "no canary is under way");
  } else if (decision.revision != status.canary->hash) {
    stale = why_not(decision, "the canary is revision " + status.canary->hash);
  } else if (decision.step && status.step && *decision.step != status.step->index) {
    stale =
        why_not(decision, format("it is about step {}, the canary is at step {}", *decision.step, status.step->index));
  } else {
    return steer(desired, status, now, stale);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Advance> obey(const Rollout& desired, const Status& status, const Observed& live, TimePoint now) {
  if (!desired.decision || is_answered(status, *desired.decision)) return std::nullopt;
  const RolloutDecision& decision = *desired.decision;
  if (!decision.refusal.empty()) return ignore(status, decision, decision.refusal);
  std::string stale;
  auto out = carry_out(desired, status, live, now, stale);
  if (!out) return ignore(status, decision, stale);
  const bool frozen = desired.freeze && !is_way_back(desired, status, live);
  if (frozen && goes_forward(decision.verb) && decision.signer.empty())
    return ignore(status, decision, frozen_text(*desired.freeze) + "; only a signed decision passes");
  return remembered(*out, decision, now);
}

}  // namespace reconciler
