// One pass over the rollouts that are due: look, plan, record, act.
#include <algorithm>

#include "base/check.h"
#include "base/format.h"
#include "base/log.h"
#include "daemon/rollout_runner.h"
#include "manifest/status_file.h"
#include "manifest/workload_ref.h"
#include "rollout/decisions.h"
#include "rollout/deploy_trailers.h"
#include "rollout/diff.h"
#include "rollout/known_hash.h"
#include "rollout/published_status.h"
#include "rollout/resolved.h"
#include "rollout/transition.h"

namespace reconciler {
namespace {

/// How many rollouts one pass looks at before it records and acts: enough to share a sync, few enough to stay quick.
constexpr size_t kPassMax = 256;
constexpr Duration kRecordRetry = 5s;
constexpr Duration kJudgeRetry = 5s;
/// The longest that a pass waits for others to share its record.
constexpr Duration kGatherMax = 50ms;
constexpr int kBusyPerMillisecond = 8;
/// What workloadRef names is not watched.
constexpr Duration kReadAgain = 30s;
constexpr Duration kLookAgainWhileRefused = 20s;

std::optional<Status> recorded_of(const SharedStatus& status) { return status ? std::optional(*status) : std::nullopt; }

/// Does a new version begin its way, beside one that is stable?
bool is_beginning(const std::optional<Status>& before, const Status& after) {
  return after.canary && after.stable && (!before || before->canary != after.canary);
}

Json status_of(const RolloutObject& object) {
  auto status = parse_json(object.status);
  return status ? *std::move(status) : Json();
}

/// What the object should say beside what it says now; nothing when it is not ours or says so already.
std::optional<Json> view_of(const Rollout& desired, const Observed& live, const Status& status, TimePoint now) {
  if (!live.object || !live.object->ours || !live.object->driver.empty()) return std::nullopt;
  const Json before = status_of(*live.object);
  Json view = published_status(desired, live, status, before, live.object->generation, now);
  return is_published(before, view) ? std::nullopt : std::optional(std::move(view));
}

}  // namespace

void RolloutRunner::set_timer(const RolloutKey& key, Tracked& tracked, std::optional<Duration> due) {
  if (tracked.timer) timers_.erase({*tracked.timer, key});
  tracked.timer = due;
  if (due) timers_.insert({*due, key});
}

Duration RolloutRunner::next_due() const {
  if (!due_.empty()) return std::max(clock_.monotonic(), gathered_at());
  return timers_.empty() ? Duration::max() : timers_.begin()->first;
}

/// When many rollouts are acted on, they come back one by one; a record for each would be the slow part. The more are
/// under way, the longer the next record waits for company. One that is alone never waits.
Duration RolloutRunner::gathered_at() const {
  return recorded_at_ + std::min<Duration>(kGatherMax, busy_ * 1ms / kBusyPerMillisecond);
}

void RolloutRunner::run_due(const std::string& head) {
  const Duration now = clock_.monotonic();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const RolloutKey key = timers_.begin()->second;
    set_timer(key, tracked_.at(key), std::nullopt);
    due_.insert(key);
  }
  if (now < gathered_at()) return;
  std::vector<Planned> plans;
  for (size_t looked_at = 0; looked_at < kPassMax && !due_.empty(); ++looked_at) {
    const RolloutKey key = *due_.begin();
    due_.erase(due_.begin());
    unreported_.insert(key);
    Tracked& tracked = tracked_.at(key);
    if (tracked.held_back) {
      continue;
    } else if (tracked.busy > 0) {
      tracked.again = true;
    } else if (now < tracked.not_before) {
      set_timer(key, tracked, tracked.not_before);
    } else if (auto planned = look_at(key, tracked, head)) {
      plans.push_back(std::move(*planned));
    }
  }
  if (record(plans))
    for (Planned& planned : plans) take_over(planned);
}

