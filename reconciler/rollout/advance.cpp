#include "rollout/advance.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/decisions.h"
#include "rollout/first_start.h"
#include "rollout/freeze.h"
#include "rollout/image.h"
#include "rollout/resolved.h"
#include "rollout/routing.h"
#include "rollout/standalone_experiment.h"
#include "rollout/transition.h"

namespace reconciler {
namespace {

/// When the run that `status` describes last moved: recorded, or by the pods' own timestamps (spec 3.13).
TimePoint last_progress(const Observed& live, const Status& status, const Target& wanted) {
  TimePoint latest = status.canary ? status.canary->since : status.stable->since;
  if (status.step) latest = std::max(latest, status.step->since);
  if (status.preview) latest = std::max(latest, status.preview->since);
  for (const auto& [hash, pods] : wanted.replicas)
    if (const Workload* w = live.workload(hash)) latest = std::max({latest, w->created, w->pods_moved});
  return latest;
}

/// Everything one pass over a rollout with a status needs to know.
struct Pass {
  const Rollout& desired;
  const Observed& live;
  const Status& status;
  const TimePoint now;
  const Target wanted;
  const Difference missing;
};

Advance stay(const Pass& pass) {
  const Difference& missing = pass.missing;
  return {.status = pass.status, .why = missing.waiting.empty() ? missing.stable_is_short : missing.waiting};
}

std::string pods_text(const Pass& pass) {
  const std::string& hash = pass.status.canary->hash;
  return format("{} of {} {} pods available", pass.live.available(hash), pass.wanted.replicas.at(hash),
                pass.desired.blue_green ? "preview" : "canary");
}

/// Nothing goes forward in a freeze but what a person let pass since it began: a decision lets pass what it starts, and
/// promote-full the whole run.
bool is_let_pass(const Status& status, const Freeze& freeze) {
  const auto& decision = status.decision;
  if (!decision || !status.canary || decision->revision != status.canary->hash || decision->at < freeze.since)
    return false;
  if (decision->verb == Verb::Abort || decision->verb == Verb::Pause) return false;
  TimePoint began = status.canary->since;
  if (status.step) began = std::max(began, status.step->since);
  if (status.preview) began = std::max(began, status.preview->since);
  return decision->verb == Verb::PromoteFull || began <= decision->at + 1s;
}

/// May a new step begin? A way back may always.
bool may_begin(const Pass& pass) {
  const Status& status = pass.status;
  if (!pass.desired.freeze || is_way_back(pass.desired, status, pass.live)) return true;
  const bool in_full = status.decision && status.decision->verb == Verb::PromoteFull;
  return in_full && is_let_pass(status, *pass.desired.freeze);
}

/// May what runs already come to its end? A hard freeze stops that too.
bool may_finish(const Pass& pass) {
  return may_begin(pass) || !pass.desired.freeze->hard || is_let_pass(pass.status, *pass.desired.freeze);
}

/// A wait like any other: no transition, and another look when it is over.
Advance wait_for_thaw(const Pass& pass, Advance waiting) {
  if (!waiting.subject.empty()) return waiting;
  const Freeze& freeze = *pass.desired.freeze;
  waiting.why = frozen_text(freeze);
  waiting.frozen = true;
  waiting.look_again = waiting.look_again ? std::min(*waiting.look_again, freeze.until) : freeze.until;
  return waiting;
}

Advance wait_for_thaw(const Pass& pass) { return wait_for_thaw(pass, stay(pass)); }

/// `shop/checkout made no progress for 10m` is a transition only once; until then, look again when it would be.
Advance check_deadline(const Pass& pass, Advance otherwise) {
  const bool counting = pass.status.phase == Phase::Progressing && !pass.desired.paused && !pass.missing.agrees();
  if (!counting) return otherwise;
  TimePoint deadline = last_progress(pass.live, pass.status, pass.wanted) + pass.desired.progress_deadline;
  if (pass.now < deadline) {
    otherwise.look_again = otherwise.look_again ? std::min(*otherwise.look_again, deadline) : deadline;
    return otherwise;
  }
  const std::string waiting = stay(pass).why;
  std::string why = format("no progress for {}: {}", format_duration(pass.desired.progress_deadline),
                           waiting.empty() ? "changes are not accepted by the cluster" : waiting);
  const bool abort =
      pass.desired.progress_deadline_abort && pass.status.canary && pass.status.stable && pass.status.returning.empty();
  return abort ? reject(pass.desired, pass.status, why, pass.now) : degrade(pass.desired, pass.status, why);
}

/// Under spec.paused no pods come, so what waits for nothing else is at rest.
std::optional<Advance> wait_while_paused(const Pass& pass) {
  return pass.missing.actions.empty() ? freeze_or_thaw(pass.desired, pass.status) : std::nullopt;
}

/// The canary has left; stable has everything back.
Advance finish_return(const Pass& pass) {
  if (pass.missing.agrees()) return returned(pass.desired, pass.status);
  if (auto turned = wait_while_paused(pass)) return *turned;
  return check_deadline(pass, stay(pass));
}

/// First deploy, or the last stage of a promotion: wait until live agrees, then it is Healthy.
Advance settle(const Pass& pass) {
  if (pass.missing.agrees()) return promoted(pass.desired, pass.status, pass.now);
  if (auto turned = wait_while_paused(pass)) return *turned;
  return check_deadline(pass, stay(pass));
}

/// A stable revision that shrinks as weight leaves it goes on doing so after a person skipped all steps: the traffic
/// follows the canary's pods as they come up.
std::optional<Advance> follow_pods(const Pass& pass) {
  const Status& status = pass.status;
  const bool skipped = status.decision && status.decision->verb == Verb::PromoteFull &&
                       status.decision->revision == status.canary->hash && status.decision->at >= status.canary->since;
  if (!skipped || !pass.desired.dynamic_stable_scale || pass.desired.replicas == 0) return std::nullopt;
  const int there = std::min(pass.live.available(status.canary->hash), pass.desired.replicas);
  const int whole = pass.desired.whole(), weight = rescaled(there, pass.desired.replicas, whole);
  if (weight <= status.weight || weight == whole) return std::nullopt;
  return shift(pass.desired, status, weight, pods_text(pass) + "; traffic follows the pods");
}

/// The deploy commit asked to stop here until somebody says so.
Advance wait_at_mark(const Pass& pass) {
  if (pass.status.phase == Phase::Progressing) return pause_at_mark(pass.desired, pass.status);
  Advance waiting = stay(pass);
  const DeployTrailers& asked = *pass.status.trailers;
  if (waiting.why.empty())
    waiting.why = format("{} asks for a pause at {}% (serin approve or resume ends it)", asked.by, *asked.pause_at);
  return waiting;
}

/// The present step is done and `weight` is the canary's share; the next one begins, unless a freeze holds it up. A
/// pause may begin even then.
Advance leave_step(const Pass& pass, int weight, const std::string& why) {
  const Rollout& desired = pass.desired;
  if (!may_finish(pass)) return wait_for_thaw(pass);
  if (may_begin(pass)) return next_step(desired, pass.status, weight, why, pass.now);
  const size_t next = size_t(pass.status.step->index) + 1;
  if (!is_at_pause(desired, pass.status) && next < desired.steps.size() &&
      std::holds_alternative<Pause>(desired.steps[next]))
    return next_step(desired, pass.status, weight, why, pass.now);
  if (weight != pass.status.weight)
    return shift(desired, pass.status, weight, why + "; " + frozen_text(*desired.freeze));
  return wait_for_thaw(pass);
}

/// Past the last step: all pods, all traffic, then the canary is the stable revision.
Advance complete(const Pass& pass) {
  if (pass.desired.paused) return check_deadline(pass, stay(pass));
  if (is_at_pause_mark(pass.desired, pass.status)) return wait_at_mark(pass);
  if (!may_finish(pass)) return wait_for_thaw(pass);
  if (auto shifted = follow_pods(pass)) return *shifted;
  if (!pass.missing.step_agrees()) return check_deadline(pass, stay(pass));
  if (const int whole = pass.desired.whole(); pass.status.step && pass.status.weight < whole)
    return shift(pass.desired, pass.status, whole, pods_text(pass) + "; all traffic to the canary");
  return promote(pass.desired, pass.status, pods_text(pass), pass.now);
}

Advance work_on_pause(const Pass& pass, const Pause& pause) {
  if (pass.desired.paused || held_by_person(pass.status)) return stay(pass);
  // A pause is not progress to wait for, but pods that were lost and do not come back are.
  if (!pass.missing.step_agrees()) return check_deadline(pass, stay(pass));
  if (is_at_pause_mark(pass.desired, pass.status)) return wait_at_mark(pass);
  if (!pause.duration) return stay(pass);
  TimePoint over = pass.status.step->since + *pause.duration;
  if (pass.now < over) {
    Advance out = stay(pass);
    out.look_again = over;
    return out;
  }
  return leave_step(pass, pass.status.weight, format("pause of {} is over", format_duration(*pause.duration)));
}

/// Blue-green: the preview is up; people, or time, let it pass.
Advance await_acceptance(const Pass& pass) {
  const BlueGreen& rule = *pass.desired.blue_green;
  const bool over_by_itself = !rule.pauses() || (rule.auto_promotion_after > 0ms &&
                                                 pass.now >= pass.status.preview->since + rule.auto_promotion_after);
  if (over_by_itself && !may_begin(pass)) return wait_for_thaw(pass);
  if (!rule.pauses()) return accept_preview(pass.desired, pass.status, "nobody need accept it any more", pass.now);
  Advance waiting = stay(pass);
  if (rule.auto_promotion_after == 0ms) {
    if (waiting.why.empty()) waiting.why = "waiting until somebody accepts the preview (serin approve)";
    return waiting;
  }
  const TimePoint over = pass.status.preview->since + rule.auto_promotion_after;
  if (pass.now >= over)
    return accept_preview(pass.desired, pass.status,
                          format("its preview of {} is over", format_duration(rule.auto_promotion_after)), pass.now);
  if (waiting.why.empty()) waiting.why = "switching to it at " + format_time(over);
  waiting.look_again = over;
  return waiting;
}

/// Blue-green: the new version is up for preview, is accepted, has all its pods, and is switched to.
Advance work_on_preview(const Pass& pass) {
  const Rollout& desired = pass.desired;
  const Status& status = pass.status;
  if (desired.paused || held_by_person(status)) return check_deadline(pass, stay(pass));
  if (is_at_pause(desired, status)) return await_acceptance(pass);
  if (!pass.missing.step_agrees()) return check_deadline(pass, stay(pass));
  const bool accepted = status.preview && status.preview->accepted;
  if (!may_finish(pass) || (!accepted && !desired.blue_green->pauses() && !may_begin(pass))) return wait_for_thaw(pass);
  if (!status.preview && desired.blue_green->pauses()) return show_preview(desired, status, pods_text(pass), pass.now);
  if (!status.preview && preview_pods(desired, status) != desired.replicas)
    return accept_preview(desired, status, pods_text(pass), pass.now);
  return promote(desired, status, pods_text(pass), pass.now);
}

/// A step that is done once the pods it asks for are there; then `weight` is the canary's share.
Advance work_on_pods(const Pass& pass, int weight) {
  if (pass.desired.paused || held_by_person(pass.status) || !pass.missing.step_agrees())
    return check_deadline(pass, stay(pass));
  if (is_at_pause_mark(pass.desired, pass.status)) return wait_at_mark(pass);
  return leave_step(pass, weight, pods_text(pass));
}

/// A route is set by being recorded; the next step begins once it is written.
Advance work_on_route(const Pass& pass, std::string_view kind, const std::string& name) {
  if (pass.desired.paused || held_by_person(pass.status) || !pass.missing.step_agrees())
    return check_deadline(pass, stay(pass));
  if (is_at_pause_mark(pass.desired, pass.status)) return wait_at_mark(pass);
  return leave_step(pass, pass.status.weight, format("{} route \"{}\"", kind, name));
}

/// When pods of the experiment last came or became ready.
TimePoint last_experiment_progress(const Pass& pass) {
  TimePoint latest = std::max(pass.status.step->since, pass.status.experiment.value_or(pass.status.step->since));
  for (const Workload& w : pass.live.experiments) latest = std::max({latest, w.created, w.pods_moved});
  return latest;
}

/// An experiment whose pods do not come up, or do not come back, has failed, and the canary with it.
Advance wait_for_experiment(const Pass& pass) {
  if (pass.missing.experiment_is_short.empty() || pass.missing.experiment_is_short != pass.missing.waiting)
    return check_deadline(pass, stay(pass));
  const TimePoint deadline = last_experiment_progress(pass) + pass.desired.progress_deadline;
  Advance waiting = stay(pass);
  if (pass.now < deadline) {
    waiting.look_again = deadline;
    return waiting;
  }
  return reject(pass.desired, pass.status,
                format("experiment failed, no progress for {}: {}", format_duration(pass.desired.progress_deadline),
                       pass.missing.experiment_is_short),
                pass.now);
}

Advance work_on_experiment(const Pass& pass, const Experiment& experiment) {
  if (pass.desired.paused || held_by_person(pass.status)) return check_deadline(pass, stay(pass));
  if (!pass.missing.step_agrees()) return wait_for_experiment(pass);
  if (is_at_pause_mark(pass.desired, pass.status)) return wait_at_mark(pass);
  if (!pass.status.experiment && !may_finish(pass)) return wait_for_thaw(pass);
  if (!pass.status.experiment) return begin_experiment(pass.desired, pass.status, experiment, pass.now);
  Advance waiting = stay(pass);
  if (!experiment.duration) {
    if (waiting.why.empty()) waiting.why = "waiting until somebody ends the experiment (serin approve)";
    return waiting;
  }
  const TimePoint over = *pass.status.experiment + *experiment.duration;
  if (pass.now >= over)
    return leave_step(pass, pass.status.weight,
                      format("experiment of {} is over", format_duration(*experiment.duration)));
  if (waiting.why.empty()) waiting.why = "the experiment ends at " + format_time(over);
  waiting.look_again = over;
  return waiting;
}

Advance work_on(const Pass& pass, const Step& step) {
  if (auto experiment = std::get_if<Experiment>(&step)) return work_on_experiment(pass, *experiment);
  if (auto pause = std::get_if<Pause>(&step)) return work_on_pause(pass, *pause);
  if (auto weight = std::get_if<SetWeight>(&step)) return work_on_pods(pass, weight->weight);
  if (auto header = std::get_if<SetHeaderRoute>(&step)) return work_on_route(pass, "header", header->name);
  if (auto mirror = std::get_if<SetMirrorRoute>(&step)) return work_on_route(pass, "mirror", mirror->name);
  return work_on_pods(pass, pass.status.weight);
}

/// The traffic that a canary had before its pods were lost, once enough of them are back.
std::optional<Advance> mind_lost_pods(const Pass& pass) {
  const Status& status = pass.status;
  const std::string& hash = status.canary->hash;
  if (!pass.desired.is_routed() || !status.step || pass.wanted.replicas.at(hash) == 0) return std::nullopt;
  const int count = status.step->count, index = status.step->index;
  const int whole = pass.desired.whole();
  const int promised = status.weight == whole && index == count ? whole : weight_before(pass.desired, index);
  if (status.weight > 0 && pass.live.available(hash) == 0)
    return lose_traffic(pass.desired, status, "no canary pod is left: all traffic to stable");
  const bool restore = status.weight == 0 && promised > 0 && may_finish(pass) && index < count &&
                       pass.missing.step_agrees() &&
                       pass.live.available(hash) >= pods_to_carry(pass.desired, status, promised);
  if (restore) return shift_again(pass.desired, status, promised, pods_text(pass) + " again", pass.now);
  return std::nullopt;
}

Advance work_on_canary(const Pass& pass) {
  if (auto lost = mind_lost_pods(pass)) return *lost;
  if (auto turned = freeze_or_thaw(pass.desired, pass.status)) return *turned;
  if (pass.desired.blue_green) return work_on_preview(pass);
  const int index = pass.status.step ? pass.status.step->index : 0;
  if (index >= int(pass.desired.steps.size())) return complete(pass);
  return work_on(pass, pass.desired.steps[size_t(index)]);
}

/// Does Git ask for something else than what is under way? Then that comes first.
std::optional<Advance> follow_git(const Pass& pass) {
  const Rollout& desired = pass.desired;
  const Status& status = pass.status;
  if (!status.refused.empty()) return accept_again(desired, status);
  const bool wants_stable = status.stable && desired.hash == status.stable->hash;
  const bool wants_canary = status.canary && desired.hash == status.canary->hash;
  // A cluster that has lost the stable revision has nothing to protect: as on a first deploy.
  const bool stable_gone = status.stable && !pass.live.workload(status.stable->hash);
  if (stable_gone && !wants_stable && !is_rejected(status, desired.hash))
    return deploy_first(desired, status, pass.live, "the stable ReplicaSet is gone, nothing to protect", pass.now);
  if (!status.stable && !wants_canary)
    return deploy_first(desired, status, pass.live, "image changed before the first deploy was up", pass.now);
  if (wants_stable) {
    if (status.canary && status.returning.empty()) return turn_back(desired, status, pass.now);
    const bool failed = std::any_of(status.rejected.begin(), status.rejected.end(), [](auto& r) { return !r.lapsed; });
    if (!status.canary && failed) return forgive(desired, status);
    return std::nullopt;
  }
  const auto due = due_start(desired, status);
  const bool may = !desired.freeze || is_way_back(desired, status, pass.live);
  return due && may ? std::optional(start(desired, status, pass.live, *due, pass.now)) : std::nullopt;
}

/// What goes on while a freeze keeps a new canary from beginning: nothing of the old one but what keeps it safe.
Advance stay_frozen(const Pass& pass) {
  const Status& status = pass.status;
  if (!status.returning.empty()) return finish_return(pass);
  if (status.canary) {
    auto lost = mind_lost_pods(pass);
    return lost && lost->status.weight < status.weight ? *lost : wait_for_thaw(pass);
  }
  const bool promoting = status.phase == Phase::Progressing || status.phase == Phase::Paused;
  return wait_for_thaw(pass, promoting ? settle(pass) : stay(pass));
}

/// The revision that the cluster remembers as rejected: the route, or without routing the ReplicaSet.
std::string rejected_in_cluster(const Rollout& desired, const Observed& live) {
  if (desired.is_routed()) return rejected_mark(desired, live.routes);
  const Workload* w = live.workload(desired.hash);
  return w && w->owned && w->rejected ? w->hash : "";
}

/// A lost disk must not forget a rejection (design.md 5).
std::optional<Advance> heed_mark(const Rollout& desired, const Observed& live, const Status& status, TimePoint now) {
  std::string mark = rejected_in_cluster(desired, live);
  const bool known =
      std::any_of(status.rejected.begin(), status.rejected.end(), [&](auto& r) { return r.hash == mark; });
  if (mark.empty() || known || mark != desired.hash || !status.stable || status.stable->hash == mark)
    return std::nullopt;
  Status with_canary = status;
  // Git asks for what is marked; a canary that the status still tells of was on its way before.
  if (!status.canary || status.canary->hash != mark) with_canary.canary = revision_of(desired, live, now);
  return reject(desired, with_canary,
                desired.is_routed() ? "rejected before, by the mark on the VirtualService"
                                    : "rejected before, by the mark on its ReplicaSet",
                now);
}

Advance advance_known(const Rollout& desired, const Observed& live, const Status& status, TimePoint now) {
  Target wanted = target(desired, status);
  auto missing = diff(desired, live, wanted, now);
  if (!missing) return {.status = status, .held = missing.error().message};
  Pass pass{desired, live, status, now, std::move(wanted), std::move(*missing)};
  if (auto marked = heed_mark(desired, live, status, now)) return *marked;
  if (auto followed = follow_git(pass)) return *followed;
  if (auto decided = obey(desired, status, live, now)) return *decided;
  if (due_start(desired, status)) return stay_frozen(pass);
  if (!status.stable) return settle(pass);
  if (!status.returning.empty()) return finish_return(pass);
  if (status.canary) return work_on_canary(pass);
  const bool promoting = status.phase == Phase::Progressing || status.phase == Phase::Paused;
  const bool recovering = status.phase == Phase::Degraded && !is_rejected(status, desired.hash);
  return promoting || recovering ? settle(pass) : stay(pass);
}

/// Two controllers on one rollout would undo each other's traffic.
std::string driven_by_another(const Rollout& desired, const Observed& live) {
  if (!live.object || live.object->driver.empty()) return "";
  return format(
      "another controller ({}) drives Rollout {}: stop it, then delete the object and keep its ReplicaSets "
      "(kubectl delete rollout {} -n {} --cascade=orphan) or annotate it {}=true",
      live.object->driver, desired.key.text(), desired.key.name, desired.key.ns, kTakeOverAnnotation);
}

}  // namespace

Advance stay_refused(const Rollout& last_good, const Observed& live, const Status& status, TimePoint now) {
  if (last_good.standalone) return {.status = status};
  if (std::string held = driven_by_another(last_good, live); !held.empty()) return {.status = status, .held = held};
  Target wanted = target(last_good, status);
  auto missing = diff(last_good, live, wanted, now);
  if (!missing) return {.status = status, .held = missing.error().message};
  Pass pass{last_good, live, status, now, std::move(wanted), std::move(*missing)};
  if (status.canary && status.stable && status.returning.empty())
    if (auto lost = mind_lost_pods(pass); lost && lost->status.weight < status.weight) return *lost;
  return stay(pass);
}

Advance advance(const Rollout& desired, const Observed& live, const std::optional<Status>& status, TimePoint now) {
  if (desired.standalone) return advance_standalone(desired, live, status.value_or(Status{}), now);
  if (std::string held = driven_by_another(desired, live); !held.empty())
    return {.status = status.value_or(Status{}), .held = held};
  if (name_is_taken(desired, live)) return take_other_name(desired, status.value_or(Status{}));
  if (!status || (!status->stable && !status->canary)) {
    Advance first = first_start(desired, live, status ? status->collisions : std::nullopt, now);
    auto marked = heed_mark(desired, live, first.status, now);
    return marked && first.held.empty() ? *marked : first;
  }
  return advance_known(desired, live, *status, now);
}

}  // namespace reconciler
