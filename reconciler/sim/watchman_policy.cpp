// Nothing that people were not allowed to decide is carried out, and nothing goes forward in a freeze.
#include <algorithm>

#include "base/format.h"
#include "sim/watchman.h"

namespace reconciler {
namespace {

bool is_begin(const Status& before, const Status& next) { return next.canary && next.canary != before.canary; }

bool lets_forward(Verb verb) { return verb != Verb::Abort && verb != Verb::Pause; }

/// Did a person let something of this run pass since then?
bool let_pass(const Status& before, TimePoint since) {
  const auto& decision = before.decision;
  return decision && before.canary && decision->revision == before.canary->hash && decision->at >= since &&
         lets_forward(decision->verb);
}

}  // namespace

void Watchman::check_policy(const Status& before, const Status& next, const SimCommit& record) {
  const std::string subject = record.message.substr(0, record.message.find('\n'));
  if (next.decision && (!before.decision || before.decision->commit != next.decision->commit)) {
    const SimCommit* commit = stage_.remote.commits.find(next.decision->commit);
    if (!commit) return alarm(format("a decision from nowhere: {}", subject));
    const SimPolicy& policy = people_.policy_at(commit->parent);
    if (!policy.may_decide(stage_.remote, *commit, next.decision->verb, stage_.remote.commits.find(next.commit)))
      alarm(format("carried out although {} may not: {}", commit->author, subject));
  }
  const bool asked = next.trailers && next.trailers->ignored.empty();
  if (is_begin(before, next) && asked) {
    const SimCommit* commit = stage_.remote.commits.find(next.commit);
    if (!commit || !people_.policy_at(commit->parent).may_use_trailers(stage_.remote, *commit))
      alarm(format("trailers are honoured although nobody allows them: {}", subject));
  }
  const bool same_run = before.canary && next.canary == before.canary && next.decision == before.decision;
  if (same_run && next.trailers && next.trailers->pause_at && next.weight > before.weight &&
      percent_of(next.weight, next.whole) > *next.trailers->pause_at)
    alarm(format("more traffic than the deploy commit asks for: {}", subject));
}

/// Is a pause what begins at this step, by any of the manifests that may be acted on?
bool Watchman::leads_to_pause(const RolloutKey& rollout, int index) const {
  const auto all = wanted_lately(rollout);
  return std::any_of(all.begin(), all.end(), [&](const Rollout* wanted) {
    return index < int(wanted->steps.size()) && std::holds_alternative<Pause>(wanted->steps[size_t(index)]);
  });
}

void Watchman::check_freeze(const RolloutKey& rollout, const Status& before, const Status& next,
                            const SimCommit& record) {
  const std::string head = stage_.daemon_on(stage_.acting()).head();
  const auto open = people_.policy_at(head).open_at(record.time);
  if (open && next.run && next.run->ended.empty() && (!before.run || before.run->hash != next.run->hash)) {
    if (next.decision == before.decision || !stage_.remote.signers.contains(next.decision->commit))
      alarm(format("an experiment begins in a freeze: {}", record.message.substr(0, record.message.find('\n'))));
  }
  if (!open || !next.canary || !next.stable) return;
  const auto is_it = [&](const Revision& revision) { return revision.hash == next.canary->hash; };
  if (std::any_of(before.previous.begin(), before.previous.end(), is_it)) return;  // a way back
  const std::string subject = record.message.substr(0, record.message.find('\n'));
  if (next.decision != before.decision) {
    if (next.decision && lets_forward(next.decision->verb) && !stage_.remote.signers.contains(next.decision->commit))
      alarm(format("a decision that nobody signed passes a freeze: {}", subject));
    return;
  }
  if (is_begin(before, next) && next.returning.empty())
    return alarm(format("a canary begins in a freeze: {}", subject));
  const bool passes = let_pass(before, open->since);
  const bool passes_in_full = passes && before.decision->verb == Verb::PromoteFull;
  const bool steps_on = next.step && before.step && next.step->index > before.step->index;
  if (steps_on && !leads_to_pause(rollout, next.step->index) && !passes_in_full)
    alarm(format("a step begins in a freeze: {}", subject));
  const bool accepted = next.preview && next.preview->accepted && !(before.preview && before.preview->accepted);
  if (accepted && !passes_in_full) alarm(format("a preview is accepted in a freeze: {}", subject));
  if (open->hard && !passes && (steps_on || next.weight > before.weight))
    alarm(format("a hard freeze does not stop it: {}", subject));
}

}  // namespace reconciler