/// Remember, then act: nothing of a plan is carried out before its transition is durable. One sync serves the pass.
bool RolloutRunner::record(std::vector<Planned>& plans) {
  std::vector<StatusWrite> writes;
  bool urgent = false;
  for (Planned& planned : plans) {
    if (!planned.write) continue;
    urgent = urgent || planned.decision.urgent;
    writes.push_back(std::move(*planned.write));
  }
  if (writes.empty()) return true;
  auto recorded = git_.record(writes);
  recorded_at_ = clock_.monotonic();
  if (recorded) {
    hooks_.recorded(urgent);
    return true;
  }
  for (Planned& planned : plans) {
    Tracked& tracked = tracked_.at(planned.key);
    say(planned.key, tracked, "its status cannot be recorded, so nothing is done: " + recorded.error().message);
    set_timer(planned.key, tracked, clock_.monotonic() + kRecordRetry);
  }
  return false;
}

/// The manifest is there but cannot be carried out: recorded once, and what runs goes on as it was.
std::optional<RolloutRunner::Planned> RolloutRunner::refuse(const RolloutKey& key, Tracked& tracked,
                                                            const std::string& head) {
  const RefusedRollout* refused = desired_.refused(key);
  std::string why = refused ? refused->problems.front().text() : "";
  if (!refused) {
    for (const std::string& path : desired_.paths_of(rollout_object_key(key)))
      why += (why.empty() ? "" : " and ") + path;
    if (why.empty()) return std::nullopt;
    say(key, tracked, key.text() + " stands in several files: " + why);
    return std::nullopt;
  }
  tracked.live = {Phase::Degraded, "InvalidSpec: " + why};
  std::optional<Json> view = view_of_refusal(key, why);
  const std::string trouble = "refused: " + why;
  if (tracked.status && tracked.status->refused == why) {
    auto kept = keep_as_it_was(key, tracked, trouble);
    if (kept) kept->view = std::move(view);
    if (!kept && view) hooks_.publish(key, std::move(view));
    return kept;
  }
  Status next = tracked.status ? *tracked.status : Status{};
  next.phase = Phase::Degraded;
  next.refused = why;
  if (!tracked.status) next.commit = deploy_commit(key, tracked, head).id;
  tracked.trouble = trouble;
  Planned out{.key = key,
              .decision = {.status = next, .subject = trouble, .why = why, .urgent = true},
              .view = std::move(view)};
  out.write = StatusWrite{status_path(key), write_status(key, next), refusal_message(key, next, options_.cluster_name),
                          clock_.now()};
  return out;
}

/// By the last good manifest: what was changed by hand is put right, and traffic leaves a canary without pods.
std::optional<RolloutRunner::Planned> RolloutRunner::keep_as_it_was(const RolloutKey& key, Tracked& tracked,
                                                                    const std::string& refused) {
  const Rollout* last_good = desired_.kept(key);
  const bool ran = last_good && (last_good->standalone ? tracked.status->run.has_value()
                                                       : tracked.status->stable || tracked.status->canary);
  if (!ran) {
    tracked.trouble = refused;
    return std::nullopt;
  }
  const TimePoint now = clock_.now();
  auto seen = see(key, tracked, *last_good, now);
  if (!seen) return std::nullopt;
  Planned out{.key = key, .decision = keep(seen->desired, seen->live, *tracked.status, now)};
  if (auto broken = violations(seen->desired, seen->live, out.decision); !broken.empty()) {
    say(key, tracked, "held, this would break an invariant: " + broken.front());
    return std::nullopt;
  }
  say(key, tracked, out.decision.held.empty() ? refused : refused + "; held: " + out.decision.held);
  const TimePoint soon = now + kLookAgainWhileRefused;
  out.decision.look_again = std::min(out.decision.look_again.value_or(soon), soon);
  if (!out.decision.subject.empty())
    out.write = StatusWrite{status_path(key), write_status(key, out.decision.status),
                            commit_message(seen->desired, out.decision, options_.cluster_name, {}), now};
  return out;
}

std::optional<RolloutRunner::Planned> RolloutRunner::look_at(const RolloutKey& key, Tracked& tracked,
                                                             const std::string& head) {
  if (!hooks_.looked) return plan_one(key, tracked, head);
  const Duration began = clock_.monotonic();
  auto planned = plan_one(key, tracked, head);
  Look look = Look::Unchanged;
  if (!planned && !tracked.trouble.empty()) {
    look = Look::Failed;
  } else if (planned && planned->write) {
    look = Look::Transition;
  } else if (planned && !planned->decision.held.empty()) {
    look = Look::Held;
  } else if (planned && !planned->decision.actions.empty()) {
    look = Look::Act;
  }
  hooks_.looked(look, clock_.monotonic() - began);
  return planned;
}

