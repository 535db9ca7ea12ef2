#include "cli/decision.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/image.h"

namespace reconciler {
namespace {

Error nothing_to_decide(const StatusEntry& entry, Verb verb) {
  const Status& status = entry.status;
  const std::string where = status.stable ? format(" at {}", tag_of(status.stable->image)) : "";
  return invalid(format("{}: nothing to {}: no canary is under way, it is {}{}", entry.rollout.text(), to_text(verb),
                        to_text(status.phase), where));
}

/// The newest revision that failed and that nobody asked to try again; null when there is none.
const Rejected* failed_revision(const Status& status) {
  auto found =
      std::find_if(status.rejected.begin(), status.rejected.end(), [](const Rejected& r) { return !r.lapsed; });
  return found == status.rejected.end() ? nullptr : &*found;
}

/// The image people know the decided revision by.
std::string image_of(const Status& status, const std::string& revision) {
  if (status.canary && status.canary->hash == revision) return status.canary->image;
  for (const Rejected& rejected : status.rejected)
    if (rejected.hash == revision) return rejected.image;
  return "";
}

/// An experiment can be ended, well or badly.
Result<RolloutDecision> decision_about_run(const StatusEntry& entry, RolloutDecision decision) {
  const ExperimentRun& run = *entry.status.run;
  const std::string name = entry.rollout.text();
  const bool ends =
      decision.verb == Verb::Promote || decision.verb == Verb::PromoteFull || decision.verb == Verb::Abort;
  if (!ends)
    return invalid(
        format("{}: an experiment cannot {}: approve ends it, abort ends it as failed", name, to_text(decision.verb)));
  if (!run.ended.empty())
    return invalid(format("{}: nothing to {}: the experiment {}: {}", name, to_text(decision.verb),
                          run.failed ? "failed" : "succeeded", run.ended));
  decision.revision = run.hash;
  return decision;
}

}  // namespace

Result<RolloutDecision> decision_about(const StatusEntry& entry, Verb verb, const std::string& reason) {
  const Status& status = entry.status;
  RolloutDecision decision{.verb = verb, .reason = reason};
  if (status.run) return decision_about_run(entry, std::move(decision));
  const Rejected* failed = verb == Verb::Retry ? failed_revision(status) : nullptr;
  if (failed) {
    decision.revision = failed->hash;
    return decision;
  }
  if (!status.canary || !status.returning.empty() || (verb != Verb::Retry && !status.stable))
    return nothing_to_decide(entry, verb);
  if (verb == Verb::Retry && status.phase != Phase::Degraded)
    return invalid(format("{}: nothing to retry: it is {}", entry.rollout.text(), to_text(status.phase)));
  if (verb == Verb::Resume && status.phase != Phase::Paused)
    return invalid(format("{}: nothing to resume: it is {}", entry.rollout.text(), to_text(status.phase)));
  decision.revision = status.canary->hash;
  const bool about_step = verb == Verb::Promote || verb == Verb::Resume;
  if (about_step && status.step) decision.step = status.step->index;
  return decision;
}

std::string decision_subject(const StatusEntry& entry, const RolloutDecision& decision) {
  const std::string image = image_of(entry.status, decision.revision);
  std::string text = format("{}: {} {}", entry.rollout.text(), to_text(decision.verb),
                            image.empty() ? decision.revision : tag_of(image));
  if (decision.step && entry.status.step) text += format(" at step {}/{}", *decision.step, entry.status.step->count);
  return text;
}

std::string decision_message(const StatusEntry& entry, const RolloutDecision& decision) {
  std::string text = decision_subject(entry, decision) + "\n";
  if (!decision.reason.empty()) text += "\n" + decision.reason + "\n";
  return text;
}

}  // namespace reconciler
