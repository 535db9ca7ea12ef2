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
    int needed = share_of(wanted->replicas, share, 100);
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
  const auto wanted = wanted_lately(key);
  for (const int sum : after.weight_sums)
    if (sum != (wanted.empty() ? sum : wanted.front()->whole()))
      alarm(format("{}: the weights sum to {}", key.text(), sum));
  if (event.kind == StoreEvent::Kind::Added) {
    // What stood there before is an object that routes nothing.
    const Json before = {{"kind", event.type->kind}, {"metadata", (*event.object)["metadata"]}};
    if (is_header_route(*event.object) && after.complete)
      check_traffic(key, view_of(stage_.world, key, &before), after);
    return;
  }
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
  // The Service of an experiment goes with its ReplicaSet.
  if (!text_at(*event.object, {"metadata", "labels", kExperimentLabel}).empty()) return;
  // A header route goes as it came: with its step.
  if (stage_.writer.rollout && is_header_route(*event.object)) return;
  deleted_ = true;
  // What was released went first, and what is left may be few.
  note_what_may_go(stage_.daemon().head());
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
    // Nor does the inventory know the Service of an experiment, which goes with its ReplicaSet.
    const bool of_experiment = !text_at(object, {"metadata", "labels", kExperimentLabel}).empty();
    if (of_experiment || text_at(object, {"kind"}) == "ReplicaSet") return add(rollout);
    if (!named.objects.contains(rollout)) out.insert(key_of(object));
  };
  std::vector<RouteKind> kinds = route_kinds_known();
  kinds.insert(kinds.end(), {{"v1", "Service"}, {"apps/v1", "ReplicaSet"}});
  // As an object of the cluster a Rollout may outlive its status.
  if (stage_.world.catalogue().by_kind("argoproj.io/v1alpha1", "Rollout"))
    kinds.push_back({"argoproj.io/v1alpha1", "Rollout"});
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
  note_what_may_go(stage_.daemon().head());
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

}  // namespace reconciler