/// With the template that workloadRef names: as Git has it, else as the cluster does. Nothing while that is being read,
/// or when it cannot be had.
std::optional<Rollout> RolloutRunner::followed(const RolloutKey& key, Tracked& tracked, Rollout rollout) {
  if (!rollout.workload_ref) return rollout;
  const auto in_git = desired_.object(workload_key(rollout));
  const bool scales = rollout.workload_ref->scale_down != WorkloadRef::ScaleDown::Never;
  const bool known = tracked.workload && clock_.monotonic() < tracked.workload_read + kReadAgain;
  if ((!in_git || scales) && !known) {
    read_workload(key, tracked, workload_identity(rollout));
    return std::nullopt;
  }
  const bool missing = !in_git && tracked.workload->empty();
  auto filled = missing
                    ? Result<Rollout>(invalid(format("{} is missing (spec.workloadRef)", workload_key(rollout).text())))
                    : with_workload(std::move(rollout), in_git ? *in_git : *tracked.workload);
  if (filled) return *std::move(filled);
  say(key, tracked, "held: " + filled.error().message);
  if (!in_git) set_timer(key, tracked, tracked.workload_read + kReadAgain);
  return std::nullopt;
}

void RolloutRunner::read_workload(const RolloutKey& key, Tracked& tracked, const Json& identity) {
  ++tracked.busy;
  ++busy_;
  workers_.run(Lane::Cluster, [this, key, identity]() -> Completion {
    auto object = cluster_.read(identity, ReadMode::Known);
    return [this, key, object] {
      Tracked& tracked = tracked_.at(key);
      if (object) {
        tracked.workload = object->value_or(Json::object());
        tracked.workload_read = clock_.monotonic();
      }
      finish(key, object ? Result<void>() : Result<void>(object.error()), "reading what workloadRef names");
    };
  });
}

/// `from` as the cluster knows it, and what is there of it. Nothing while that is being read, or when it cannot be.
std::optional<RolloutRunner::Seen> RolloutRunner::see(const RolloutKey& key, Tracked& tracked, const Rollout& from,
                                                      TimePoint now) {
  auto with_template = followed(key, tracked, from);
  if (!with_template) return std::nullopt;
  Rollout desired = *std::move(with_template);
  desired.commit = tracked.commit ? tracked.commit->id : "";
  desired.freeze = judge_.freeze(key, now);
  auto live = cluster_.observe(desired, now);
  if (!live) {
    say(key, tracked, "held: " + live.error().message);
    set_timer(key, tracked, clock_.monotonic() + tracked.backoff.next(now.time_since_epoch().count(), 0.5));
    return std::nullopt;
  }
  note_object(key, tracked, live->object);
  // An autoscaler's count is what is asked for, without any commit.
  if (live->object && live->object->ours && live->object->scaled) desired.replicas = *live->object->scaled;
  if (tracked.workload)
    if (auto replicas = integer_at(*tracked.workload, {"spec", "replicas"})) live->workload_replicas = int(*replicas);
  const std::optional<Status> recorded = recorded_of(tracked.status);
  desired = resolved(with_known_hash(std::move(desired), *live, recorded), *live, recorded);
  return Seen{std::move(desired), *std::move(live)};
}

