// What the loop knows that pruning must know: what Git names, who took something away, what stands in the way.
#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/route_kinds.h"
#include "rollout/removal.h"

namespace reconciler {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;
constexpr size_t kCommitsNamed = 20;
/// How far back a trailer is looked for.
constexpr size_t kCommitsMax = 20000;

ObjectKey service_key(const std::string& ns, const std::string& name) { return {"", "Service", ns, name}; }

}  // namespace

Pruner::Hooks Daemon::pruning() {
  return {.needed_for = [this](const InventoryEntry& entry) { return needed_for(entry); },
          .named = [this](const ObjectKey& key) { return desired_.needs(key); },
          .retire = [this](const std::vector<Retirement>& retired) { return rollouts_.retire(retired); },
          .removal = [this](const InventoryEntry& entry) { return removal(entry); },
          .begin = [this](const RolloutKey& key) { rollouts_.lock(key); },
          .end = [this](const RolloutKey& key) { rollouts_.unlock(key); },
          .lost = [this](const ObjectKey& key) { objects_.changed(key); }};
}

/// Is it this daemon that applies it?
bool Daemon::is_mine(const ObjectKey& key) const { return is_rollout(key) ? options_.shard.owns(key.ns) : owns(key); }

/// The inventory learns what the files say of it now; false when none names it.
bool Daemon::take_entry(const ObjectKey& key) {
  auto entry = desired_.entry(key);
  if (!entry) return false;
  Inventory& inventory = keeper_.inventory();
  // A Rollout that is refused does not say which Services it writes; those it wrote before it still does.
  if (auto before = inventory.find(key); before && entry->services.empty()) entry->services = before->services;
  if (is_mine(key)) inventory.name(*entry);
  pruner_.named(key);
  return true;
}

/// Keeps the inventory in step with what the files just read name.
void Daemon::take_inventory(const DesiredState::Touched& touched, const std::string& from, const std::string& to) {
  if (!begun_) return last_path_.clear();
  for (const ObjectKey& key : touched.objects)
    if (!take_entry(key)) pruner_.missing(key, {});
  for (const ObjectKey& key : touched.made)
    if (!take_entry(key)) pruner_.missing(key, {});
  for (const RolloutKey& key : touched.rollouts)
    if (!take_entry(rollout_object_key(key))) pruner_.missing(rollout_object_key(key), retirement(key, from, to));
  last_path_.clear();
  pruner_.look_again();
  if (!pruner_.has_stale()) return;
  auto commits = git_.commits_touching("", from, to, kCommitsMax);
  if (commits) release_pruned(*commits, to, [](const ObjectKey&) { return true; });
}

/// Who took a Rollout away.
Retirement Daemon::retirement(const RolloutKey& key, const std::string& from, const std::string& to) const {
  Retirement out{.key = key, .commit = to};
  auto path = last_path_.find(key);
  if (from.empty() || path == last_path_.end()) return out;
  auto commits = git_.commits_touching(path->second, from, to, kCommitsNamed);
  if (!commits || commits->empty()) return out;
  out.commit = commits->front().id;
  for (const CommitInfo& commit : *commits) out.requested.push_back(request_line(commit));
  return out;
}

/// On gaining the lease: everything that Git names, and what the inventory holds and Git names no more. A commit may
/// have released that before; it counts when it is not older than the last time the inventory was stored.
void Daemon::begin_inventory() {
  pruner_.forget();
  for (const ObjectKey& key : desired_.objects()) take_entry(key);
  for (const ObjectKey& key : desired_.made()) take_entry(key);
  for (const RolloutKey& key : desired_.rollouts()) take_entry(rollout_object_key(key));
  std::map<std::string, std::set<ObjectKey>> by_commit;
  for (const ObjectKey& key : keeper_.inventory().keys()) {
    if (desired_.needs(key)) continue;
    pruner_.missing(key, {.key = {key.ns, key.name}, .commit = manifest_commit_});
    by_commit[keeper_.commit_of(key)].insert(key);
  }
  for (const auto& [commit, keys] : by_commit) {
    if (commit.empty()) continue;
    auto commits = git_.commits_touching("", commit, head_, kCommitsMax);
    auto base = git_.commits_touching("", "", commit, 1);
    if (!commits || !base) continue;  // of another history: nothing is released by it
    commits->insert(commits->end(), base->begin(), base->end());
    release_pruned(*commits, head_, [&](const ObjectKey& key) { return keys.contains(key); });
  }
}

/// A Rollout that was removed, and the commit that said so was lost with the clone: the inventory no longer knows it,
/// its status still stands in Git. False while that is not known, or cannot be recorded.
bool Daemon::finish_removals() {
  // A file that cannot be read may name it.
  if (!desired_.problems().empty()) return true;
  std::vector<Retirement> gone;
  for (const RolloutKey& key : rollouts_.recorded()) {
    const InventoryEntry entry{.key = rollout_object_key(key)};
    if (desired_.names(entry.key) || keeper_.inventory().contains(entry.key)) continue;
    const auto left = removal(entry);
    if (!left) return false;
    if (left->empty())
      gone.push_back({.key = key, .commit = manifest_commit_});
    else
      log_warn(
          "its manifest is gone and the inventory does not know it, but pods are left: delete its ReplicaSets, or "
          "put the manifest back",
          {{"rollout", key.text()}});
  }
  return gone.empty() || rollouts_.retire(gone);
}

