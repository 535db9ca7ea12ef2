#include "daemon/daemon.h"

#include <algorithm>
#include <iterator>

#include "base/format.h"
#include "base/log.h"
#include "base/parallel.h"
#include "daemon/shared_objects.h"
#include "manifest/policy_file.h"
#include "manifest/status_file.h"
#include "manifest/workload_ref.h"

namespace reconciler {
namespace {

constexpr size_t kManifestBytesMax = 1 << 20;
constexpr size_t kFilesAtOnce = 128;
constexpr size_t kDecisionBytesMax = 64 << 10;
constexpr size_t kRequestsNamed = 20;
/// How many changes of a file are searched for one that was valid.
constexpr size_t kLastGoodAmong = 10;
/// A search may walk all of history, so a start does not make more of them.
constexpr size_t kSearchesMax = 20;
constexpr Duration kClusterRetry = 200ms;
constexpr const char* kAutoscalerVersion = "autoscaling/v2";

bool lies_under(const std::string& path, const std::string& directory) {
  return directory.empty() || (path.size() > directory.size() && path.compare(0, directory.size(), directory) == 0 &&
                               path[directory.size()] == '/');
}

}  // namespace

std::string request_line(const CommitInfo& commit) {
  return format("{} {} ({})", commit.id.substr(0, 7), commit.message.substr(0, commit.message.find('\n')),
                commit.author);
}

bool Report::in_sync() const {
  return rollouts.counts().in_trouble == 0 && rollouts.counts().unknown == 0 && git_trouble.empty() &&
         cluster_trouble.empty() && objects.in_sync() && problems.empty() && prune.held.empty() &&
         prune.failed.empty() && unpushed == 0;
}

Daemon::Daemon(DaemonOptions options, GitRepository& git, Cluster& cluster, InventoryStore& inventory, Clock& clock,
               Workers& workers, Leadership& leadership)
    : options_(std::move(options)),
      git_(git),
      cluster_(cluster),
      clock_(clock),
      leadership_(leadership),
      events_(cluster, clock, workers),
      publisher_(cluster, clock, workers, [this](const RolloutKey& key) { rollouts_.touch(key); }),
      judge_(options_, git, workers),
      rollouts_(
          options_, desired_, judge_, git, cluster, clock, workers,
          {.recorded = [this](bool urgent) { sync_.push_soon(urgent); },
           .transition =
               [this](const RolloutKey& key, const Decision& decision) {
                 if (on_transition) on_transition(key, decision);
               },
           .happened =
               [this](const RolloutKey& key, const Status& status, const std::vector<RolloutEvent>& events) {
                 if (options_.events == EventsAre::Written)
                   events_.record({key, status.run ? "Experiment" : "Rollout", rollouts_.object_uid(key)}, events);
                 if (on_events) on_events(key, status, events);
               },
           .looked =
               [this](Look look, Duration took) {
                 if (on_look) on_look(look, took);
               },
           .publish = options_.rollout_objects == RolloutObjects::LeftOut
                          ? std::function<void(const RolloutKey&, std::optional<Json>)>()
                          : [this](const RolloutKey& key,
                                   std::optional<Json> status) { publisher_.publish(key, std::move(status)); },
           .object_changed = [this](const RolloutKey& key) { see_changed_object(key); }}),
      keeper_(inventory, cluster, clock, workers, options_.default_namespace),
      pruner_(options_.owner, keeper_.inventory(), cluster, clock, workers, pruning()),
      objects_(
          options_, desired_, cluster, clock, workers,
          {.prepare = [this](const ObjectKey& key, const Json& manifest) { return prepare(key, manifest); },
           .is_plain = [this](const ObjectKey& key) { return is_plain(key); },
           .begin =
               [this](const ObjectKey& key) {
                 for (const RolloutKey& user : locked_[key] = desired_.users_of(key)) rollouts_.lock(user);
               },
           .end =
               [this](const ObjectKey& key) {
                 for (const RolloutKey& user : locked_[key]) rollouts_.unlock(user);
                 locked_.erase(key);
               },
           .applied = [this](const ObjectKey& key, const std::string& uid) { keeper_.inventory().set_uid(key, uid); }}),
      sync_(git, clock, workers, options_.interval, [this](const std::string& commit) { on_head(commit); }) {}

Duration Daemon::step() {
  const Leadership::Standing now = leadership_.standing();
  if (begun_ && (!now.leads || now.term != term_)) step_down();
  sync_.run_due();
  // The remote is asked once before anything else; when it does not answer, the clone is good enough.
  if (!sync_.polled()) return sync_.next_due();
  // Manifests are read while the cluster is listed.
  if (!following_ && !follow()) return sync_.next_due();
  follow_kinds();
  if (!is_cluster_ready()) return std::min(sync_.next_due(), clock_.monotonic() + kClusterRetry);
  take_cluster_changes();
  if (!begun_ && !take_over(now)) {
    const bool loads = now.leads && !keeper_.loaded();
    return loads ? std::min(sync_.next_due(), keeper_.next_due()) : sync_.next_due();
  }
  keeper_.store_additions(manifest_commit_);
  // Remember, then act: nothing is applied before the inventory holds it.
  if (!keeper_.inventory().has_additions()) objects_.run_due();
  release_waiting();
  rollouts_.run_due(manifest_commit_);
  publisher_.run_due();
  pruner_.run_due(prune_obstacle());
  if (objects_.caught_up() && pruner_.idle()) keeper_.store_all(manifest_commit_);
  sync_.run_due();
  // A part that waits for another one is not due: the completion of what it waits for wakes the loop.
  Duration due = std::min({sync_.next_due(), rollouts_.next_due(), publisher_.next_due(), pruner_.next_due()});
  const bool names_first = keeper_.inventory().has_additions();
  if (!names_first) due = std::min(due, objects_.next_due());
  if (names_first || (objects_.caught_up() && pruner_.idle())) due = std::min(due, keeper_.next_due());
  return due;
}

bool Daemon::is_cluster_ready() {
  auto ready = cluster_.ready();
  const std::string trouble = ready ? "" : ready.error().message;
  if (trouble != cluster_trouble_ && !trouble.empty()) log_info("waiting for the cluster", {{"why", trouble}});
  cluster_trouble_ = trouble;
  return bool(ready);
}

/// What manifests name is held in the cache before anything is compared with it.
void Daemon::follow_kinds() {
  std::set<FollowedKind> kinds = desired_.kinds();
  // Autoscalers of others count too; they are few, and only workloads with replicas care.
  if (std::any_of(kinds.begin(), kinds.end(), [](auto& kind) { return kind.api_version == "apps/v1"; }))
    kinds.insert({.api_version = kAutoscalerVersion, .kind = "HorizontalPodAutoscaler", .which = Follow::All});
  // A Rollout that names one no more takes its hash off it, even if nothing names one any more since we last looked.
  kinds.insert({.api_version = "networking.istio.io/", .kind = "DestinationRule", .which = Follow::All});
  if (kinds == followed_) return;
  cluster_.follow(kinds);
  followed_ = std::move(kinds);
}

/// Once, when Git can be read: what it asks for. From then on it is kept up to date, leading or not.
bool Daemon::follow() {
  auto head = git_.head();
  return following_ = head && take_manifests("", *head);
}

/// Everything that whoever decides must know, once it is this daemon.
bool Daemon::take_over(const Leadership::Standing& now) {
  if (!now.leads) return false;
  if (term_ != now.term) {
    term_ = now.term;
    won_at_ = clock_.monotonic();
    keeper_.reload();
    if (now.inherited) sync_.poll_afresh();
    sync_.run_due();
  }
  keeper_.load();
  // What another daemon recorded is in the repository; without a look at it this one would go on from what was.
  if (now.inherited && !sync_.fetched_since(won_at_)) return false;
  // What was begun in an earlier term ends first: it may not be taken for the work of this one.
  if (!rollouts_.is_still() || !objects_.is_still() || !pruner_.is_still() || sync_.push_is_under_way()) return false;
  if (!keeper_.loaded() || !read_status()) return false;
  begin_inventory();
  for (const ObjectKey& key : desired_.objects())
    if (owns(key)) objects_.changed(key);
  for (const RolloutKey& key : desired_.rollouts()) {
    if (!options_.shard.owns(key.ns)) continue;
    rollouts_.hold_back(key);
    waiting_for_objects_.insert(key);
  }
  leadership_.accept(now.term);
  if (!finish_removals()) return false;
  begun_ = true;
  sync_.resume_pushes();
  if (git_.unpushed() > 0) sync_.push_soon(true);
  return true;
}

bool Daemon::read_status() {
  auto dropped = git_.drop_outdated();
  if (!dropped) log_warn("git: cannot compare unpushed commits", {{"error", dropped.error().message}});
  if (dropped)
    for (const std::string& path : *dropped)
      log_warn("git: dropped unpushed status commits, another daemon went on from there", {{"path", path}});
  auto recorded = git_.recorded(options_.status_directory + "/" + options_.cluster_name);
  if (!recorded) {
    trouble_ = recorded.error().message;
    log_error("cannot read the recorded status", {{"error", trouble_}});
    return false;
  }
  for (const auto& [path, text] : *recorded)
    if (auto key = key_of_record_path(options_.status_directory, options_.cluster_name, path))
      if (options_.shard.owns(key->ns)) rollouts_.load_status(*key, path, text);
  return true;
}

/// Losing the lease is becoming a follower: what runs goes on without us.
void Daemon::step_down() {
  log_warn("this daemon no longer leads", {{"leader", leadership_.standing().leader}});
  begun_ = false;
  rollouts_.forget_status();
  sync_.pause_pushes();
}

void Daemon::on_head(const std::string& commit) {
  if (!following_ || commit == head_) return;
  log_debug("head moved", {{"commit", commit}});
  const std::string before = head_;
  take_manifests(before, commit);
}

bool Daemon::is_own_file(const std::string& path) const {
  return lies_under(path, options_.status_directory) || lies_under(path, options_.decisions_directory);
}

/// An object that rollouts of another namespace route through goes with them: who writes its weights applies it too.
bool Daemon::owns(const ObjectKey& key) const {
  if (options_.shard.is_all()) return true;
  const std::set<RolloutKey> users = desired_.users_of(key);
  if (users.empty()) return options_.shard.owns(key);
  const auto ours = std::count_if(users.begin(), users.end(), [&](auto& user) { return options_.shard.owns(user.ns); });
  if (ours == 0 || size_t(ours) == users.size()) return ours > 0;
  log_warn("held " + key.text() + ": rollouts of several shards route through it; give each shard one of its own");
  return false;
}

/// Takes over what differs between two commits. An error keeps the old commit in force.
bool Daemon::take_manifests(const std::string& from, const std::string& to) {
  auto changes = git_.changes(from, to, options_.path);
  Result<std::vector<TreeChange>> decisions = changes;
  if (!options_.path.empty() && changes) decisions = git_.changes(from, to, "");
  if (!changes || !decisions) {
    trouble_ = (changes ? decisions : changes).error().message;
    log_warn("git: commit is not taken over", {{"commit", to}, {"error", trouble_}});
    return false;
  }
  trouble_.clear();
  DesiredState::Touched touched;
  for (size_t first = 0; first < changes->size(); first += kFilesAtOnce) {
    std::span some(changes->begin() + ptrdiff_t(first), std::min(kFilesAtOnce, changes->size() - first));
    std::vector<ManifestFile> files = read_files(some);
    for (size_t i = 0; i < some.size(); ++i) take_file(some[i], std::move(files[i]), from, to, touched);
  }
  head_ = to;
  const bool ours_only = std::all_of(changes->begin(), changes->end(), [&](auto& c) { return is_own_file(c.path); });
  if (manifest_commit_.empty() || !ours_only) manifest_commit_ = to;
  take_inventory(touched, from, to);
  note_requests(touched, from, to);
  for (const ObjectKey& key : touched.objects) {
    if (may_scale(key)) note_autoscaler(Autoscalers::Source::Git, key, desired_.object(key));
    if (!desired_.names(key))
      objects_.removed(key);
    else if (owns(key))
      objects_.changed(key);
    for (const RolloutKey& user : desired_.users_of(key)) {
      if (!options_.shard.owns(user.ns)) continue;
      rollouts_.hold_back(user);
      waiting_for_objects_.insert(user);
    }
  }
  take_policy(*decisions, to);
  take_decisions(*decisions, to);
  return true;
}

bool Daemon::is_manifest(const TreeChange& change) const {
  return !is_own_file(change.path) && is_manifest_path(change.path);
}

/// What these files say now; nothing of those that are no manifests, or gone. Texts are fetched one by one, as Git is
/// read by one thread; making sense of them is most of a cold start, and is shared out.
std::vector<ManifestFile> Daemon::read_files(std::span<const TreeChange> changes) const {
  std::vector<ManifestFile> files(changes.size());
  std::vector<std::pair<size_t, std::string>> texts;
  for (size_t i = 0; i < changes.size(); ++i) {
    const TreeChange& change = changes[i];
    if (!is_manifest(change) || !change.after || change.after->kind != EntryKind::File) continue;
    auto text = git_.read(change.after->blob, kManifestBytesMax);
    if (text)
      texts.emplace_back(i, *std::move(text));
    else
      files[i].problems.push_back({.file = change.path, .message = text.error().message});
  }
  parallel_for(texts.size(), [&](size_t n) {
    const auto& [i, text] = texts[n];
    files[i] = read_manifests(changes[i].path, text, options_.default_namespace);
  });
  return files;
}

/// The newest content of a Rollout that was valid, among the last few changes of its file.
std::optional<Rollout> Daemon::last_good_of(const RolloutKey& key, const std::string& path,
                                            const std::string& to) const {
  auto commits = git_.commits_touching(path, "", to, kLastGoodAmong);
  if (!commits) return std::nullopt;
  for (const CommitInfo& commit : *commits) {
    auto text = git_.file(commit.id, path, kManifestBytesMax);
    if (!text || !*text) continue;
    ManifestFile file = read_manifests(path, **text, options_.default_namespace);
    for (Rollout& rollout : file.rollouts)
      if (rollout.key == key) return std::move(rollout);
  }
  return std::nullopt;
}

void Daemon::take_file(const TreeChange& change, ManifestFile file, const std::string& from, const std::string& to,
                       DesiredState::Touched& touched) {
  const std::string& path = change.path;
  if (!is_manifest(change)) return;
  auto take = [&](const DesiredState::Touched& by_this) {
    if (!from.empty())
      for (const RolloutKey& key : by_this.rollouts) last_path_[key] = path;
    touched.add(by_this);
  };
  if (!change.after) return take(desired_.remove(path));
  if (change.after->kind != EntryKind::File) {
    log_warn("skipped, it is no regular file", {{"path", path}});
    return take(desired_.remove(path));
  }
  for (const Problem& warning : file.warnings) log_warn(warning.text());
  for (const Problem& problem : file.problems)
    log_warn(from.empty() ? "file is left out: " + problem.text()
                          : "file keeps its last good content: " + problem.text());
  for (const RefusedRollout& refused : file.refused)
    for (const Problem& problem : refused.problems) log_warn("refused: " + problem.text());
  if (options_.rollout_objects == RolloutObjects::Published)
    std::move(file.published.begin(), file.published.end(), std::back_inserter(file.objects));
  // Until now the file said what was good; a new process asks history.
  std::vector<Rollout> kept;
  if (from.empty())
    for (const RefusedRollout& refused : file.refused)
      if (searches_++ < kSearchesMax)
        if (auto last_good = last_good_of(refused.key, path, to)) kept.push_back(*std::move(last_good));
  take(desired_.put(path, std::move(file), std::move(kept)));
}

/// Who asked: the commits that touched each rollout's file since the last commit in force.
void Daemon::note_requests(const DesiredState::Touched& touched, const std::string& from, const std::string& to) {
  for (const RolloutKey& key : touched.rollouts) {
    if (!options_.shard.owns(key.ns)) continue;
    std::vector<std::string> requested;
    std::optional<CommitInfo> newest;
    const std::string path = desired_.path_of(rollout_object_key(key));
    if (!from.empty() && !path.empty()) {
      auto commits = git_.commits_touching(path, from, to, kRequestsNamed);
      if (commits && !commits->empty()) newest = commits->front();
      if (commits)
        for (const CommitInfo& commit : *commits) requested.push_back(request_line(commit));
    }
    rollouts_.manifest_changed(key, std::move(newest), std::move(requested));
    waiting_for_objects_.insert(key);
  }
}

void Daemon::take_policy(const std::vector<TreeChange>& changes, const std::string& to) {
  const std::string path = policy_path(options_.decisions_directory);
  if (std::none_of(changes.begin(), changes.end(), [&](const TreeChange& change) { return change.path == path; }))
    return;
  judge_.take_policy(to);
  rollouts_.policy_changed();
}

void Daemon::take_decisions(const std::vector<TreeChange>& changes, const std::string& to) {
  for (const TreeChange& change : changes) {
    if (!lies_under(change.path, options_.decisions_directory)) continue;
    auto key = key_of_record_path(options_.decisions_directory, options_.cluster_name, change.path);
    if (!key || !options_.shard.owns(key->ns)) continue;
    if (!change.after || change.after->kind != EntryKind::File) {
      rollouts_.decision_changed(*key, std::nullopt);
      continue;
    }
    auto text = git_.read(change.after->blob, kDecisionBytesMax);
    auto decision = text ? read_decision(change.path, *text) : Result<RolloutDecision>(text.error());
    auto commits = git_.commits_touching(change.path, "", to, 1);
    if (!decision || !commits || commits->empty()) {
      log_warn("decision ignored",
               {{"rollout", key->text()}, {"why", decision ? "its commit cannot be found" : decision.error().message}});
      continue;
    }
    decision->author = commits->front().author;
    decision->commit = commits->front().id;
    rollouts_.decision_changed(*key, *decision, commits->front());
  }
}

void Daemon::take_cluster_changes() {
  for (const ClusterChange& change : cluster_.take_changes()) {
    if (change.rollout) rollouts_.touch(*change.rollout);
    for (const RolloutKey& user : desired_.users_of(change.key)) rollouts_.touch(user);
    if (owns(change.key)) objects_.live_changed(change);
    pruner_.live_changed(change.key);
    if (is_autoscaler(change.key)) note_live_autoscaler(change);
  }
}

/// Who scales a workload decides about its replicas, so the workload is compared anew when that changes.
void Daemon::note_autoscaler(Autoscalers::Source source, const ObjectKey& key, const std::optional<Json>& object) {
  for (const ObjectKey& workload : autoscalers_.set(source, key, object ? scale_target(*object) : std::nullopt))
    if (desired_.names(workload) && owns(workload)) objects_.look_again(workload);
}

/// Every autoscaler is followed in this version, so it comes from the cache.
void Daemon::note_live_autoscaler(const ClusterChange& change) {
  const ObjectKey& key = change.key;
  if (!change.seen) return note_autoscaler(Autoscalers::Source::Cluster, key, std::nullopt);
  auto live = cluster_.read({{"apiVersion", kAutoscalerVersion},
                             {"kind", key.kind},
                             {"metadata", {{"namespace", key.ns}, {"name", key.name}}}},
                            ReadMode::Known);
  if (live) note_autoscaler(Autoscalers::Source::Cluster, key, *live);
}

/// Plain objects first, then the rollouts that came with them. Nothing is written that the inventory does not hold yet.
void Daemon::release_waiting() {
  if (!objects_.caught_up() || keeper_.inventory().has_additions()) return;
  for (const RolloutKey& key : std::exchange(waiting_for_objects_, {})) rollouts_.release(key);
}

/// Weights, selectors and subsets that a rollout owns are filled in as they are live. The replicas of a workload are
/// not, and a published Rollout may be another controller's.
bool Daemon::is_plain(const ObjectKey& key) const {
  const std::set<RolloutKey> users = desired_.users_of(key);
  return !is_rollout(key) && !pruner_.is_removing(key) && std::none_of(users.begin(), users.end(), [&](auto& user) {
    const Rollout* rollout = desired_.rollout(user);
    return rollout && rollout->workload_ref && workload_key(*rollout) == key;
  });
}

/// An object that a rollout writes too waits while that rollout acts, then gets the values the rollout owns.
std::optional<PreparedObject> Daemon::prepare(const ObjectKey& key, const Json& manifest) {
  if (pruner_.is_removing(key)) return std::nullopt;
  if (is_rollout(key)) return prepare_view(key, manifest);
  PreparedObject out{.manifest = manifest, .keeps_traffic = may_carry_traffic(key)};
  if (autoscalers_.scales(key)) out.scaled = {{"spec", "replicas"}};
  for (const RolloutKey& user : desired_.users_of(key)) {
    if (rollouts_.is_busy(user)) return std::nullopt;
    const Rollout* rollout = desired_.rollout(user);
    if (!rollout) continue;
    auto live = cluster_.observe(*rollout, clock_.now());
    if (!live) return std::nullopt;
    out.manifest = filled_in(out.manifest, *rollout, *live, rollouts_.status(user));
    out.keeps_traffic = false;
  }
  return out;
}

/// A Rollout as it is published: as it stands in Git, but for a count that an autoscaler has set.
std::optional<PreparedObject> Daemon::prepare_view(const ObjectKey& key, const Json& manifest) {
  PreparedObject out{.manifest = manifest};
  const Rollout* rollout = desired_.rollout({key.ns, key.name});
  if (!rollout) return out;
  auto live = cluster_.observe(*rollout, clock_.now());
  if (!live) return std::nullopt;
  if (!live->object) return out;
  if (live->object->scaled) out.manifest["spec"].erase("replicas");
  if (!live->object->driver.empty()) out.left_alone = true;
  return out;
}

/// What somebody did to a published object is undone; what another controller stopped keeping becomes ours.
void Daemon::see_changed_object(const RolloutKey& key) {
  const ObjectKey object = rollout_object_key(key);
  if (options_.rollout_objects == RolloutObjects::Published && desired_.object(object) && owns(object))
    objects_.look_again(object);
}

bool Daemon::at_rest() {
  if (begun_ && keeper_.refused()) return true;
  if (!begun_ || !objects_.settled() || !waiting_for_objects_.empty() || !rollouts_.idle() || !events_.idle() ||
      !publisher_.idle())
    return false;
  if (!pruner_.idle() || (!keeper_.idle() && keeper_.trouble().empty())) return false;
  if (git_.unpushed() > 0 && !sync_.push_refused()) return false;
  return rollouts_.reports().counts().at_work == 0;
}

Report Daemon::report() {
  Report out{.head = head_,
             .git_trouble = trouble_.empty() ? sync_.trouble() : trouble_,
             .cluster_trouble = cluster_trouble_.empty() ? keeper_.trouble() : cluster_trouble_,
             .leadership = leadership_.standing(),
             .unpushed = git_.unpushed(),
             .rollouts = rollouts_.reports()};
  // What a follower knows of objects is the leader's business.
  if (begun_) out.objects = objects_.report();
  if (begun_) out.prune = pruner_.report();
  for (const auto& [path, problems] : desired_.problems())
    out.problems.insert(out.problems.end(), problems.begin(), problems.end());
  out.problems.insert(out.problems.end(), judge_.problems().begin(), judge_.problems().end());
  return out;
}

}  // namespace reconciler