std::optional<RolloutRunner::Planned> RolloutRunner::plan_one(const RolloutKey& key, Tracked& tracked,
                                                              const std::string& head) {
  tracked.settled = tracked.frozen = false;
  if (!tracked.unreadable.empty()) {
    say(key, tracked, "held: " + tracked.unreadable);
    return std::nullopt;
  }
  const Rollout* in_git = desired_.rollout(key);
  if (!in_git) return refuse(key, tracked, head);
  const TimePoint now = clock_.now();
  auto seen = see(key, tracked, *in_git, now);
  if (!seen) return std::nullopt;
  auto& [desired, live] = *seen;
  const std::optional<Status> recorded = recorded_of(tracked.status);
  desired.decision = judged_decision(key, tracked, desired, head);
  Decision decision = plan(desired, live, recorded, now);
  // Only a beginning names the commit that asked for it; the look-up walks history and is left out elsewhere.
  const bool begins = is_beginning(recorded, decision.status);
  if (begins && !note_trailers(key, tracked, desired, head)) {
    const std::string& trouble = tracked.trailers.trouble;
    say(key, tracked, trouble.empty() ? "" : "held: the deploy commit cannot be judged yet: " + trouble);
    return std::nullopt;
  }
  if (begins || (!decision.subject.empty() && decision.status.commit.empty())) {
    desired.commit = deploy_commit(key, tracked, head).id;
    decision = plan(desired, live, recorded, now);
  }
  auto broken = violations(desired, live, decision);
  if (!broken.empty()) {
    say(key, tracked, "held, this would break an invariant: " + broken.front());
    return std::nullopt;
  }
  say(key, tracked, trouble_of(tracked, decision));
  tracked.live = live_phase(desired, live, decision.status, now);
  Planned out{.key = key, .decision = std::move(decision)};
  if (hooks_.publish && !desired.standalone) out.view = view_of(desired, live, out.decision.status, now);
  if (!out.decision.subject.empty()) {
    const bool asked = !tracked.status || tracked.status->commit != out.decision.status.commit;
    out.write = StatusWrite{status_path(key), write_status(key, out.decision.status),
                            commit_message(desired, out.decision, options_.cluster_name,
                                           asked ? tracked.requested : std::vector<std::string>{}),
                            now};
  }
  return out;
}

/// A change of the object's spec, of who keeps it, or its end. Its status changes all the time, mostly by us.
void RolloutRunner::note_object(const RolloutKey& key, Tracked& tracked, std::optional<RolloutObject> seen) {
  if (seen) seen->status.clear();
  if (tracked.object == seen) return;
  const bool is_news = tracked.object.has_value();
  tracked.object = std::move(seen);
  if (is_news && hooks_.object_changed) hooks_.object_changed(key);
}

/// What the Rollout object should say; nothing when it says so already.
std::optional<Json> RolloutRunner::view_of_refusal(const RolloutKey& key, const std::string& why) {
  if (!hooks_.publish) return std::nullopt;
  auto live = cluster_.observe(Rollout{.key = key}, clock_.now());
  // Without a look at it nothing is known about it; the next look comes.
  if (!live || !live->object || !live->object->ours || !live->object->driver.empty()) return std::nullopt;
  const Json before = status_of(*live->object);
  Json status = refused_status(before, why, clock_.now());
  return is_published(before, status) ? std::nullopt : std::optional(std::move(status));
}

/// The status is recorded; now it is ours, and its actions go out.
void RolloutRunner::take_over(Planned& planned) {
  Tracked& tracked = tracked_.at(planned.key);
  const Decision& decision = planned.decision;
  const bool transition = !decision.subject.empty();
  tracked.settled = decision.settled;
  tracked.frozen = decision.frozen;
  if (hooks_.publish) hooks_.publish(planned.key, std::move(planned.view));
  if (!decision.why.empty()) tracked.why = decision.why;
  if (transition) {
    // What was refused may not be asked for any more.
    tracked.parked = false;
    if (hooks_.happened)
      hooks_.happened(planned.key, decision.status, events_of(recorded_of(tracked.status), decision));
    tracked.status = std::make_shared<const Status>(decision.status);
    const Status& s = decision.status;
    log_info(decision.subject, {{"rollout", planned.key.text()},
                                {"phase", to_text(s.phase)},
                                {"step", s.step ? format("{}/{}", s.step->index, s.step->count) : "-"},
                                {"weight", weight_text(s.weight, s.whole)},
                                {"why", decision.why}});
    if (hooks_.transition) hooks_.transition(planned.key, decision);
  }
  const bool scales_workload = std::any_of(decision.actions.begin(), decision.actions.end(),
                                           [](auto& a) { return std::holds_alternative<ScaleWorkload>(a); });
  if (!decision.actions.empty() && !tracked.parked) {
    if (scales_workload) tracked.workload.reset();
    act(planned.key, tracked, decision.actions);
  } else if (transition) {
    due_.insert(planned.key);
  }
  if (decision.look_again) {
    // At least a moment ahead, so that a rounding of clocks cannot spin.
    Duration wait = std::max<Duration>(10ms, *decision.look_again - clock_.now());
    set_timer(planned.key, tracked, clock_.monotonic() + wait);
  }
  const Duration read_again = tracked.workload_read + kReadAgain;
  if (tracked.workload && (!tracked.timer || read_again < *tracked.timer)) set_timer(planned.key, tracked, read_again);
}

