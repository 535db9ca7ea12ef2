#include "rollout/succession.h"

#include "base/format.h"

namespace reconciler {
namespace {

/// A run begins before its first step, or past the last one when it has none to make (first deploy, fast path).
bool is_at_an_end(const std::optional<StepPosition>& step) {
  return !step || step->index == 0 || step->index == step->count;
}

bool same_run(const Status& before, const Status& after) {
  return before.canary && after.canary && before.canary->hash == after.canary->hash &&
         before.canary->since == after.canary->since;
}

bool same_steps(const Status& before, const Status& after) {
  return before.step && after.step && before.step->hash == after.step->hash && before.step->count == after.step->count;
}

std::string step_text(const StepPosition& step) { return format("{}/{}", step.index, step.count); }

/// Steps are made one by one; only a decision, or giving a run up, leaves some out.
std::string broken_steps(const Status& before, const Status& after) {
  const int from = before.step->index, to = after.step->index;
  const bool skips = to == after.step->count && before.decision != after.decision;
  const bool given_up = !after.returning.empty() || to == 0;
  if (to == from || to == from + 1 || skips || given_up) return "";
  return format("step {} follows step {}", step_text(*after.step), step_text(*before.step));
}

/// A run of an Experiment has one beginning and one end.
std::string broken_run(const std::optional<ExperimentRun>& before, const Status& was, const Status& after) {
  const ExperimentRun& run = *after.run;
  const bool goes_on = before && before->hash == run.hash && before->since == run.since;
  if (!goes_on) return after.experiment ? format("the run of experiment {} begins with its pods up", run.hash) : "";
  if (!before->ended.empty() && *before != run) return format("the run of experiment {} was over", run.hash);
  if (was.experiment && was.experiment != after.experiment)
    return format("the pods of experiment {} were up at another time", run.hash);
  return "";
}

std::string broken_stable(const Status& before, const Status& after) {
  if (!before.stable || !after.stable || before.stable->hash == after.stable->hash) return "";
  if (!before.canary || before.canary->hash != after.stable->hash)
    return format("revision {} is stable all of a sudden; it was no canary before", after.stable->hash);
  if (before.step && before.step->index < before.step->count)
    return format("revision {} became stable at step {}", after.stable->hash, step_text(*before.step));
  if (before.preview && !before.preview->accepted)
    return format("revision {} became stable before its preview was accepted", after.stable->hash);
  return "";
}

}  // namespace

std::string broken_succession(const std::optional<Status>& before, const Status& after) {
  if (after.run) return broken_run(before ? before->run : std::nullopt, before ? *before : Status{}, after);
  const bool refused = !after.refused.empty();
  if (!before) {
    const bool from_the_start = is_at_an_end(after.step) || refused;
    return from_the_start ? "" : format("the history begins at step {}", step_text(*after.step));
  }
  if (std::string broken = broken_stable(*before, after); !broken.empty()) return broken;
  if (after.canary && !same_run(*before, after) && !is_at_an_end(after.step))
    return format("the run of revision {} begins at step {}", after.canary->hash, step_text(*after.step));
  if (same_run(*before, after) && same_steps(*before, after)) return broken_steps(*before, after);
  return "";
}

}  // namespace reconciler
