#include "rollout/transition.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/decisions.h"
#include "rollout/experiment.h"
#include "rollout/image.h"
#include "rollout/target.h"

namespace reconciler {
namespace {

constexpr size_t kRejectedMax = 10;

TimePoint next_whole_second(TimePoint time) { return whole_seconds(time + 999ms); }

std::string canary_label(const Status& status) { return label_of(*status.canary, status.stable); }

std::string stable_label(const Status& status) { return label_of(*status.stable, status.canary); }

/// Its unit is remembered with it, for those who read the status alone.
void set_weight(Status& status, const Rollout& desired, int weight) {
  status.weight = weight;
  status.whole = weight == 0 ? kWholeWeight : desired.whole();
}

/// What follows once a step is done: `pausing for 5m`, `next is 40%`.
std::string outlook(const Rollout& desired, int index) {
  if (index >= int(desired.steps.size())) return "the last step is done";
  const Step& step = desired.steps[size_t(index)];
  if (auto weight = std::get_if<SetWeight>(&step)) return "next is " + share_text(weight->weight, desired.whole());
  if (auto scale = std::get_if<SetCanaryScale>(&step)) {
    if (scale->replicas) return format("next are {} canary pods", *scale->replicas);
    if (scale->weight) return "next are canary pods for " + share_text(*scale->weight, desired.whole());
    return "next are canary pods for its weight";
  }
  if (auto header = std::get_if<SetHeaderRoute>(&step)) return format("next is header route \"{}\"", header->name);
  if (auto mirror = std::get_if<SetMirrorRoute>(&step)) return format("next is mirror route \"{}\"", mirror->name);
  if (std::holds_alternative<Experiment>(step)) return "next is an experiment";
  const auto& duration = std::get<Pause>(step).duration;
  return duration ? "pausing for " + format_duration(*duration) : "pausing until somebody resumes it";
}

/// What becomes of what the deploy commit asks for.
std::string trailers_text(const Rollout& desired, const DeployTrailers& trailers) {
  if (!trailers.ignored.empty()) return "its deploy trailers are ignored: " + trailers.ignored;
  if (trailers.skip_steps)
    return format("{} skipped, as {} asks", desired.blue_green ? "preview" : "steps", trailers.by);
  return format("pausing at {}%, as {} asks", *trailers.pause_at, trailers.by);
}

std::string what_changed(const Revision& canary, const std::optional<Revision>& stable) {
  if (!stable) return format("first deploy of {}", tag_of(canary.image));
  if (stable->image == canary.image) return format("the pod template changed, image {} stays", tag_of(canary.image));
  return format("image changed {} -> {}", tag_of(stable->image), tag_of(canary.image));
}

}  // namespace

std::string at_step(const std::string& text, const Status& status) {
  return status.step ? format("{} (step {}/{})", text, status.step->index, status.step->count) : text;
}

Phase phase_at(const Rollout& desired, int index) {
  const bool pause = index < int(desired.steps.size()) && std::holds_alternative<Pause>(desired.steps[size_t(index)]);
  return pause || desired.paused ? Phase::Paused : Phase::Progressing;
}

bool is_at_pause(const Rollout& desired, const Status& status) {
  if (desired.blue_green) return status.preview && !status.preview->accepted;
  // Without a duration only a person ends an experiment.
  if (const Experiment* experiment = present_experiment(desired, status))
    return status.experiment && !experiment->duration;
  const int index = status.step ? status.step->index : 0;
  return index < int(desired.steps.size()) && std::holds_alternative<Pause>(desired.steps[size_t(index)]);
}

std::optional<std::string> due_start(const Rollout& desired, const Status& status) {
  const bool wants_canary = status.canary && desired.hash == status.canary->hash;
  if (!status.stable || desired.hash == status.stable->hash || is_rejected(status, desired.hash)) return std::nullopt;
  if (!wants_canary) return "";
  if (!status.returning.empty()) return "Git asks for it again";
  const std::string steps_hash = status.step ? status.step->hash : "";
  if (steps_hash != (desired.steps.empty() ? "" : desired.steps_hash)) return "the list of steps changed";
  if (status.weight > 0 && status.whole != desired.whole()) return "maxTrafficWeight changed, and so did every step";
  return std::nullopt;
}

Phase phase_of(const Rollout& desired, const Status& status) {
  return is_at_pause(desired, status) || is_at_pause_mark(desired, status) || desired.paused ? Phase::Paused
                                                                                             : Phase::Progressing;
}

void lapse_rejections(Status& status, const std::string& except_hash) {
  for (Rejected& r : status.rejected) r.lapsed = r.lapsed || r.hash != except_hash;
}

Revision revision_of(const Rollout& desired, const Observed& live, TimePoint now) {
  std::vector<ContainerImage> before;
  auto newest = std::max_element(live.workloads.begin(), live.workloads.end(),
                                 [](auto& a, auto& b) { return a.available < b.available; });
  if (newest != live.workloads.end() && newest->hash != desired.hash) before = newest->images;
  return {desired.hash, headline_image(desired.images, before), whole_seconds(now)};
}

namespace {

/// The part of every beginning that is the same: a new canary without traffic, from `index` on.
Status begin(const Rollout& desired, const Status& status, const Observed& live, int index, TimePoint now) {
  Status next = status;
  next.commit = desired.commit;
  next.canary = revision_of(desired, live, now);
  next.returning.clear();
  next.refused.clear();
  set_weight(next, desired, 0);
  next.preview.reset();
  next.experiment.reset();
  next.trailers.reset();
  next.step.reset();
  if (!desired.steps.empty())
    next.step = StepPosition{index, int(desired.steps.size()), next_whole_second(now), desired.steps_hash};
  next.phase = phase_at(desired, index);
  lapse_rejections(next, desired.hash);
  return next;
}

}  // namespace

/// It was stable within the rollback window, or, with blue-green, it is still there in its scale-down delay.
bool is_way_back(const Rollout& desired, const Status& status, const Observed& live) {
  auto is_it = [&](const Revision& r) { return r.hash == desired.hash; };
  const auto window =
      status.previous.begin() + std::min<ptrdiff_t>(desired.rollback_window, std::ssize(status.previous));
  if (std::any_of(status.previous.begin(), window, is_it)) return true;
  const Workload* w = live.workload(desired.hash);
  const bool waits = desired.blue_green && w && w->owned && w->replicas > 0 && w->scale_down_deadline;
  // What merely was a preview may wait too; it was never trusted.
  return waits && !w->deadline_passed && std::any_of(window, status.previous.end(), is_it);
}

Advance start(const Rollout& desired, const Status& status, const Observed& live, const std::string& why,
              TimePoint now) {
  const bool recent = is_way_back(desired, status, live);
  const bool skips = !recent && desired.trailers && desired.trailers->skip_steps;
  Status next = begin(desired, status, live, recent || skips ? int(desired.steps.size()) : 0, now);
  if (!recent) next.trailers = desired.trailers;
  if (skips && desired.blue_green) next.preview = Preview{next_whole_second(now), true};
  if (is_at_pause_mark(desired, next)) next.phase = Phase::Paused;
  std::string reason = why.empty() ? what_changed(*next.canary, status.stable) : why;
  if (recent && desired.blue_green) next.preview = Preview{next_whole_second(now), true};
  if (recent)
    reason +=
        format("; it was stable recently, so its {}", desired.blue_green ? "preview is skipped" : "steps are skipped");
  if (next.trailers) reason += "; " + trailers_text(desired, *next.trailers);
  const bool loses_traffic = status.weight > 0;
  return {.status = next,
          .subject = at_step("deploying " + canary_label(next), next),
          .why = reason,
          .urgent = loses_traffic};
}

Advance deploy_first(const Rollout& desired, const Status& status, const Observed& live, const std::string& why,
                     TimePoint now) {
  Status next = begin(desired, status, live, int(desired.steps.size()), now);
  next.stable.reset();
  next.phase = Phase::Progressing;
  return {.status = next,
          .subject = at_step("deploying " + canary_label(next), next),
          .why = why.empty() ? what_changed(*next.canary, std::nullopt) : why};
}

Advance show_preview(const Rollout& desired, const Status& status, const std::string& pods, TimePoint now) {
  const Duration time = desired.blue_green->auto_promotion_after;
  Status next = status;
  next.preview = Preview{next_whole_second(now), false};
  next.phase = Phase::Paused;
  return {
      .status = next,
      .subject = "previewing " + canary_label(next),
      .why = format("{}; {}", pods,
                    time > 0ms ? "switching to it in " + format_duration(time) : "waiting until somebody accepts it")};
}

Advance accept_preview(const Rollout& desired, const Status& status, const std::string& why, TimePoint now) {
  Status next = status;
  next.preview = Preview{next_whole_second(now), true};
  next.phase = phase_of(desired, next);
  return {.status = next,
          .subject = "accepted " + canary_label(next),
          .why = why + "; switching to it once all pods are available"};
}

Advance begin_experiment(const Rollout& desired, const Status& status, const Experiment& experiment, TimePoint now) {
  Status next = status;
  next.experiment = next_whole_second(now);
  next.phase = phase_of(desired, next);
  const std::string time =
      experiment.duration ? "running for " + format_duration(*experiment.duration) : "running until somebody ends it";
  return {.status = next,
          .subject = at_step("experimenting at " + share_text(status), next),
          .why = "all experiment pods available; " + time};
}

Advance next_step(const Rollout& desired, const Status& status, int weight, const std::string& why, TimePoint now) {
  Status next = status;
  set_weight(next, desired, weight);
  next.experiment.reset();
  next.step->index += 1;
  next.step->since = next_whole_second(now);
  next.phase = is_at_pause_mark(desired, next) ? Phase::Paused : phase_at(desired, next.step->index);
  return {.status = next,
          .subject = at_step("canary " + share_text(next), next),
          .why = format("{}; {}", why, outlook(desired, next.step->index))};
}

Advance shift(const Rollout& desired, const Status& status, int weight, const std::string& why) {
  Status next = status;
  set_weight(next, desired, weight);
  next.phase = Phase::Progressing;
  return {.status = next, .subject = at_step("canary " + share_text(next), next), .why = why};
}

Advance shift_again(const Rollout& desired, const Status& status, int weight, const std::string& why, TimePoint now) {
  Advance out = shift(desired, status, weight, why);
  out.status.step->since = next_whole_second(now);
  out.status.phase = held_by_person(status) ? Phase::Paused : phase_of(desired, out.status);
  return out;
}

Advance lose_traffic(const Rollout& desired, const Status& status, const std::string& why) {
  Advance out = shift(desired, status, 0, why);
  // A canary that a person holds stays held, and one that is already Degraded does not look better for it.
  if (held_by_person(status) || status.phase == Phase::Degraded) out.status.phase = status.phase;
  out.urgent = true;
  return out;
}

Advance promote(const Rollout& desired, const Status& status, const std::string& pods, TimePoint now) {
  Status next = status;
  next.stable = Revision{status.canary->hash, status.canary->image, whole_seconds(now)};
  next.canary.reset();
  next.trailers.reset();
  next.preview.reset();
  next.experiment.reset();
  set_weight(next, desired, 0);
  // The Service that led to the canary leads to stable from now on: no traffic has to move.
  if (desired.ping_pong) next.pong_is_stable = !status.pong_is_stable;
  next.phase = Phase::Progressing;
  std::erase_if(next.previous, [&](const Revision& r) { return r.hash == next.stable->hash; });
  next.previous.insert(next.previous.begin(), *status.stable);
  // With blue-green the way back to the last one is quick while its pods are there, without any window too.
  const size_t kept = size_t(std::max(desired.rollback_window, desired.blue_green ? 1 : 0));
  if (next.previous.size() > kept) next.previous.resize(kept);
  return {.status = next,
          .subject = at_step("promoting " + canary_label(status), next),
          .why = format("{}; {} is stable from now on", pods, canary_label(status))};
}

Advance promoted(const Rollout& desired, const Status& status, TimePoint now) {
  Status next = status;
  if (!next.stable) next.stable = Revision{status.canary->hash, status.canary->image, whole_seconds(now)};
  next.canary.reset();
  next.trailers.reset();
  next.preview.reset();
  next.phase = Phase::Healthy;
  std::optional<Revision> before;
  if (!next.previous.empty()) before = next.previous.front();
  return {.status = next,
          .subject = "promoted " + label_of(*next.stable, before),
          .why = format("{} of {} pods available, all traffic on {}", desired.replicas, desired.replicas,
                        label_of(*next.stable, before)),
          .urgent = true};
}

namespace {

/// The way back has its own progress deadline.
void begin_again(Status& status, TimePoint now) {
  (status.step ? status.step->since : status.canary->since) = next_whole_second(now);
}

}  // namespace

Advance turn_back(const Rollout& desired, const Status& status, TimePoint now) {
  Status next = status;
  begin_again(next, now);
  next.commit = desired.commit;
  next.returning = format("Git asks for {} again", stable_label(status));
  next.trailers.reset();
  next.preview.reset();
  next.experiment.reset();
  set_weight(next, desired, 0);
  next.phase = Phase::Progressing;
  lapse_rejections(next, "");
  return {.status = next,
          .subject = format("returning to {}: {}", stable_label(status), next.returning),
          .why = next.returning,
          .urgent = true};
}

Advance reject(const Rollout& desired, const Status& status, const std::string& why, TimePoint now) {
  Status next = status;
  begin_again(next, now);
  next.returning = why;
  next.trailers.reset();
  next.preview.reset();
  next.experiment.reset();
  set_weight(next, desired, 0);
  next.phase = Phase::Progressing;
  std::erase_if(next.rejected, [&](const Rejected& r) { return r.hash == status.canary->hash; });
  next.rejected.insert(next.rejected.begin(),
                       Rejected{status.canary->hash, status.canary->image, whole_seconds(now), why});
  if (next.rejected.size() > kRejectedMax) next.rejected.resize(kRejectedMax);
  return {
      .status = next, .subject = format("returning to {}: {}", stable_label(status), why), .why = why, .urgent = true};
}

Advance returned(const Rollout& desired, const Status& status) {
  Status next = status;
  next.returning.clear();
  next.canary.reset();
  next.step.reset();
  if (!desired.steps.empty())
    next.step = StepPosition{int(desired.steps.size()), int(desired.steps.size()),
                             status.step ? status.step->since : status.stable->since, desired.steps_hash};
  const bool wanted = desired.hash == status.stable->hash;
  if (wanted) lapse_rejections(next, "");
  next.phase = wanted ? Phase::Healthy : Phase::Degraded;
  return {.status = next,
          .subject = format("rolled back to {}: {}", stable_label(status), status.returning),
          .why = status.returning,
          .urgent = true};
}

Advance forgive(const Rollout& desired, const Status& status) {
  Status next = status;
  next.commit = desired.commit;
  next.phase = Phase::Healthy;
  lapse_rejections(next, "");
  std::string why = format("Git asks for {} again", stable_label(status));
  return {.status = next,
          .subject = format("rolled back to {}: {}", stable_label(status), why),
          .why = why,
          .urgent = true};
}

Advance degrade(const Rollout&, const Status& status, const std::string& why) {
  Status next = status;
  next.phase = Phase::Degraded;
  std::string what = status.canary ? "deploying " + canary_label(status) : "promoting " + stable_label(status);
  if (status.weight > 0) what += " at " + share_text(status);
  if (!status.returning.empty()) what = "returning to " + stable_label(status);
  return {.status = next, .subject = at_step("stuck " + what, next), .why = why, .urgent = true};
}

std::optional<Advance> freeze_or_thaw(const Rollout& desired, const Status& status) {
  const bool under_way = status.canary && status.stable && status.returning.empty();
  const bool waits =
      under_way && (is_at_pause(desired, status) || is_at_pause_mark(desired, status) || held_by_person(status));
  const bool freeze = desired.paused && status.phase == Phase::Progressing;
  const bool thaw = !desired.paused && status.phase == Phase::Paused && !waits;
  if (!freeze && !thaw) return std::nullopt;
  Status next = status;
  next.phase = freeze ? Phase::Paused : Phase::Progressing;
  return Advance{.status = next,
                 .subject = at_step(format("{} at {}", freeze ? "paused" : "resumed", share_text(status)), next),
                 .why = freeze ? "spec.paused is set" : "spec.paused is no longer set"};
}

Advance ignore(const Status& status, const RolloutDecision& decision, const std::string& why) {
  Status next = status;
  next.ignored = Ignored{decision.commit, decision.verb, decision.author, why};
  return {.status = next,
          .subject = format("ignored {} of {}", to_text(decision.verb), decision.commit.substr(0, 8)),
          .why = why};
}

Advance pause_at_mark(const Rollout&, const Status& status) {
  Status next = status;
  next.phase = Phase::Paused;
  const DeployTrailers& asked = *status.trailers;
  return {.status = next,
          .subject = at_step("paused at " + share_text(status), next),
          .why = format("{} asks for a pause at {}%", asked.by, *asked.pause_at)};
}

Advance take_other_name(const Rollout& desired, const Status& status) {
  Status next = status;
  next.collisions = status.collisions.value_or(0) + 1;
  if (next.commit.empty()) next.commit = desired.commit;
  return {.status = next,
          .subject = format("renaming {}-{}", desired.key.name, desired.hash),
          .why = format("a ReplicaSet {}-{} exists and is not of this rollout", desired.key.name, desired.hash)};
}

Advance accept_again(const Rollout& desired, const Status& status) {
  Status next = status;
  next.refused.clear();
  if (!next.stable && !next.canary)
    next.phase = Phase::Progressing;
  else if (next.canary)
    next.phase = next.returning.empty() ? phase_of(desired, next) : Phase::Progressing;
  else
    next.phase = is_rejected(next, desired.hash) ? Phase::Degraded : Phase::Healthy;
  return {.status = next,
          .subject = at_step("accepted at " + share_text(status), next),
          .why = "the manifest is valid again"};
}

}  // namespace reconciler