void RolloutRunner::act(const RolloutKey& key, Tracked& tracked, std::vector<Action> actions) {
  ++tracked.busy;
  ++busy_;
  workers_.run(Lane::Cluster, [this, key, actions = std::move(actions)]() -> Completion {
    Result<void> result;
    std::string what;
    size_t done = 0;
    for (const Action& action : actions) {
      what = describe(action);
      log_debug(what, {{"rollout", key.text()}});
      result = cluster_.carry_out(key, action);
      // The rest was planned on the success of this one.
      if (!result) break;
      ++done;
    }
    return [this, key, actions, done, result, what] {
      tell_done(key, actions, done, result);
      finish(key, result, what);
    };
  });
}

/// A conflict is no failure: it is observed again, and tried again.
void RolloutRunner::tell_done(const RolloutKey& key, const std::vector<Action>& actions, size_t done,
                              const Result<void>& result) {
  const SharedStatus status = tracked_.at(key).status;
  if (!hooks_.happened || !status) return;
  std::vector<RolloutEvent> events;
  for (size_t i = 0; i < done; ++i)
    if (auto event = event_of(actions[i], *status)) events.push_back(std::move(*event));
  if (!result && result.error().kind != ErrorKind::Conflict)
    if (auto event = failure_event_of(actions[done], result.error().message)) events.push_back(std::move(*event));
  if (!events.empty()) hooks_.happened(key, *status, events);
}

void RolloutRunner::finish(const RolloutKey& key, const Result<void>& result, const std::string& what) {
  Tracked& tracked = tracked_.at(key);
  --busy_;
  --tracked.busy;
  tracked.again = false;
  due_.insert(key);
  if (result) {
    tracked.backoff.succeed();
    tracked.conflict_backoff.succeed();
    return;
  }
  const int64_t tick = clock_.monotonic().count() + int64_t(std::hash<std::string>()(key.text()) % 1000);
  switch (result.error().kind) {
    case ErrorKind::Conflict:
      // Usually our own view lags a moment behind; observing again settles it.
      tracked.not_before = clock_.monotonic() + tracked.conflict_backoff.next(tick, 0.5);
      log_debug("conflict", {{"rollout", key.text()}, {"action", what}, {"error", result.error().message}});
      break;
    case ErrorKind::Transient:
      tracked.not_before = clock_.monotonic() + tracked.backoff.next(tick, 0.5);
      say(key, tracked, what + " failed: " + result.error().message);
      break;
    case ErrorKind::Invalid:
      tracked.parked = true;
      say(key, tracked, what + " was refused: " + result.error().message);
      break;
  }
}

/// Trouble is logged when it changes, not each time it is met.
void RolloutRunner::say(const RolloutKey& key, Tracked& tracked, const std::string& trouble) {
  if (trouble == tracked.trouble) return;
  tracked.trouble = trouble;
  unreported_.insert(key);
  if (!trouble.empty()) log_warn(trouble, {{"rollout", key.text()}});
}

CommitInfo RolloutRunner::look_up_commit(const RolloutKey& key, const std::string& head) const {
  const std::string path = desired_.path_of(rollout_object_key(key));
  if (path.empty()) return {.id = head};
  auto commits = git_.commits_touching(path, "", head, 1);
  return commits && !commits->empty() ? commits->front() : CommitInfo{.id = head};
}

const CommitInfo& RolloutRunner::deploy_commit(const RolloutKey& key, Tracked& tracked, const std::string& head) {
  if (!tracked.commit) tracked.commit = std::make_shared<const CommitInfo>(look_up_commit(key, head));
  return *tracked.commit;
}

