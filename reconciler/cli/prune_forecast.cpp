#include "cli/prune_forecast.h"

#include <algorithm>

#include "base/format.h"
#include "base/labels.h"
#include "daemon/desired_state.h"
#include "objects/prune.h"

namespace reconciler {
namespace {

/// The Service that stays and leads to this rollout, as far as manifests tell.
std::string needed_for(const ObjectKey& key, const std::set<ObjectKey>& staying, const RevisionManifests& changed) {
  auto rollout = changed.rollouts.find({key.ns, key.name});
  if (!is_rollout(key) || rollout == changed.rollouts.end()) return "";
  for (const std::string& service : {rollout->second.stable_service, rollout->second.canary_service})
    if (staying.contains({"", "Service", key.ns, service}))
      return format("Service {}/{} stays in Git and leads to its pods", key.ns, service);
  return "";
}

/// The object as it would be met in the cluster.
Json as_live(Json object, const std::string& owner) {
  object["metadata"]["labels"][std::string(kOwnerLabel)] = owner;
  return object;
}

}  // namespace

std::map<ObjectKey, std::string> expected_holds(const RevisionPlan& plan, const std::set<ObjectKey>& all,
                                                const RevisionManifests& changed,
                                                const std::vector<std::string>& messages,
                                                const std::map<ObjectKey, Json>& live, const std::string& owner) {
  const bool released = std::any_of(messages.begin(), messages.end(), [](auto& each) { return allows_prune(each); });
  std::set<ObjectKey> staying = all;
  for (const ObjectChange& change : plan.objects)
    if (change.fate == Fate::Deleted) staying.erase(change.key);
  std::vector<Stale> stale;
  for (const ObjectChange& change : plan.objects) {
    if (change.fate != Fate::Deleted || !all.contains(change.key)) continue;
    const Json& object = changed.objects.at(change.key).object;
    stale.push_back({.entry = {.key = change.key, .version = "v1", .mark = prune_mark(object)},
                     .released = released,
                     .needed_for = needed_for(change.key, staying, changed)});
  }
  PrunePlan expected = plan_prune(stale, all.size());
  for (const InventoryEntry& entry : expected.unmanaged) expected.held[entry.key] = "it stays, pruning it is disabled";
  for (const InventoryEntry& entry : expected.go) {
    const auto asked = live.find(entry.key);
    const Json met = asked == live.end() ? as_live(changed.objects.at(entry.key).object, owner) : asked->second;
    const LiveVerdict verdict = judge_live({entry, released, ""}, met, owner);
    if (verdict.fate == LiveFate::Hold || verdict.fate == LiveFate::Leave) expected.held[entry.key] = verdict.why;
  }
  return std::move(expected.held);
}

}  // namespace reconciler
