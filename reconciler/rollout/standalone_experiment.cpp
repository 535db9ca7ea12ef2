#include "rollout/standalone_experiment.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/decisions.h"
#include "rollout/experiment_diff.h"
#include "rollout/freeze.h"
#include "rollout/transition.h"
#include "rollout/typed_encoding.h"

namespace reconciler {
namespace {

TimePoint next_second(TimePoint time) { return whole_seconds(time + 999ms); }

ExperimentPods standalone_pods(const RolloutKey& key, const StandaloneExperiment::Template& from) {
  ExperimentPods out{.name = format("{}-{}", key.name, from.name),
                     .label = from.name,
                     .hash = {},
                     .revision = {},
                     .pod_template = from.pod_template,
                     .min_ready_seconds = from.min_ready_seconds,
                     .replicas = from.replicas,
                     .metadata = {},
                     .selector = from.selector,
                     .service = {}};
  if (from.has_service) out.service = from.service.empty() ? out.name : from.service;
  const Json identity = {out.name, out.pod_template, out.min_ready_seconds, out.selector, out.service};
  out.hash = safe_hash(dump(identity));
  return out;
}

std::string counted(int64_t number, std::string_view what) {
  return format("{} {}{}", number, what, number == 1 ? "" : "s");
}

/// `2 templates, 3 pods`
std::string size_text(const StandaloneExperiment& experiment) {
  int64_t pods = 0;
  for (const auto& each : experiment.templates) pods += each.replicas;
  return counted(int64_t(experiment.templates.size()), "template") + ", " + counted(pods, "pod");
}

Advance succeed(const Status& status, const std::string& why) {
  Status next = status;
  next.phase = Phase::Healthy;
  next.run->ended = why;
  return {.status = next, .subject = "experiment succeeded", .why = why, .urgent = true};
}

Advance fail(const Status& status, const std::string& why) {
  Status next = status;
  next.phase = Phase::Degraded;
  next.run->ended = why;
  next.run->failed = true;
  return {.status = next, .subject = "experiment failed: " + why, .why = why, .urgent = true};
}

/// A new run. What people decided before stays known, so that no file is carried out twice.
Advance begin_run(const Rollout& desired, const Status& status, const std::string& why, TimePoint now) {
  Status next;
  next.commit = desired.commit;
  next.run = ExperimentRun{desired.hash, next_second(now), {}};
  next.decision = status.decision;
  next.ignored = status.ignored;
  if (desired.standalone->terminate) return succeed(next, "spec.terminate is set");
  return {.status = next,
          .subject = "experiment started",
          .why = format("{}{}", why.empty() ? "" : why + "; ", size_text(*desired.standalone))};
}

Phase run_phase(const StandaloneExperiment& experiment, const Status& status) {
  if (!status.run->ended.empty()) return status.run->failed ? Phase::Degraded : Phase::Healthy;
  // Without a duration nothing but a person, or Git, moves it once it is up.
  return status.experiment && !experiment.duration ? Phase::Paused : Phase::Progressing;
}

/// All pods are up: from here on its time runs.
Advance start_time(const Rollout& desired, const Status& status, TimePoint now) {
  const auto& duration = desired.standalone->duration;
  Status next = status;
  next.experiment = next_second(now);
  next.phase = run_phase(*desired.standalone, next);
  return {.status = next,
          .subject = "experiment running",
          .why = "all its pods are available; " +
                 (duration ? "running for " + format_duration(*duration) : "running until somebody ends it")};
}

/// The manifest was refused and is valid again.
Advance accept_run(const Rollout& desired, const Status& status) {
  Status next = status;
  next.refused.clear();
  next.phase = run_phase(*desired.standalone, next);
  return {.status = next, .subject = "experiment accepted", .why = "the manifest is valid again"};
}

/// A person may end it, well or badly. There is nothing in it to retry, and no place to hold it at.
std::optional<Advance> obey_decision(const Rollout& desired, const Status& status, const std::string& due,
                                     TimePoint now) {
  if (!desired.decision || is_answered(status, *desired.decision)) return std::nullopt;
  const RolloutDecision& decision = *desired.decision;
  const bool forward = decision.verb == Verb::Promote || decision.verb == Verb::PromoteFull;
  auto ignored = [&](const std::string& why) { return ignore(status, decision, why); };
  if (!decision.refusal.empty()) return ignored(decision.refusal);
  if (!forward && decision.verb != Verb::Abort)
    return ignored(format("an experiment cannot {}: promote ends it, abort ends it as failed", to_text(decision.verb)));
  if (decision.revision != desired.hash) return ignored(why_not(decision, "Git asks for experiment " + desired.hash));
  if (desired.freeze && forward && decision.signer.empty())
    return ignored(frozen_text(*desired.freeze) + "; only a signed decision passes");
  if (!due.empty() && forward)
    return remembered(begin_run(desired, status, due + "; " + said("let pass", decision), now), decision, now);
  if (!is_running(desired, status)) return ignored(why_not(decision, "the experiment does not run"));
  if (forward) return remembered(succeed(status, said("promoted", decision)), decision, now);
  return remembered(fail(status, said("aborted", decision)), decision, now);
}

/// Why a run of what Git asks for is to begin; empty when there was one.
std::string due_run(const Rollout& desired, const Status& status) {
  if (!status.run) return "first run";
  return status.run->hash == desired.hash ? "" : "its spec changed";
}

Advance wait_to_begin(const Status& status, const Freeze& freeze) {
  return {.status = status, .why = frozen_text(freeze), .look_again = freeze.until, .frozen = true};
}

/// When it last moved: recorded, or by the pods' own timestamps (spec 3.13).
TimePoint last_run_progress(const Observed& live, const Status& status) {
  TimePoint latest = std::max(status.run->since, status.experiment.value_or(status.run->since));
  for (const Workload& w : live.experiments) latest = std::max({latest, w.created, w.pods_moved});
  return latest;
}

Advance wait_for_run(const Rollout& desired, const Observed& live, const Status& status, const std::string& waiting,
                     TimePoint now) {
  const TimePoint deadline = last_run_progress(live, status) + desired.progress_deadline;
  if (now >= deadline)
    return fail(status, format("no progress for {}: {}", format_duration(desired.progress_deadline),
                               waiting.empty() ? "changes are not accepted by the cluster" : waiting));
  return {.status = status, .why = waiting, .look_again = deadline};
}

/// A run under way, `over` at that time.
Advance carry_on(const Rollout& desired, const Observed& live, const Status& status, std::optional<TimePoint> over,
                 TimePoint now) {
  const Difference missing = standalone_difference(desired, live, standalone_target(desired, status), now);
  if (!missing.agrees()) return wait_for_run(desired, live, status, missing.waiting, now);
  if (!status.experiment) return start_time(desired, status, now);
  return {.status = status,
          .why = over ? "the experiment ends at " + format_time(*over)
                      : "waiting until somebody ends the experiment (serin approve)"};
}

/// Pods of a Rollout that had this name may have traffic, and only its manifest told from where.
std::string rollout_before(const Rollout& desired, const Observed& live) {
  const bool none = std::none_of(live.workloads.begin(), live.workloads.end(), [](auto& w) { return w.owned; });
  if (none) return "";
  return format(
      "ReplicaSets of a Rollout {} are left: give the experiment another name, or remove the Rollout's manifest in a "
      "commit of its own and add the experiment after it",
      desired.key.text());
}

}  // namespace

bool is_running(const Rollout& desired, const Status& status) {
  return status.run && status.run->hash == desired.hash && status.run->ended.empty();
}

Advance advance_standalone(const Rollout& desired, const Observed& live, const Status& status, TimePoint now) {
  if (std::string held = rollout_before(desired, live); !held.empty()) return {.status = status, .held = held};
  const std::string due = due_run(desired, status);
  if (due.empty() && !status.refused.empty()) return accept_run(desired, status);
  const bool may_begin = !desired.freeze || desired.standalone->terminate;
  if (!due.empty() && may_begin) return begin_run(desired, status, due, now);
  if (auto decided = obey_decision(desired, status, due, now)) return *decided;
  if (!due.empty()) return wait_to_begin(status, *desired.freeze);
  if (!is_running(desired, status)) return {.status = status, .why = status.run->ended};
  if (desired.standalone->terminate) return succeed(status, "spec.terminate is set");
  const auto& duration = desired.standalone->duration;
  std::optional<TimePoint> over;
  if (duration && status.experiment) over = *status.experiment + *duration;
  if (over && now >= *over) return succeed(status, format("its {} are over", format_duration(*duration)));
  Advance out = carry_on(desired, live, status, over, now);
  if (over) out.look_again = out.look_again ? std::min(*out.look_again, *over) : *over;
  return out;
}

Target standalone_target(const Rollout& desired, const Status& status) {
  Target out;
  // What another spec asked for is no longer known: while a freeze keeps this one waiting, it stays as it is.
  const bool runs_another = status.run && status.run->ended.empty() && !is_running(desired, status);
  if (!runs_another) out.linger = desired.standalone->scale_down_delay;
  if (!is_running(desired, status)) {
    out.experiment_linger = desired.standalone->scale_down_delay;
    return out;
  }
  for (const auto& each : desired.standalone->templates) out.experiment.push_back(standalone_pods(desired.key, each));
  return out;
}

Difference standalone_difference(const Rollout& desired, const Observed& live, const Target& target, TimePoint now) {
  Difference out;
  if (!target.linger) return out;
  ExperimentDifference pods = diff_experiment(desired, live, target, now);
  out.actions = std::move(pods.come);
  for (Action& action : pods.go) out.actions.push_back(std::move(action));
  out.waiting = out.experiment_is_short = std::move(pods.waiting);
  return out;
}

}  // namespace reconciler
