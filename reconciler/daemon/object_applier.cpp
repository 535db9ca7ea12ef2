#include "daemon/object_applier.h"

#include <algorithm>

#include "base/check.h"
#include "base/log.h"
#include "objects/ignore_rules.h"
#include "objects/order.h"
#include "objects/secret_data.h"
#include "rollout/action.h"

namespace reconciler {
namespace {

constexpr int kInFlightMax = 8;
constexpr size_t kGlancesAtOnce = 64;
/// Changes that come together are looked at together, and a rollout's own act is over by then.
constexpr Duration kLookDelay = 1s;
constexpr Duration kDefinitionWaitMax = 1min;
/// What is not current after so long is not going to be by itself.
constexpr Duration kSettleMax = 5min;

}  // namespace

ObjectApplier::ObjectApplier(const DaemonOptions& options, const DesiredState& desired, Cluster& cluster, Clock& clock,
                             Workers& workers, Hooks hooks)
    : options_(options),
      desired_(desired),
      cluster_(cluster),
      clock_(clock),
      workers_(workers),
      hooks_(std::move(hooks)) {}

void ObjectApplier::changed(const ObjectKey& key) {
  failed_.erase(key);
  drifted_.erase(key);
  corrected_.erase(key);
  look_.erase(key);
  pending_[{apply_rank(key), key}] = ObjectWork::Step::Compare;
  glancing_.erase(key);
  const Known* known = known_.find(key);
  if (known && known->seen != 0 && known->digest.empty()) glances_.insert(key);
}

void ObjectApplier::removed(const ObjectKey& key) {
  failed_.erase(key);
  drifted_.erase(key);
  corrected_.erase(key);
  look_.erase(key);
  unsettled_.erase(key);
  known_.erase(key);
  glances_.erase(key);
  glancing_.erase(key);
  waiting_.erase(key);
  pending_.erase({apply_rank(key), key});
  std::erase_if(definitions_, [&](const auto& definition) { return definition.second == key; });
}

void ObjectApplier::look_again(const ObjectKey& key) { look_.emplace(key, clock_.monotonic()); }

void ObjectApplier::live_changed(const ClusterChange& change) {
  const ObjectKey& key = change.key;
  if (is_definition(key) && change.seen && change.seen->health.status == HealthStatus::Current) {
    // What failed because its kind was unknown need not wait any longer.
    const std::string group = key.name.substr(std::min(key.name.find('.'), key.name.size() - 1) + 1);
    for (auto& [waiting, failed] : failed_)
      if (waiting.group == group) failed.again = clock_.monotonic();
  }
  if (!desired_.names(key)) return;
  Known& known = known_[key];
  known.seen = change.seen ? change.seen->content : 0;
  ++known.changes;
  note_health(key,
              change.seen ? change.seen->health : Health{.status = HealthStatus::InProgress, .why = "it is not there"});
  const auto failed = failed_.find(key);
  if (failed != failed_.end() && failed->second.refused && failed->second.seen != known.seen) {
    // It may be accepted now; what is said of it stays said.
    failed->second.seen = known.seen;
    pending_.emplace(Place{apply_rank(key), key}, ObjectWork::Step::Compare);
  }
  const bool compared = !known.digest.empty() && !writing_.contains(key);
  if (compared && known.seen != known.agreed && options_.drift != DriftMode::Off)
    look_.emplace(key, clock_.monotonic() + kLookDelay);
}

void ObjectApplier::note_health(const ObjectKey& key, const Health& health) {
  // How a rollout is, its own report says.
  const bool is_rollout = key.group == "argoproj.io" && key.kind == "Rollout";
  if (health.status == HealthStatus::Current || is_rollout) {
    unsettled_.erase(key);
    return;
  }
  auto [place, is_new] = unsettled_.try_emplace(key, Unsettled{.health = health, .since = clock_.monotonic()});
  place->second.health = health;
}

void ObjectApplier::note_definition(const ObjectKey& key, const Json& manifest) {
  std::erase_if(definitions_, [&](const auto& definition) { return definition.second == key; });
  definitions_[{text_at(manifest, {"spec", "group"}), text_at(manifest, {"spec", "names", "kind"})}] = key;
}

/// A custom resource waits a while for the definition that came with it; one that is refused is not waited for.
bool ObjectApplier::waits_for_definition(const ObjectKey& key) const {
  auto definition = definitions_.find({key.group, key.kind});
  if (definition == definitions_.end() || failed_.contains(definition->second)) return false;
  auto unsettled = unsettled_.find(definition->second);
  return unsettled != unsettled_.end() && unsettled->second.health.status == HealthStatus::InProgress &&
         clock_.monotonic() < unsettled->second.since + kDefinitionWaitMax;
}

/// A correction that failed is the same one when it is tried again.
ObjectWork::Step ObjectApplier::step_of(const ObjectKey& key) const {
  auto drift = drifted_.find(key);
  const bool correct = drift != drifted_.end() && !drift->second.is_fight && options_.drift == DriftMode::Correct;
  return correct ? ObjectWork::Step::Correct : ObjectWork::Step::Compare;
}

/// What has waited long enough is asked for again.
void ObjectApplier::due_now() {
  const Duration now = clock_.monotonic();
  for (const auto& [key, failed] : failed_)
    if (!failed.refused && failed.again <= now && !writing_.contains(key))
      pending_.emplace(Place{apply_rank(key), key}, step_of(key));
  for (auto look = look_.begin(); look != look_.end();) {
    if (look->second <= now && !writing_.contains(look->first)) {
      pending_.emplace(Place{apply_rank(look->first), look->first}, ObjectWork::Step::Compare);
      look = look_.erase(look);
    } else {
      ++look;
    }
  }
}

/// Of ten thousand rollouts nearly every object is found as it was left. That is seen without asking the rollouts that
/// share it, and many at a time.
void ObjectApplier::start_glances() {
  while (!glances_.empty() && in_flight_ < kInFlightMax) {
    std::vector<Glance> some;
    while (!glances_.empty() && some.size() < kGlancesAtOnce) {
      const ObjectKey key = glances_.extract(glances_.begin()).value();
      std::string text = hooks_.is_plain(key) && !writing_.contains(key) ? desired_.object_text(key) : "";
      if (text.empty()) continue;
      glancing_.insert(key);
      some.push_back({.key = key, .text = std::move(text), .before = known_[key]});
    }
    if (some.empty()) return;
    ++in_flight_;
    workers_.run(Lane::Cluster, [this, some = std::move(some)]() mutable -> Completion {
      for (Glance& glance : some) {
        auto in_git = parse_json(glance.text);
        if (in_git) glance.agreement = agreement(cluster_, new_work(*in_git, *in_git));
      }
      return [this, some = std::move(some)] { finish_glances(some); };
    });
  }
}

void ObjectApplier::finish_glances(const std::vector<Glance>& glances) {
  --in_flight_;
  for (const Glance& glance : glances) {
    if (glancing_.erase(glance.key) == 0 || !glance.agreement) continue;  // changed meanwhile, or is to be compared
    pending_.erase({apply_rank(glance.key), glance.key});
    accept(glance.key, *glance.agreement, glance.before);
  }
}

void ObjectApplier::run_due() {
  due_now();
  start_glances();
  if (!glancing_.empty()) return;
  waiting_.clear();
  skipped_ = false;
  // A rank begins when the one before it is done: a custom resource finds its definition, a Service its namespace.
  for (auto next = pending_.begin(); next != pending_.end() && in_flight_ < kInFlightMax;) {
    const auto [rank, key] = next->first;
    if (in_flight_ > 0 && rank != rank_in_flight_) return;
    if (writing_.contains(key)) {
      ++next;  // changed again while it is written: its turn comes after that
      continue;
    }
    if (waits_for_definition(key)) {
      waiting_.insert(key);
      ++next;
      continue;
    }
    auto in_git = desired_.object(key);
    if (!in_git) {
      if (auto places = desired_.paths_of(key); places.size() > 1) {
        std::string why = "it stands in several files:";
        for (const std::string& place : places) why += " " + place;
        failed_[key] = {.why = why, .refused = true};
        log_warn("held " + key.text() + ": " + why);
      }
      next = pending_.erase(next);
      continue;
    }
    auto work = work_for(key, *std::move(in_git), next->second);
    if (!work) {
      skipped_ = true;
      ++next;
      continue;
    }
    next = pending_.erase(next);
    rank_in_flight_ = rank;
    start(key, std::move(*work));
  }
}

ObjectWork ObjectApplier::new_work(Json in_git, Json manifest) const {
  ObjectWork work{.in_git = std::move(in_git), .manifest = with_plain_data(std::move(manifest))};
  work.manifest["metadata"]["labels"][std::string(kOwnerLabel)] = options_.owner;
  work.ignored = ignored_paths(options_.ignore, work.in_git);
  return work;
}

/// Nothing while a rollout that shares the object is at work.
std::optional<ObjectWork> ObjectApplier::work_for(const ObjectKey& key, Json in_git, ObjectWork::Step step) {
  if (is_definition(key)) note_definition(key, in_git);
  auto prepared = hooks_.prepare(key, in_git);
  if (!prepared) return std::nullopt;
  ObjectWork work = new_work(std::move(in_git), std::move(prepared->manifest));
  work.keeps_traffic = prepared->keeps_traffic;
  work.left_alone = prepared->left_alone;
  work.scaled = std::move(prepared->scaled);
  work.step = step;
  if (const Known* known = known_.find(key)) work.last_digest = known->digest;
  return work;
}

void ObjectApplier::start(const ObjectKey& key, ObjectWork work) {
  ++in_flight_;
  writing_.insert(key);
  hooks_.begin(key);
  const bool namespace_known = key.ns.empty() || namespaces_.contains(key.ns);
  const Known before = known_[key];
  workers_.run(Lane::Cluster, [this, key, work = std::move(work), namespace_known, before]() -> Completion {
    Result<void> there = namespace_known ? Result<void>() : cluster_.ensure_namespace(key.ns);
    auto finding = there ? work_on(cluster_, work) : Result<ObjectFinding>(there.error());
    return [this, key, finding, before] { finish(key, finding, before); };
  });
}

void ObjectApplier::finish(const ObjectKey& key, const Result<ObjectFinding>& finding, const Known& before) {
  --in_flight_;
  writing_.erase(key);
  hooks_.end(key);
  if (!desired_.names(key)) return removed(key);  // Git changed its mind meanwhile
  if (!finding) return fail(key, finding.error());
  accept(key, *finding, before);
}

void ObjectApplier::accept(const ObjectKey& key, const ObjectFinding& finding, const Known& before) {
  failed_.erase(key);
  if (!key.ns.empty()) namespaces_.insert(key.ns);
  if (!finding.uid.empty()) hooks_.applied(key, finding.uid);
  switch (finding.kind) {
    case ObjectFinding::Kind::Written: {
      auto drift = drifted_.find(key);
      if (drift == drifted_.end()) {
        count(key, finding.replaced ? "replaced" : "applied");
        log_info((finding.replaced ? "deleted and made anew " : "applied ") + key.text());
      } else {
        count(key, "corrected");
        log_info("corrected " + key.text(), {{"fields", drift->second.drift.fields}, {"by", drift->second.who()}});
        drifted_.erase(drift);
      }
      return agree(key, finding, before);
    }
    case ObjectFinding::Kind::LeftAlone:
      if (finding.uid.empty()) unsettled_.erase(key);  // it need not be there
      [[fallthrough]];
    case ObjectFinding::Kind::Agrees: drifted_.erase(key); return agree(key, finding, before);
    case ObjectFinding::Kind::Drifted: return take_drift(key, finding);
  }
  unreachable();
}

void ObjectApplier::agree(const ObjectKey& key, const ObjectFinding& finding, const Known& before) {
  Known& known = known_[key];
  const bool changed_meanwhile = known.changes != before.changes;
  known.digest = finding.digest;
  if (finding.kind == ObjectFinding::Kind::Written || before.seen == 0) {
    known.agreed = finding.content;
  } else {
    // The cache may hold the object in another version than the manifest names, which reads otherwise.
    known.agreed = changed_meanwhile ? 0 : before.seen;
  }
  if (!changed_meanwhile && finding.kind == ObjectFinding::Kind::Written) note_health(key, finding.health);
  // Even if it looks again as it did before: what was seen may have come before the write, or after it.
  if (changed_meanwhile && known.seen != known.agreed && options_.drift != DriftMode::Off)
    look_.emplace(key, clock_.monotonic() + kLookDelay);
}

void ObjectApplier::take_drift(const ObjectKey& key, const ObjectFinding& finding) {
  DriftReport report{.drift = finding.drift};
  const bool correct = options_.drift == DriftMode::Correct;
  report.is_fight = correct && !corrected_[key].may_correct(finding.drift.fields, clock_.monotonic());
  const auto known = drifted_.find(key);
  const bool is_news = known == drifted_.end() || known->second.text() != report.text();
  drifted_[key] = report;
  if (correct && !report.is_fight) {
    pending_[{apply_rank(key), key}] = ObjectWork::Step::Correct;
    return;
  }
  if (!is_news) return;
  count(key, report.is_fight ? "fight" : "reported");
  log_warn(key.text() + ": " + report.text(), {{"file", desired_.path_of(key)}});
}

void ObjectApplier::fail(const ObjectKey& key, const Error& error) {
  namespaces_.erase(key.ns);  // it may have gone meanwhile
  Failed& failed = failed_[key];
  failed.refused = error.kind == ErrorKind::Invalid;
  failed.seen = known_[key].seen;
  const Duration now = clock_.monotonic();
  failed.again = now + failed.backoff.next(now.count(), 0.5);
  if (failed.why == error.message) return;
  failed.why = error.message;
  log_warn("cannot apply " + key.text(), {{"error", failed.why}, {"file", desired_.path_of(key)}});
}

void ObjectApplier::count(const ObjectKey& key, std::string_view what) { ++counts_[{key.kind, std::string(what)}]; }

Duration ObjectApplier::next_due() const {
  const Duration now = clock_.monotonic();
  if (in_flight_ == 0 && skipped_) return now + 50ms;
  if (in_flight_ == 0 && pending_.size() > waiting_.size()) return now;
  Duration due = waiting_.empty() ? Duration::max() : now + kLookDelay;
  for (const auto& [key, failed] : failed_)
    if (!failed.refused && !writing_.contains(key) && !pending_.contains({apply_rank(key), key}))
      due = std::min(due, failed.again);
  for (const auto& [key, when] : look_)
    if (!writing_.contains(key)) due = std::min(due, when);
  return due;
}

bool ObjectApplier::settled() const {
  const Duration now = clock_.monotonic();
  return caught_up() && waiting_.empty() && look_.empty() &&
         std::none_of(unsettled_.begin(), unsettled_.end(), [&](const auto& object) {
           return status_at(object.second.health, clock_.now()) == HealthStatus::InProgress &&
                  now < object.second.since + kSettleMax;
         });
}

ObjectReport ObjectApplier::report() const {
  ObjectReport out{.total = desired_.object_counts(), .drifted = drifted_, .counts = counts_};
  for (const auto& [key, failed] : failed_) out.failed[key] = failed.why;
  for (const auto& [key, unsettled] : unsettled_) {
    Health health = unsettled.health;
    health.status = status_at(health, clock_.now());
    out.unsettled[key] = health;
  }
  return out;
}

}  // namespace reconciler
