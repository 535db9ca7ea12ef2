#include "sim/watchman.h"

#include <algorithm>

#include "base/format.h"
#include "daemon/desired_state.h"
#include "manifest/status_file.h"
#include "rollout/replica_counts.h"
#include "rollout/routing.h"
#include "rollout/target.h"
#include "sim/route_view.h"
#include "sim/sim_lease.h"

namespace reconciler {
namespace {

/// How long the program may not know yet what happened: watches lag, jobs under way were planned before.
constexpr Duration kMayNotKnow = 30s;

std::string subject_of(const SimCommit& commit) { return commit.message.substr(0, commit.message.find('\n')); }

bool is_broken(const std::string& image) { return image.find("broken") != image.npos; }

}  // namespace

Watchman::Watchman(Stage& stage, const People& people) : stage_(stage), people_(people), expected_(stage.seats()) {
  subscription_ = stage_.world.subscribe([this](const StoreEvent& event) { on_event(event); });
  stage_.on_record = [this](const SimCommit& commit) { recorded(commit); };
  stage_.on_dropped = [this](const SimCommit& commit) { dropped(commit); };
  stage_.on_pushed = [this] { pushed(); };
  stage_.on_read_status = [this](const auto& files) { status_read(files); };
}

Watchman::~Watchman() { stage_.world.unsubscribe(subscription_); }

void Watchman::alarm(std::string what) { alarms_.push_back(std::move(what)); }

void Watchman::disturbed(const RolloutKey& rollout) {
  known_[rollout].disturbed = stage_.clock.passed();
  known_[rollout].disturbed_in_run = true;
}

bool Watchman::is_disturbed(const Known& known) const {
  return known.disturbed && stage_.clock.passed() - *known.disturbed <= kMayNotKnow;
}

std::optional<Status> Watchman::status(const RolloutKey& rollout) const {
  auto known = known_.find(rollout);
  return known == known_.end() ? std::nullopt : known->second.status;
}

void Watchman::passed(const std::string& head) {
  if (head.empty()) return;
  const bool moved = heads_.empty() || heads_.back().second != head;
  if (moved || std::exchange(deleted_, false)) note_what_may_go(head);
  if (!moved) return;
  heads_.emplace_back(stage_.clock.passed(), head);
  // Whoever asks for another template may ask for the rejected one again later.
  for (const auto& [key, wanted] : people_.wanted_at(head))
    std::erase_if(known_[key].rejected, [&](const std::string& hash) { return hash != wanted->hash; });
  while (heads_.size() > 1 && heads_[1].first + kMayNotKnow < stage_.clock.passed()) heads_.erase(heads_.begin());
}

std::vector<const Rollout*> Watchman::wanted_lately(const RolloutKey& rollout) const {
  std::vector<const Rollout*> out;
  for (const auto& [since, head] : heads_) {
    const Wanted& wanted = people_.wanted_at(head);
    if (auto found = wanted.find(rollout); found != wanted.end()) out.push_back(found->second.get());
  }
  return out;
}

/// The fewest that any of these manifests asks for.
int Watchman::replicas_wanted(const RolloutKey& rollout) const {
  if (is_gone(rollout)) return 0;
  std::optional<int> fewest;
  for (const Rollout* wanted : wanted_lately(rollout))
    fewest = std::min(fewest.value_or(wanted->replicas), wanted->replicas);
  return fewest.value_or(0);
}

/// How many available pods a revision must have for a share of the traffic, by the most lenient of these manifests.
int Watchman::pods_needed(const RolloutKey& rollout, int share, bool is_stable) const {
  std::optional<int> fewest;
  for (const Rollout* wanted : wanted_lately(rollout)) {
    int needed = share_of(wanted->replicas, share);
    const bool sized_apart = std::any_of(wanted->steps.begin(), wanted->steps.end(),
                                         [](auto& step) { return std::holds_alternative<SetCanaryScale>(step); });
    if (!is_stable && (sized_apart || wanted->replica_progress_threshold)) needed = std::min(needed, 1);
    if (!is_stable && wanted->replica_progress_threshold) needed = 0;
    // Traffic returns to stable as soon as anybody is there; where stable was shrunk, as fast as its pods come up.
    if (is_stable) needed = wanted->dynamic_stable_scale ? wanted->replicas * share / 100 : std::min(needed, 1);
    fewest = std::min(fewest.value_or(needed), needed);
  }
  return fewest.value_or(0);
}

// ---- writes to the world ------------------------------------------------------------------------------------------

void Watchman::on_event(const StoreEvent& event) {
  if (stage_.writer.is_serin && event.kind == StoreEvent::Kind::Deleted) check_deletion(event);
  const bool is_route = is_route_kind(event.type->kind), is_service = event.type->kind == "Service";
  const bool is_set = event.type->kind == "ReplicaSet";
  if (!stage_.writer.is_serin) return;
  check_lease(event.type->kind + " " + text_at(*event.object, {"metadata", "name"}));
  if (!is_route && !is_service && !is_set) return;
  std::string name = text_at(*event.object, {"metadata", "name"});
  if (is_service && name.ends_with("-canary")) name.resize(name.size() - std::string("-canary").size());
  const RolloutKey key =
      is_route ? app_of_route(*event.object) : RolloutKey{text_at(*event.object, {"metadata", "namespace"}), name};
  if (is_set) {
    if (!stage_.writer.rollout) return alarm("a ReplicaSet was applied as if it were a plain object");
    return check_replica_set(*stage_.writer.rollout, event);
  }
  if (event.kind == StoreEvent::Kind::Deleted) return;
  const RolloutView after = view_of(stage_.world, key);
  if (after.weight_sum != 100) alarm(format("{}: the weights sum to {}", key.text(), after.weight_sum));
  if (event.kind == StoreEvent::Kind::Added) return;
  if (is_blue_green(key)) return check_switch(key, view_of(stage_.world, key, event.previous.get()), after);
  if (!after.complete) return;
  check_traffic(key, view_of(stage_.world, key, event.previous.get()), after);
}

/// Nobody writes without the lease, whatever it thinks: a candidate may decide as soon as the record names it.
void Watchman::check_lease(const std::string& what) {
  if (!stage_.elects()) return;
  const std::string holder = SimLease::holder_in(stage_.world), writer = Stage::identity(stage_.acting());
  if (holder != writer)
    alarm(format("{} writes {} while {} holds the lease", writer, what, holder.empty() ? "nobody" : holder));
}

// ---- what goes -----------------------------------------------------------------------------------------------------

/// Of a kind that Git names: it must be ours, and Git must have stopped naming it.
void Watchman::check_deletion(const StoreEvent& event) {
  const std::string& kind = event.type->kind;
  if (kind == "ReplicaSet" || kind == "Pod") return;
  deleted_ = true;
  const ObjectKey key = key_of(*event.object);
  if (text_at(*event.object, {"metadata", "labels", kOwnerLabel}) != "serin")
    alarm(key.text() + " was not ours to delete");
  const std::string rollout = text_at(*event.object, {"metadata", "labels", kRolloutLabel});
  if (!rollout.empty() && !is_gone({key.ns, rollout})) alarm(key.text() + " was deleted: its rollout needs it");
  // Git does not name what a rollout has made; that may go when the rollout may.
  const ObjectKey judged = rollout.empty() ? key : rollout_object_key({key.ns, rollout});
  if (std::string why = not_deletable(judged); !why.empty()) alarm(format("{} was deleted: {}", key.text(), why));
}

/// Why it must stay, as the program could know in the last while; empty when it may go.
std::string Watchman::not_deletable(const ObjectKey& key) const {
  bool gone = false, certain = false, released = may_go_.contains(key);
  std::vector<std::string> heads = {stage_.daemon().head()};
  for (const auto& [since, head] : heads_) heads.push_back(head);
  for (const std::string& head : heads) {
    const Named& named = people_.named_at(head);
    if (named.objects.contains(key)) continue;
    gone = true;
    certain = certain || !named.unreadable;
    released = released || named.released.contains(key);
  }
  if (!gone) return "Git names it";
  if (!certain) return "a file cannot be read";
  return released ? "" : "too much would go at once, and nobody released it";
}

/// Is there a commit that the program may be acting on, and that does not name the rollout?
bool Watchman::is_gone(const RolloutKey& rollout) const {
  const ObjectKey key = rollout_object_key(rollout);
  if (!people_.named_at(stage_.daemon().head()).objects.contains(key)) return true;
  return std::any_of(heads_.begin(), heads_.end(),
                     [&](const auto& head) { return !people_.named_at(head.second).objects.contains(key); });
}

std::set<ObjectKey> Watchman::leftovers(const Named& named) const {
  std::set<ObjectKey> out;
  auto add = [&](const ObjectKey& key) {
    if (!named.objects.contains(key)) out.insert(key);
  };
  // What a router made belongs to its rollout, and is gone when that is.
  auto add_of_rollout = [&](const Json& object, const ObjectKey& rollout) {
    if (text_at(object, {"kind"}) == "ReplicaSet") return add(rollout);
    if (!named.objects.contains(rollout)) out.insert(key_of(object));
  };
  std::vector<RouteKind> kinds = route_kinds_known();
  kinds.insert(kinds.end(), {{"v1", "Service"}, {"apps/v1", "ReplicaSet"}});
  for (const auto& [api_version, kind] : kinds)
    for (const Object& object : stage_.world.store().list(*stage_.world.catalogue().by_kind(api_version, kind), "")) {
      if (text_at(*object, {"metadata", "labels", kOwnerLabel}) != "serin") continue;
      const std::string rollout = text_at(*object, {"metadata", "labels", kRolloutLabel});
      if (rollout.empty())
        add(key_of(*object));
      else
        add_of_rollout(*object, rollout_object_key({text_at(*object, {"metadata", "namespace"}), rollout}));
    }
  for (const auto& [key, known] : known_)
    if (known.status) add(rollout_object_key(key));
  return out;
}

/// Few enough may go without a word, but never everything.
void Watchman::note_what_may_go(const std::string& head) {
  const Named& named = people_.named_at(head);
  std::erase_if(may_go_, [&](const ObjectKey& key) { return named.objects.contains(key); });
  const std::set<ObjectKey> left = leftovers(named);
  size_t made = 0;
  for (const auto& [key, wanted] : people_.wanted_at(head))
    for (const RouteObject& object : route_objects(*wanted)) made += object.use == RouteUse::Made;
  const size_t few = std::max<size_t>(5, (left.size() + named.objects.size() + made) * 3 / 10);
  if (left.size() <= few && !named.objects.empty()) may_go_.insert(left.begin(), left.end());
}

/// A ReplicaSet went because its rollout is gone. Unless people released it, nothing that Git names may lead to it.
void Watchman::check_removal(const RolloutKey& rollout, const std::string& hash, const std::string& name) {
  disturbed(rollout);
  const ObjectKey key = rollout_object_key(rollout);
  if (std::string why = not_deletable(key); !why.empty()) return alarm(format("{} was deleted: {}", name, why));
  const Named& named = people_.named_at(stage_.daemon().head());
  if (named.objects.contains(key) || named.released.contains(key)) return;
  const RolloutView view = view_of(stage_.world, rollout);
  for (const auto& [service, selects] :
       {std::pair(rollout.name, view.stable_selects), {rollout.name + "-canary", view.canary_selects}})
    if (named.objects.contains({"", "Service", rollout.ns, service}) && (selects.empty() || selects == hash))
      alarm(format("{} was deleted while Service {} leads to it", name, service));
}

// ---- who gets traffic, and who has the pods for it ------------------------------------------------------------------

/// Who gains traffic must be allowed to, and must have pods for it.
void Watchman::check_traffic(const RolloutKey& rollout, const RolloutView& before, const RolloutView& after) {
  check_extra_route(rollout, before, after);
  Known& known = known_[rollout];
  const auto old_traffic = before.traffic(), new_traffic = after.traffic();
  for (const auto& [hash, share] : new_traffic) {
    auto old = old_traffic.find(hash);
    if (hash.empty() || share <= (old == old_traffic.end() ? 0 : old->second)) continue;
    const std::string what = format("{}: {} gets {}% of the traffic", rollout.text(), hash, share);
    if (!known.status) {
      alarm(what + ", but nothing is recorded");
      continue;
    }
    const Status& status = *known.status;
    const bool is_stable = status.stable ? status.stable->hash == hash : status.canary && status.canary->hash == hash;
    const bool is_canary = status.canary && status.canary->hash == hash && status.returning.empty();
    const int allowed = is_stable ? 100 : is_canary ? status.weight : 0;
    if (share > allowed) alarm(format("{}, recorded are {}%", what, allowed));
    if (known.rejected.contains(hash)) alarm(what + " although it is rejected");
    if (is_disturbed(known)) continue;
    const int needed = pods_needed(rollout, share, is_stable);
    if (after.available(hash) < needed)
      alarm(format("{} with {} of {} pods available", what, after.available(hash), needed));
  }
}

/// A header or mirror route leads to the canary, and to pods.
void Watchman::check_extra_route(const RolloutKey& rollout, const RolloutView& before, const RolloutView& after) {
  const std::string& hash = after.extra_route_leads_to;
  const Known& known = known_[rollout];
  if (hash.empty() || hash == before.extra_route_leads_to || !known.status || is_disturbed(known)) return;
  const std::string what = format("{}: a header or mirror route leads to {}", rollout.text(), hash);
  // Once the canary is on its way out these routes may still be there when its Service leads back to stable.
  if (known.status->stable && known.status->stable->hash == hash) return;
  if (!known.status->canary || known.status->canary->hash != hash) alarm(what + ", which is not the canary");
  if (known.rejected.contains(hash)) alarm(what + " although it is rejected");
  if (after.available(hash) == 0) alarm(what + " without pods");
}

/// Pods that answer requests may not go, and only what is ours may be deleted.
void Watchman::check_replica_set(const RolloutKey& rollout, const StoreEvent& event) {
  const std::string name = text_at(*event.object, {"metadata", "name"});
  if (event.kind == StoreEvent::Kind::Added) {
    const RolloutView view = view_of(stage_.world, rollout);
    const int pods = int(integer_at(*event.object, {"spec", "replicas"}).value_or(1));
    if (!view.routed) check_limits(rollout, view, name, 0, pods);
    return;
  }
  const std::string hash = text_at(*event.object, {"metadata", "labels", kHashLabel});
  const Json& before = *event.previous;
  const bool owned = text_at(before, {"metadata", "labels", kOwnerLabel}) == "serin" &&
                     text_at(before, {"metadata", "labels", kRolloutLabel}) == rollout.name;
  const bool deleted = event.kind == StoreEvent::Kind::Deleted;
  const int from = int(integer_at(before, {"spec", "replicas"}).value_or(1));
  const int to = deleted ? 0 : int(integer_at(*event.object, {"spec", "replicas"}).value_or(1));
  if (!deleted && to >= from) {
    const RolloutView view = view_of(stage_.world, rollout);
    if (!view.routed) check_limits(rollout, view, name, from, to);
    return;
  }
  if (!owned) alarm(format("{} is not ours, and was scaled down or deleted", name));
  if (deleted && from > 0 && is_gone(rollout)) return check_removal(rollout, hash, name);
  if (deleted && from > 0 && !is_disturbed(known_[rollout]))
    alarm(format("{} was deleted with {} pods asked for", name, from));
  const RolloutView view = view_of(stage_.world, rollout);
  if (is_blue_green(rollout)) return check_kept(rollout, view, hash, from, to);
  if (!view.routed) return check_limits(rollout, view, name, from, to);
  const auto traffic = view.traffic();
  auto share = traffic.find(hash);
  const auto& status = known_[rollout].status;
  const bool is_canary = status && status->canary && status->canary->hash == hash;
  int needed = share == traffic.end() ? 0 : share_of(replicas_wanted(rollout), share->second);
  if (is_canary && needed > 0) needed = std::min(needed, pods_needed(rollout, share->second, false));
  if (to < needed && !is_disturbed(known_[rollout]))
    alarm(format("{} goes from {} to {} pods while it holds {}% of the traffic", name, from, to, share->second));
}

bool Watchman::is_blue_green(const RolloutKey& rollout) const {
  const auto wanted = wanted_lately(rollout);
  return std::any_of(wanted.begin(), wanted.end(), [](const Rollout* r) { return r->blue_green.has_value(); });
}

/// Blue-green: all traffic goes with the active Service, to a version that may have it and has the pods for it.
void Watchman::check_switch(const RolloutKey& rollout, const RolloutView& before, const RolloutView& after) {
  if (before.stable_selects == after.stable_selects || after.stable_selects.empty()) return;
  Known& known = known_[rollout];
  const std::string& to = after.stable_selects;
  const std::string what = format("{}: the active Service is switched to {}", rollout.text(), to);
  if (known.rejected.contains(to)) alarm(what + " although it is rejected");
  if (!known.status) return alarm(what + " before anything is recorded");
  const auto& main = known.status->stable ? known.status->stable : known.status->canary;
  if (!main || main->hash != to) alarm(what + ", which is not the stable version");
  if (is_disturbed(known)) return;
  // On the way back to what is stable anybody is better than nobody.
  const bool back = !known.status->returning.empty() || !known.rejected.empty() || known.status->canary;
  const int needed =
      std::min({replicas_wanted(rollout), std::max(1, after.available(before.stable_selects)), back ? 1 : INT32_MAX});
  if (after.available(to) < needed) alarm(format("{} with {} of {} pods available", what, after.available(to), needed));
}

/// Blue-green: who has the traffic keeps the pods, and no Service leads to a version without any.
void Watchman::check_kept(const RolloutKey& rollout, const RolloutView& now, const std::string& hash, int from,
                          int to) {
  if (is_disturbed(known_[rollout])) return;
  const int needed = std::min(from, replicas_wanted(rollout));
  if (now.stable_selects == hash && to < needed)
    alarm(format("{}: {} has the traffic and goes from {} to {} pods", rollout.text(), hash, from, to));
  if (now.canary_selects == hash && to == 0 && from > 0 && replicas_wanted(rollout) > 0)
    alarm(format("{}: {} loses its pods while the preview Service shows it", rollout.text(), hash));
}

/// Without routing the pods are the traffic: no more of them, and no fewer available ones, than the limits allow.
void Watchman::check_limits(const RolloutKey& rollout, const RolloutView& now, const std::string& name, int from,
                            int to) {
  if (is_disturbed(known_[rollout])) return;
  int most = 0, least = INT32_MAX, asked = 0, there = 0, there_before = 0;
  for (const Rollout* wanted : wanted_lately(rollout)) {
    if (wanted->is_routed() || wanted->blue_green) return;
    const Fenceposts limits = fenceposts(wanted->replicas, wanted->max_surge, wanted->max_unavailable);
    most = std::max(most, limits.most);
    least = std::min(least, limits.least);
  }
  for (const auto& [hash, revision] : now.revisions) {
    asked += revision.replicas;
    there += std::min(revision.available, revision.replicas);
    there_before += std::min(revision.available, revision.name == name ? from : revision.replicas);
  }
  if (to > from && asked > most) alarm(format("{} goes to {} pods: {} in all, at most {}", name, to, asked, most));
  if (there < least && there < there_before)
    alarm(format("{} goes from {} to {} pods: {} are left, at least {}", name, from, to, there, least));
}

// ---- what is recorded ---------------------------------------------------------------------------------------------

/// Reading YAML is what a run spends most of its time with, and each text comes many times.
std::optional<Status> Watchman::parsed(const std::string& path, const std::string& text) {
  auto [place, is_new] = parsed_.try_emplace(text);
  if (is_new)
    if (auto status = read_status(path, text)) place->second = *status;
  return place->second;
}

/// A starting process must find what was recorded, unless the disk was lost, or somebody else wrote to a status file.
void Watchman::status_read(const std::vector<std::pair<std::string, std::string>>& files) {
  std::map<RolloutKey, Status> read;
  for (const auto& [path, text] : files) {
    auto key = key_of_record_path("status", "default", path);
    auto status = parsed(path, text);
    if (key && status) read[*key] = *status;
  }
  const bool took_over = decides_ && *decides_ != stage_.acting();
  if (took_over) check_takeover(files);
  decides_ = stage_.acting();
  const bool may_differ = std::exchange(may_forget_, false) || took_over || people_.touched_status();
  for (auto& [key, known] : known_) {
    auto found = read.find(key);
    const auto now = found == read.end() ? std::nullopt : std::optional(found->second);
    if (now == known.status) continue;
    if (!may_differ) alarm(key.text() + ": what was recorded is forgotten");
    known.status = now;
    known.subjects.clear();
    known.disturbed_in_run = true;
    keep_rejections(key, known);
  }
  for (auto& [key, status] : read) known_[key].status = status;
}

/// What another seat recorded and pushed must be known before anything is decided.
void Watchman::check_takeover(const std::vector<std::pair<std::string, std::string>>& files) {
  if (!expected_[stage_.acting()].empty() || people_.touched_status()) return;
  const SimTree& tree = *stage_.remote.commits.find(stage_.remote.branches.at("main"))->tree;
  for (const auto& [path, text] : files) {
    auto blob = tree.find(path);
    if (blob == tree.end() || stage_.remote.commits.blob(blob->second) != text)
      alarm(format("{} takes over without what was pushed about {}", Stage::identity(stage_.acting()), path));
  }
}

/// A rejection outlives its loss on the disk once it was pushed or the route is marked with it.
void Watchman::keep_rejections(const RolloutKey& key, Known& known) {
  std::set<std::string> kept;
  const std::string mark = view_of(stage_.world, key).mark;
  for (const std::string& hash : known.rejected)
    if (hash == mark || (known.status && is_rejected(*known.status, hash))) kept.insert(hash);
  known.rejected = std::move(kept);
}

void Watchman::recorded(const SimCommit& commit) {
  ++transitions_;
  check_lease(subject_of(commit));
  expected_[stage_.acting()].push_back(commit.serial);
  const SimCommit* parent = stage_.remote.commits.find(commit.parent);
  for (const auto& [path, blob] : *parent->tree)
    if (auto key = key_of_record_path("status", "default", path); key && !commit.tree->contains(path))
      check_retired(*key, known_[*key], subject_of(commit));
  for (const auto& [path, blob] : *commit.tree) {
    auto old = parent->tree->find(path);
    if (old != parent->tree->end() && old->second == blob) continue;
    auto key = key_of_record_path("status", "default", path);
    if (!key) {
      alarm(format("a status commit writes {}", path));
      continue;
    }
    auto status = parsed(path, stage_.remote.commits.blob(blob));
    if (!status) {
      alarm(format("a recorded status cannot be read: {}", path));
      continue;
    }
    Known& known = known_[*key];
    check_transition(*key, known, *status, subject_of(commit));
    known.status = *status;
  }
}

void Watchman::check_retired(const RolloutKey& rollout, Known& known, const std::string& subject) {
  passed(stage_.daemon().head());  // with nothing left of it, it retires in the pass that took its manifest away
  if (std::string why = not_deletable(rollout_object_key(rollout)); !why.empty())
    alarm(format("{}, but {}", subject, why));
  for (const auto& [hash, revision] : view_of(stage_.world, rollout).revisions)
    if (revision.owned) alarm(format("{}, but {} is left", subject, revision.name));
  known = Known{};
  known.disturbed_in_run = true;
}

void Watchman::check_transition(const RolloutKey& rollout, Known& known, const Status& next,
                                const std::string& subject) {
  const Status before = known.status.value_or(Status{});
  const bool begins = subject.find(": deploying ") != subject.npos || subject.find(": adopting ") != subject.npos;
  if (begins) {
    known.subjects.clear();
    known.disturbed_in_run = is_disturbed(known);
  }
  const bool by_hand = subject.find(": paused ") != subject.npos || subject.find(": resumed ") != subject.npos ||
                       subject.find(": refused") != subject.npos || subject.find(": accepted") != subject.npos ||
                       subject.find(": retrying") != subject.npos;
  if (!known.subjects.insert(subject).second && !by_hand && !known.disturbed_in_run)
    alarm(format("twice in one run: {}", subject));
  // A person who steers, or pods that were lost, may bring the same place twice.
  const bool lost_pods = before.weight > 0 && next.weight == 0 && next.canary && next.returning.empty();
  if (by_hand || lost_pods) known.subjects.clear();
  if (next == before && known.status) alarm(format("a transition that changes nothing: {}", subject));
  const bool new_stable = next.stable && (!before.stable || before.stable->hash != next.stable->hash);
  if (new_stable && is_broken(next.stable->image) && replicas_wanted(rollout) > 0 && !is_disturbed(known))
    alarm(format("a failing image became stable: {}", subject));
  if (next.step && (next.step->index < 0 || next.step->index > next.step->count))
    alarm(format("step {} of {}: {}", next.step->index, next.step->count, subject));
  const bool same_steps = next.step && before.step && next.step->count == before.step->count;
  if (same_steps && !begins && next.step->index < before.step->index)
    alarm(format("steps went back from {} to {}: {}", before.step->index, next.step->index, subject));
  const bool marked = subject.find(": rejected before") != subject.npos;
  if (next.canary && before.canary && !begins && !marked && next.canary->hash != before.canary->hash)
    alarm(format("another canary without a beginning: {}", subject));
  for (const Rejected& r : next.rejected) {
    if (r.lapsed) known.rejected.erase(r.hash);
    if (!r.lapsed) known.rejected.insert(r.hash);
  }
}

void Watchman::disk_lost(size_t seat) {
  expected_[seat].clear();
  may_forget_ = true;
}

/// Another seat went on from there.
void Watchman::dropped(const SimCommit& commit) {
  if (!stage_.elects() && !people_.touched_status())
    alarm(format("dropped although nobody else records: {}", subject_of(commit)));
  std::erase(expected_[stage_.acting()], commit.serial);
}

/// What became part of the remote's branch must be what was recorded: all of it, once, in order.
void Watchman::pushed() {
  const std::string tip = stage_.remote.branches.at("main");
  std::vector<int>& expected = expected_[stage_.acting()];
  check_lease("to the branch");
  for (const SimCommit* commit : stage_.remote.commits.after(pushed_tip_, tip)) {
    if (commit->serial == 0) continue;
    auto found = std::find(expected.begin(), expected.end(), commit->serial);
    if (found == expected.end()) {
      alarm(format("pushed twice, or never recorded: {}", subject_of(*commit)));
      continue;
    }
    if (found != expected.begin() && !people_.touched_status())
      alarm(format("pushed out of order, something recorded is lost: {}", subject_of(*commit)));
    expected.erase(expected.begin(), found + 1);
  }
  if (!expected.empty() && !people_.touched_status()) alarm("a push left recorded transitions behind");
  pushed_tip_ = tip;
}

}  // namespace reconciler