/// `commits` are newest first. The newest that allows to prune releases what was gone by then and did not come back
/// since, even if it is gone again.
void Daemon::release_pruned(const std::vector<CommitInfo>& commits, const std::string& to,
                            const std::function<bool(const ObjectKey&)>& concerned) {
  auto allowing = std::find_if(commits.begin(), commits.end(), [](auto& c) { return allows_prune(c.message); });
  if (allowing == commits.end()) return;
  std::vector<std::string> steps = {to};
  for (auto commit = commits.begin(); commit <= allowing; ++commit) steps.push_back(commit->id);
  // What a file that cannot be read names is not known, so nothing is known to be gone.
  auto named_since = desired_.problems().empty() ? named_between(steps) : std::nullopt;
  if (!named_since) {
    log_warn("prune is not released, a file cannot be read there or since: mend it, then commit the trailer again",
             {{"commit", allowing->id}});
    return;
  }
  pruner_.release([&](const ObjectKey& key) {
    // People did not take it away: whoever has it made does not say so just now, or did not.
    const bool unclear =
        is_made_by_routers(key) && (desired_.refused_in(key.ns) || named_since->refused_in.contains(key.ns));
    return concerned(key) && !named_since->objects.contains(key) && !unclear;
  });
}

/// What was named in the oldest of `commits`, newest first, or after it, and changed or went until the newest. Nothing
/// when that is not known: a file cannot be read.
std::optional<Daemon::Named> Daemon::named_between(const std::vector<std::string>& commits) const {
  Named out;
  for (size_t i = 1; i < commits.size(); ++i) {
    auto changes = git_.changes(commits[i], commits[i - 1], options_.path);
    if (!changes) return std::nullopt;
    for (const TreeChange& change : *changes) {
      if (!change.before || is_own_file(change.path) || !is_manifest_path(change.path)) continue;
      auto text = git_.read(change.before->blob, kFileBytesMax);
      if (!text) return std::nullopt;
      const ManifestFile file = read_manifests(change.path, *text, options_.default_namespace);
      if (!file.problems.empty()) return std::nullopt;
      for (const PlainObject& object : file.objects) out.objects.insert(object.key);
      for (const RolloutAt& rollout : file.rollout_lines) out.objects.insert(rollout_object_key(rollout.key));
      for (const Rollout& rollout : file.rollouts)
        for (const ObjectKey& made : DesiredState::made_for(rollout)) out.objects.insert(made);
      for (const RefusedRollout& refused : file.refused) out.refused_in.insert(refused.key.ns);
    }
  }
  return out;
}

/// Nothing is deleted unless everything is known and done: one thing that cannot be read may name what seems gone.
std::string Daemon::prune_obstacle() const {
  if (!trouble_.empty()) return "git: " + trouble_;
  if (!sync_.poll_trouble().empty()) return "git: " + sync_.poll_trouble();
  if (!desired_.problems().empty())
    return "a file cannot be read: " + desired_.problems().begin()->second.front().text();
  if (!objects_.caught_up() || keeper_.inventory().has_additions()) return "objects are being applied";
  const auto failures = objects_.report().failed;
  if (!failures.empty())
    return format("{} cannot be applied: {}", failures.begin()->first.text(), failures.begin()->second);
  return "";
}

std::optional<Observed> Daemon::remains(const InventoryEntry& entry) const {
  Rollout gone{.key = {entry.key.ns, entry.key.name}};
  if (!entry.services.empty()) gone.stable_service = entry.services.front();
  if (entry.services.size() > 1) gone.canary_service = entry.services[1];
  auto live = cluster_.observe(gone, clock_.now());
  return live ? std::optional(*std::move(live)) : std::nullopt;
}

std::string Daemon::needed_for(const InventoryEntry& entry) const {
  if (!is_rollout(entry.key)) {
    const auto refused = is_made_by_routers(entry.key) ? desired_.refused_in(entry.key.ns) : std::nullopt;
    return refused ? format("Rollout {} is refused and may route through it; mend that first", refused->text()) : "";
  }
  auto live = remains(entry);
  if (!live) return "what is left of it cannot be observed; it is looked at again";
  std::set<std::string> in_git;
  for (const std::string& service : entry.services)
    if (!desired_.paths_of(service_key(entry.key.ns, service)).empty()) in_git.insert(service);
  const std::string service = serving_through(*live, in_git);
  if (service.empty()) return "";
  return format("Service {}/{} stays in Git and leads to its pods; {}", entry.key.ns, service, kReleaseAdvice);
}

std::optional<std::vector<Action>> Daemon::removal(const InventoryEntry& entry) {
  if (rollouts_.is_busy({entry.key.ns, entry.key.name})) return std::nullopt;
  auto live = remains(entry);
  if (!live) return std::nullopt;
  std::set<std::string> staying;
  for (const std::string& service : entry.services) {
    const ObjectKey key = service_key(entry.key.ns, service);
    const bool goes = desired_.paths_of(key).empty() && keeper_.inventory().contains(key);
    if (!goes && desired_.users_of(key).empty()) staying.insert(service);
  }
  return removal_actions(*live, staying);
}

}  // namespace reconciler
