#include "daemon/pruner.h"

#include "base/check.h"
#include "base/format.h"
#include "base/log.h"
#include "objects/order.h"

namespace reconciler {
namespace {

constexpr int kDeletionsMax = 8;
constexpr Duration kBusyWait = 200ms;

Json reference_to(const InventoryEntry& entry) {
  Json out = {
      {"apiVersion", api_version_of(entry)}, {"kind", entry.key.kind}, {"metadata", {{"name", entry.key.name}}}};
  if (!entry.key.ns.empty()) out["metadata"]["namespace"] = entry.key.ns;
  return out;
}

}  // namespace

Pruner::Pruner(std::string owner, Inventory& inventory, Cluster& cluster, Clock& clock, Workers& workers, Hooks hooks)
    : owner_(std::move(owner)),
      inventory_(inventory),
      cluster_(cluster),
      clock_(clock),
      workers_(workers),
      hooks_(std::move(hooks)) {}

Pruner::Place Pruner::place_of(const ObjectKey& key) { return {-apply_rank(key), key}; }

void Pruner::missing(const ObjectKey& key, Retirement by) {
  if (!inventory_.contains(key)) return;
  Item& item = stale_[key];
  if (std::exchange(item.named_again, false)) item.released = item.approved = false;
  item.by = std::move(by);
  replan_ = true;
}

void Pruner::named(const ObjectKey& key) {
  auto item = stale_.find(key);
  if (item == stale_.end()) return;
  if (item->second.again) retries_.erase({*item->second.again, key});
  todo_.erase(place_of(key));
  replan_ = true;
  if (item->second.in_flight) {
    item->second.named_again = true;
  } else {
    stale_.erase(item);
  }
}

void Pruner::release(const std::function<bool(const ObjectKey&)>& concerned) {
  for (auto& [key, item] : stale_)
    if (concerned(key)) item.released = true;
  replan_ = true;
}

void Pruner::live_changed(const ObjectKey& key) {
  if (stale_.empty()) return;
  auto item = stale_.find(key);
  const bool concerns_it = item != stale_.end() && !item->second.held.empty();
  if (concerns_it || (key.group.empty() && key.kind == "Service")) replan_ = true;
}

void Pruner::forget() {
  CHECK(is_still());
  stale_.clear();
  todo_.clear();
  retries_.clear();
  said_.clear();
}

bool Pruner::is_removing(const ObjectKey& key) const {
  auto item = stale_.find(key);
  return item != stale_.end() && item->second.in_flight;
}

void Pruner::run_due(const std::string& obstacle) {
  waiting_ = stale_.empty() ? "" : obstacle;
  if (stale_.empty() || !obstacle.empty()) return;
  if (std::exchange(replan_, false)) replan();
  const Duration now = clock_.monotonic();
  while (!retries_.empty() && retries_.begin()->first <= now) {
    const ObjectKey key = retries_.begin()->second;
    retries_.erase(retries_.begin());
    stale_.at(key).again.reset();
    todo_.insert(place_of(key));
  }
  start();
}

/// What may go now, given everything that Git names no more.
void Pruner::replan() {
  std::vector<Stale> stale;
  std::vector<ObjectKey> elsewhere;
  for (const auto& [key, item] : stale_) {
    auto entry = inventory_.find(key);
    CHECK(entry);
    if (auto alias = inventory_.alias_of(*entry); alias && hooks_.named(*alias)) {
      elsewhere.push_back(key);
      continue;
    }
    // What a Rollout is needed for may have come back meanwhile.
    const bool sure = item.released || (item.approved && !is_rollout(key));
    stale.push_back({.entry = *entry, .released = sure, .needed_for = sure ? "" : hooks_.needed_for(*entry)});
  }
  // The same object under another group goes on.
  for (const ObjectKey& key : elsewhere)
    if (!stale_.at(key).in_flight) done(key, "kept");
  const PrunePlan plan = plan_prune(stale, inventory_.size());
  for (const InventoryEntry& entry : plan.unmanaged) {
    if (stale_.at(entry.key).in_flight) continue;
    log_info(format("{} stays, pruning it is disabled", entry.key.text()));
    done(entry.key, "kept");
  }
  for (const auto& [key, why] : plan.held) hold(key, why);
  say_held(plan);
  for (const InventoryEntry& entry : plan.go) {
    Item& item = stale_.at(entry.key);
    if (std::exchange(item.approved, true)) continue;
    // Only the live object tells whether a dangerous one may go.
    if (!is_dangerous(entry.key) || item.released) item.held.clear();
    todo_.insert(place_of(entry.key));
  }
}

void Pruner::hold(const ObjectKey& key, const std::string& why) {
  Item& item = stale_.at(key);
  item.held = why;
  item.approved = false;
  todo_.erase(place_of(key));
  if (item.again) retries_.erase({*item.again, key});
  item.again.reset();
}

/// A reason is said once, with the first object that it holds.
void Pruner::say_held(const PrunePlan& plan) {
  std::map<std::string, std::pair<size_t, ObjectKey>> reasons;
  for (const auto& [key, why] : plan.held) {
    auto [reason, added] = reasons.try_emplace(why, 0, key);
    ++reason->second.first;
  }
  for (const auto& [why, held] : reasons)
    if (said_.insert(why).second)
      log_warn("prune is held", {{"objects", held.first}, {"first", held.second.text()}, {"why", why}});
  std::erase_if(said_, [&](const std::string& why) { return !reasons.contains(why); });
}

void Pruner::start() {
  std::vector<ObjectKey> gone;
  while (!todo_.empty() && in_flight_ < kDeletionsMax) {
    const auto [place, key] = *todo_.begin();
    // What was applied last goes first, and the next rank only when it is through.
    if (in_flight_ > 0 && place != rank_in_flight_) break;
    todo_.erase(todo_.begin());
    rank_in_flight_ = place;
    Item& item = stale_.at(key);
    if (!is_rollout(key)) {
      start_deletion(key, item);
    } else if (start_removal(key, item) == Left::Nothing) {
      // One that was published is an object of the cluster too.
      if (inventory_.find(key)->uid.empty()) {
        gone.push_back(key);
      } else {
        start_deletion(key, item);
      }
    }
  }
  if (!gone.empty()) retire(gone);
}

/// Only when nothing of a rollout is left does its end stand in Git: until then its status tells what to do if it comes
/// back. One sync serves all of them.
void Pruner::retire(const std::vector<ObjectKey>& gone) {
  std::vector<Retirement> retired;
  for (const ObjectKey& key : gone) retired.push_back(stale_.at(key).by);
  auto recorded = hooks_.retire(retired);
  for (const ObjectKey& key : gone) {
    if (recorded) {
      done(key, "deleted");
    } else {
      fail(key, stale_.at(key), "its removal cannot be recorded: " + recorded.error().message);
    }
  }
}

void Pruner::start_deletion(const ObjectKey& key, Item& item) {
  item.in_flight = true;
  ++in_flight_;
  auto entry = inventory_.find(key);
  CHECK(entry);
  workers_.run(Lane::Cluster, [this, stale = Stale{*entry, item.released, ""}]() -> Completion {
    auto live = cluster_.read(reference_to(stale.entry), ReadMode::Fresh);
    LiveVerdict verdict;
    Result<void> deleted;
    if (!live) deleted = live.error();
    if (live) verdict = judge_live(stale, *live, owner_);
    if (live && verdict.fate == LiveFate::Delete) deleted = cluster_.remove(**live);
    return [this, key = stale.entry.key, verdict, deleted] { finish(key, verdict, deleted); };
  });
}

void Pruner::finish(const ObjectKey& key, const LiveVerdict& verdict, const Result<void>& deleted) {
  --in_flight_;
  Item& item = stale_.at(key);
  item.in_flight = false;
  if (item.named_again) {
    stale_.erase(key);
    if (deleted && verdict.fate != LiveFate::Hold) hooks_.lost(key);
    return;
  }
  if (!deleted) return fail(key, item, deleted.error().message);
  if (is_rollout(key)) {
    inventory_.set_uid(key, "");
    todo_.insert(place_of(key));
    return;
  }
  switch (verdict.fate) {
    case LiveFate::Delete: log_info("pruned " + key.text()); return done(key, "deleted");
    case LiveFate::Gone: return done(key, "gone");
    case LiveFate::Leave: log_warn(format("{} is left alone: {}", key.text(), verdict.why)); return done(key, "kept");
    case LiveFate::Hold:
      item.approved = false;
      if (std::exchange(item.held, verdict.why) != verdict.why)
        log_warn("prune is held", {{"objects", 1}, {"first", key.text()}, {"why", verdict.why}});
      return;
  }
  unreachable();
}

Pruner::Left Pruner::start_removal(const ObjectKey& key, Item& item) {
  auto entry = inventory_.find(key);
  CHECK(entry);
  auto actions = hooks_.removal(*entry);
  if (actions && actions->empty()) return Left::Nothing;
  if (!actions) {
    retry(key, item, kBusyWait);
    return Left::Something;
  }
  item.in_flight = true;
  ++in_flight_;
  const RolloutKey rollout{key.ns, key.name};
  hooks_.begin(rollout);
  workers_.run(Lane::Cluster, [this, key, rollout, actions = std::move(*actions)]() -> Completion {
    Result<void> done;
    for (const Action& action : actions) {
      log_debug(describe(action), {{"rollout", rollout.text()}});
      done = cluster_.carry_out(rollout, action);
      if (!done) break;
    }
    return [this, key, done] { finish_removal(key, done); };
  });
  return Left::Something;
}

/// When all went well another look must find nothing left.
void Pruner::finish_removal(const ObjectKey& key, const Result<void>& done) {
  --in_flight_;
  hooks_.end({key.ns, key.name});
  Item& item = stale_.at(key);
  item.in_flight = false;
  if (item.named_again) {
    stale_.erase(key);
  } else if (item.approved && !done) {
    fail(key, item, done.error().message);
  } else if (item.approved) {
    todo_.insert(place_of(key));
  }
}

void Pruner::done(const ObjectKey& key, const std::string& result) {
  ++total_[{key.kind, result}];
  inventory_.erase(key);
  todo_.erase(place_of(key));
  auto item = stale_.find(key);
  if (item->second.again) retries_.erase({*item->second.again, key});
  stale_.erase(item);
}

/// Kept in the inventory and tried again; said when the reason changes.
void Pruner::fail(const ObjectKey& key, Item& item, const std::string& why) {
  ++total_[{key.kind, "failed"}];
  const int64_t tick = clock_.monotonic().count() + int64_t(std::hash<std::string>()(key.name) % 1000);
  retry(key, item, item.backoff.next(tick, 0.5));
  if (std::exchange(item.trouble, why) == why) return;
  log_warn("cannot prune " + key.text(), {{"error", why}});
}

void Pruner::retry(const ObjectKey& key, Item& item, Duration wait) {
  item.again = clock_.monotonic() + wait;
  retries_.insert({*item.again, key});
}

Duration Pruner::next_due() const {
  if (stale_.empty() || !waiting_.empty()) return Duration::max();
  if (replan_ || (!todo_.empty() && in_flight_ == 0)) return clock_.monotonic();
  return retries_.empty() ? Duration::max() : retries_.begin()->first;
}

PruneReport Pruner::report() const {
  PruneReport out{.waiting = waiting_, .total = total_};
  for (const auto& [key, item] : stale_) {
    if (!item.held.empty()) out.held[key] = item.held;
    if (!item.trouble.empty()) out.failed[key] = item.trouble;
  }
  return out;
}

}  // namespace reconciler
