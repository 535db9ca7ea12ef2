#include "daemon/rollout_runner.h"

#include <algorithm>

#include "base/check.h"
#include "base/format.h"
#include "base/log.h"
#include "manifest/status_file.h"
#include "manifest/workload_ref.h"
#include "rollout/diff.h"
#include "rollout/known_hash.h"
#include "rollout/published_status.h"
#include "rollout/resolved.h"

namespace reconciler {
RolloutRunner::RolloutRunner(const DaemonOptions& options, const DesiredState& desired, Judge& judge,
                             GitRepository& git, Cluster& cluster, Clock& clock, Workers& workers, Hooks hooks)
    : options_(options),
      desired_(desired),
      judge_(judge),
      git_(git),
      cluster_(cluster),
      clock_(clock),
      workers_(workers),
      hooks_(std::move(hooks)) {}

std::string RolloutRunner::status_path(const RolloutKey& key) const {
  return record_path(options_.status_directory, options_.cluster_name, key);
}

void RolloutRunner::load_status(const RolloutKey& key, const std::string& path, const std::string& text) {
  Tracked& tracked = tracked_[key];
  unreported_.insert(key);
  auto status = read_status(path, text);
  if (status) {
    tracked.status = std::make_shared<const Status>(*std::move(status));
  } else {
    tracked.unreadable = status.error().message;
  }
}

void RolloutRunner::forget_status() {
  for (auto& [key, tracked] : tracked_) {
    unreported_.insert(key);
    tracked.status.reset();
    tracked.unreadable.clear();
    tracked.why.clear();
    tracked.trouble.clear();
    tracked.parked = tracked.settled = false;
    tracked.not_before = 0ms;
    tracked.backoff.succeed();
    tracked.conflict_backoff.succeed();
  }
}

void RolloutRunner::manifest_changed(const RolloutKey& key, std::optional<CommitInfo> commit,
                                     std::vector<std::string> requested) {
  Tracked& tracked = tracked_[key];
  tracked.commit = commit ? std::make_shared<const CommitInfo>(*std::move(commit)) : nullptr;
  tracked.requested = std::move(requested);
  tracked.held_back = true;
  unreported_.insert(key);
}

void RolloutRunner::hold_back(const RolloutKey& key) { tracked_[key].held_back = true; }

void RolloutRunner::release(const RolloutKey& key) {
  auto tracked = tracked_.find(key);
  if (tracked == tracked_.end()) return;  // its removal came to its end meanwhile
  tracked->second.held_back = false;
  touch(key);
}

void RolloutRunner::decision_changed(const RolloutKey& key, std::optional<RolloutDecision> decision,
                                     CommitInfo commit) {
  Tracked& tracked = tracked_[key];
  tracked.decided.reset();
  if (decision) tracked.decided = std::make_unique<Decided>(Decided{*std::move(decision), std::move(commit), {}});
  touch(key);
}

void RolloutRunner::policy_changed() {
  for (const auto& [key, tracked] : tracked_)
    if (tracked.frozen) due_.insert(key);
}

Result<void> RolloutRunner::retire(const std::vector<Retirement>& retired) {
  std::vector<StatusWrite> writes;
  for (const Retirement& each : retired)
    writes.push_back({status_path(each.key), std::nullopt,
                      removal_message(each.key, each.commit, options_.cluster_name, each.requested), clock_.now()});
  auto recorded = git_.record(writes);
  if (!recorded) return recorded.error();
  hooks_.recorded(true);
  for (const Retirement& each : retired) {
    auto tracked = tracked_.find(each.key);
    if (tracked == tracked_.end()) continue;
    const std::string why = "its manifest is gone from Git";
    log_info("removed", {{"rollout", each.key.text()}, {"why", why}});
    if (hooks_.transition && tracked->second.status)
      hooks_.transition(each.key, {.status = *tracked->second.status, .subject = "removed", .why = why});
    forget(each.key);
  }
  return {};
}

/// A decision stays in Git, so it stays here.
void RolloutRunner::forget(const RolloutKey& key) {
  Tracked& tracked = tracked_.at(key);
  CHECK(tracked.busy == 0);
  set_timer(key, tracked, std::nullopt);
  due_.erase(key);
  unreported_.insert(key);
  if (hooks_.publish) hooks_.publish(key, std::nullopt);
  Tracked fresh;
  fresh.decided = std::move(tracked.decided);
  if (fresh.decided) {
    tracked = std::move(fresh);
  } else {
    tracked_.erase(key);
  }
}

void RolloutRunner::touch(const RolloutKey& key) {
  auto tracked = tracked_.find(key);
  if (tracked == tracked_.end()) return;
  tracked->second.parked = false;
  due_.insert(key);
}

void RolloutRunner::lock(const RolloutKey& key) {
  ++tracked_[key].busy;
  ++busy_;
}

void RolloutRunner::unlock(const RolloutKey& key) {
  Tracked& tracked = tracked_.at(key);
  --busy_;
  if (--tracked.busy > 0) return;
  if (std::exchange(tracked.again, false)) due_.insert(key);
}

bool RolloutRunner::is_busy(const RolloutKey& key) const {
  auto tracked = tracked_.find(key);
  return tracked != tracked_.end() && tracked->second.busy > 0;
}

bool RolloutRunner::idle() const { return busy_ == 0 && due_.empty() && judge_.idle(); }

std::vector<RolloutKey> RolloutRunner::recorded() const {
  std::vector<RolloutKey> out;
  for (const auto& [key, tracked] : tracked_)
    if (tracked.status) out.push_back(key);
  return out;
}

std::optional<Status> RolloutRunner::status(const RolloutKey& key) const {
  auto tracked = tracked_.find(key);
  return tracked == tracked_.end() || !tracked->second.status ? std::nullopt : std::optional(*tracked->second.status);
}

RolloutReport RolloutRunner::report(const RolloutKey& key, const Tracked& t) const {
  return {.key = key,
          .status = t.status,
          .why = t.why,
          .trouble = t.trouble,
          .live = t.live,
          .settled = t.settled,
          .frozen = t.frozen};
}

std::string RolloutRunner::object_uid(const RolloutKey& key) const {
  auto tracked = tracked_.find(key);
  return tracked == tracked_.end() || !tracked->second.object ? "" : tracked->second.object->uid;
}

const RolloutReports& RolloutRunner::reports() {
  for (const RolloutKey& key : std::exchange(unreported_, {})) {
    auto tracked = tracked_.find(key);
    if (tracked == tracked_.end() || desired_.paths_of(rollout_object_key(key)).empty())
      reports_.erase(key);
    else
      reports_.put(report(key, tracked->second));
  }
  return reports_;
}

}  // namespace reconciler
