#include "daemon/object_applier.h"

#include "base/log.h"
#include "daemon/shared_objects.h"
#include "objects/covers.h"
#include "objects/order.h"

namespace reconciler {
namespace {

constexpr int kInFlightMax = 8;

/// `manifest` with the traffic that a rollout unknown to us directs through the live object.
Result<Json> with_traffic_of(Cluster& cluster, const Json& manifest, const Json& live) {
  std::set<std::string> managed;
  for (const std::string& host : destination_hosts(live)) {
    auto service =
        cluster.read({{"apiVersion", "v1"},
                      {"kind", "Service"},
                      {"metadata", {{"name", host}, {"namespace", text_at(live, {"metadata", "namespace"})}}}});
    if (!service) return service.error();
    if (*service && is_managed(**service)) managed.insert(host);
  }
  return keeping_traffic(manifest, live, managed);
}

/// True when it was written. Reads, compares by dry run when the answer is not plain, and writes only a difference.
Result<bool> bring_into_line(Cluster& cluster, const PreparedObject& prepared, bool surely) {
  if (prepared.left_alone) return false;
  auto live = cluster.read(prepared.manifest);
  if (!live) return live.error();
  Json manifest = prepared.manifest;
  if (*live && prepared.keeps_traffic) {
    auto kept = with_traffic_of(cluster, manifest, **live);
    if (!kept) return kept.error();
    manifest = std::move(*kept);
  }
  if (*live && !surely && covers(**live, manifest)) return false;
  if (*live) {
    auto dry = cluster.apply(manifest, ApplyMode::DryRun);
    if (!dry) return dry.error();
    if (same_content(**live, *dry)) return false;
  }
  auto written = cluster.apply(manifest, ApplyMode::Write);
  if (!written) return written.error();
  return true;
}

}  // namespace

ObjectApplier::ObjectApplier(const DesiredState& desired, Cluster& cluster, Clock& clock, Workers& workers, Hooks hooks)
    : desired_(desired), cluster_(cluster), clock_(clock), workers_(workers), hooks_(std::move(hooks)) {}

void ObjectApplier::changed(const ObjectKey& key, bool surely) {
  failed_.erase(key);
  bool& flag = pending_[{apply_rank(key), key}];
  flag = flag || surely;
}

void ObjectApplier::live_changed(const ObjectKey& key) {
  auto failed = failed_.find(key);
  if (failed != failed_.end() && failed->second.refused) changed(key, true);
}

void ObjectApplier::run_due() {
  const Duration now = clock_.monotonic();
  for (const auto& [key, failed] : failed_)
    if (!failed.refused && failed.again <= now && !writing_.contains(key))
      pending_.emplace(Place{apply_rank(key), key}, true);
  // A rank begins when the one before it is done: a custom resource finds its definition, a Service its namespace.
  for (auto next = pending_.begin(); next != pending_.end() && in_flight_ < kInFlightMax;) {
    const auto [rank, key] = next->first;
    if (in_flight_ > 0 && rank != rank_in_flight_) return;
    if (writing_.contains(key)) {
      ++next;  // changed again while it is written: its turn comes after that
      continue;
    }
    const bool surely = next->second;
    auto manifest = desired_.object(key);
    if (!manifest) {
      if (auto places = desired_.paths_of(key); places.size() > 1) {
        std::string why = "it stands in several files:";
        for (const std::string& place : places) why += " " + place;
        failed_[key] = {.why = why, .refused = true};
        log_warn("held " + key.text() + ": " + why);
      }
      next = pending_.erase(next);
      continue;
    }
    auto prepared = hooks_.prepare(key, *manifest);
    if (!prepared) {
      ++next;
      continue;
    }
    next = pending_.erase(next);
    rank_in_flight_ = rank;
    ++in_flight_;
    writing_.insert(key);
    hooks_.begin(key);
    const bool namespace_known = key.ns.empty() || namespaces_.contains(key.ns);
    workers_.run(Lane::Cluster, [this, key, prepared = std::move(*prepared), surely, namespace_known]() -> Completion {
      Result<void> there = namespace_known ? Result<void>() : cluster_.ensure_namespace(key.ns);
      Result<bool> written = there ? bring_into_line(cluster_, prepared, surely) : Result<bool>(there.error());
      return [this, key, written] { finish(key, written); };
    });
  }
}

void ObjectApplier::finish(const ObjectKey& key, const Result<bool>& written) {
  --in_flight_;
  writing_.erase(key);
  hooks_.end(key);
  if (written) {
    failed_.erase(key);
    if (!key.ns.empty()) namespaces_.insert(key.ns);
    if (*written) log_info("applied " + key.text());
    return;
  }
  // Its namespace may have gone meanwhile.
  namespaces_.erase(key.ns);
  Failed& failed = failed_[key];
  failed.refused = written.error().kind == ErrorKind::Invalid;
  const Duration now = clock_.monotonic();
  failed.again = now + failed.backoff.next(now.count(), 0.5);
  if (failed.why == written.error().message) return;
  failed.why = written.error().message;
  log_warn("cannot apply " + key.text(), {{"error", failed.why}, {"file", desired_.path_of(key)}});
}

Duration ObjectApplier::next_due() const {
  if (!pending_.empty() && in_flight_ < kInFlightMax && in_flight_ == 0) return clock_.monotonic() + 50ms;
  Duration due = Duration::max();
  for (const auto& [key, failed] : failed_)
    if (!failed.refused && !writing_.contains(key) && !pending_.contains({apply_rank(key), key}))
      due = std::min(due, failed.again);
  return due;
}

std::map<ObjectKey, std::string> ObjectApplier::failures() const {
  std::map<ObjectKey, std::string> out;
  for (const auto& [key, failed] : failed_) out[key] = failed.why;
  return out;
}

}  // namespace reconciler