RolloutRunner::Judged* RolloutRunner::judged_of(Tracked& tracked, About what) {
  if (what == About::Trailers) return &tracked.trailers;
  return tracked.decided ? &tracked.decided->judged : nullptr;
}

std::string RolloutRunner::trouble_of(const Tracked& tracked, const Decision& decision) {
  if (!decision.held.empty()) return "held: " + decision.held;
  if (tracked.parked) return tracked.trouble;
  const std::string why = tracked.decided ? tracked.decided->judged.trouble : "";
  return why.empty() ? "" : "its decision cannot be judged yet: " + why;
}

/// The verdict about a commit; null while it is being found out, which nothing waits for.
std::shared_ptr<const Verdict> RolloutRunner::judge(const RolloutKey& key, Tracked& tracked, About what,
                                                    const Judge::Question& question) {
  const std::string about = format("{} {} {} {}", question.commit.id, question.change, question.stable_hash,
                                   question.signature == Judge::Signature::Wanted);
  Judged& judged = *judged_of(tracked, what);
  if (judged.about != about) judged = {.about = about};
  if (judged.verdict) return judged.verdict;
  if (judged.is_asked) return nullptr;
  auto at_once = judge_.ask(question, [this, key, what, about](const Result<Verdict>& verdict) {
    auto found = tracked_.find(key);
    Judged* waiting = found == tracked_.end() ? nullptr : judged_of(found->second, what);
    if (!waiting || waiting->about != about) return;
    waiting->is_asked = false;
    waiting->trouble = verdict ? "" : verdict.error().message;
    if (verdict) {
      waiting->verdict = std::make_shared<const Verdict>(*verdict);
      due_.insert(key);
    } else {
      set_timer(key, found->second, clock_.monotonic() + kJudgeRetry);
    }
  });
  if (!at_once) {
    judged.trouble = at_once.error().message;
    set_timer(key, tracked, clock_.monotonic() + kJudgeRetry);
  } else if (*at_once) {
    judged.verdict = std::make_shared<const Verdict>(**at_once);
  } else {
    judged.is_asked = true;
  }
  return judged.verdict;
}

/// The decision file with what the policy says about it; nothing while that is not known.
std::optional<RolloutDecision> RolloutRunner::judged_decision(const RolloutKey& key, Tracked& tracked,
                                                              const Rollout& desired, const std::string& head) {
  if (!tracked.decided || !tracked.status || is_answered(*tracked.status, tracked.decided->file)) return std::nullopt;
  const Status& status = *tracked.status;
  RolloutDecision decision = tracked.decided->file;
  const auto verdict =
      judge(key, tracked, About::Decision,
            {.rollout = key,
             .verb = decision.verb,
             .commit = tracked.decided->commit,
             .signature = desired.freeze ? Judge::Signature::Wanted : Judge::Signature::WhereRulesAsk,
             .change = due_start(desired, status) ? deploy_commit(key, tracked, head).id : status.commit,
             .newest = deploy_commit(key, tracked, head).id,
             .manifest_path = desired_.path_of(rollout_object_key(key)),
             .stable_hash = status.stable ? status.stable->hash : ""});
  if (!verdict) return std::nullopt;
  decision.refusal = verdict->refusal;
  decision.signer = verdict->signer;
  return decision;
}

/// What the deploy commit asks for by trailers, and whether that counts. False while it is not known.
bool RolloutRunner::note_trailers(const RolloutKey& key, Tracked& tracked, Rollout& desired, const std::string& head) {
  const CommitInfo& commit = deploy_commit(key, tracked, head);
  auto trailers = deploy_trailers(commit.message);
  if (!trailers) return true;
  trailers->by = commit.author;
  const auto verdict = judge(key, tracked, About::Trailers,
                             {.rollout = key,
                              .verb = std::nullopt,
                              .commit = commit,
                              .manifest_path = desired_.path_of(rollout_object_key(key))});
  if (!verdict) return false;
  desired.trailers = judged(*std::move(trailers), desired, verdict->refusal);
  return true;
}

}  // namespace reconciler
