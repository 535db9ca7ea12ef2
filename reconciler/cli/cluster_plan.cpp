#include "cli/cluster_plan.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/labels.h"
#include "daemon/object_work.h"
#include "daemon/shared_objects.h"
#include "objects/autoscalers.h"
#include "objects/ignore_rules.h"
#include "objects/ownership.h"
#include "objects/secret_data.h"

namespace reconciler {
namespace {

/// Serin carries these out itself and does not apply them.
bool is_carried_out(const ObjectKey& key) { return key.group == "argoproj.io"; }

std::set<ObjectKey> scaled_by_manifests(const DesiredState& desired) {
  std::set<ObjectKey> out;
  for (const ObjectKey& key : desired.objects()) {
    if (!may_scale(key)) continue;
    if (auto object = desired.object(key))
      if (auto target = scale_target(*object)) out.insert(*target);
  }
  return out;
}

/// Does the new revision define this kind?
bool brings_kind(const RevisionManifests& after, const ObjectKey& key) {
  return std::any_of(after.objects.begin(), after.objects.end(), [&](const auto& entry) {
    const Json& object = entry.second.object;
    return entry.first.kind == "CustomResourceDefinition" && text_at(object, {"spec", "group"}) == key.group &&
           text_at(object, {"spec", "names", "kind"}) == key.kind;
  });
}

class Questioner {
 public:
  Questioner(RehearsedCluster& cluster, const PlanSurroundings& around, RevisionPlan& plan)
      : cluster_(cluster), around_(around), plan_(plan), scaled_(scaled_by_manifests(around.desired)) {}

  Result<std::map<ObjectKey, Json>> run() {
    for (ObjectChange& change : plan_.objects) {
      if (is_carried_out(change.key)) continue;
      auto asked = change.fate == Fate::Deleted ? look_at_deleted(change) : ask(change);
      if (asked) continue;
      // What can be tried again may be a server that is not there: then there is no answer at all.
      if (asked.error().kind == ErrorKind::Transient) return asked.error();
      plan_.problems.push_back(format("{}: {}", change.file, asked.error().message));
    }
    return std::move(deleted_);
  }

 private:
  Result<void> look_at_deleted(ObjectChange& change) {
    auto live = cluster_.read(around_.before.objects.at(change.key).object, ReadMode::Fresh);
    if (!live) return live.error();
    if (*live) {
      deleted_[change.key] = **std::move(live);
    } else {
      change.note = "it is not in the cluster";
    }
    return {};
  }

  /// An object in a place that does not exist yet can only be shown as it is written.
  Result<bool> can_be_asked(ObjectChange& change, const Json& manifest) {
    if (!change.key.ns.empty())
      if (auto looked = cluster_.ensure_namespace(change.key.ns); !looked) return looked.error();
    auto known = cluster_.knows(manifest);
    if (!known) return known.error();
    if (cluster_.is_missing(change.key.ns)) {
      change.note = "its namespace is not there yet, so the cluster was not asked";
    } else if (!*known && brings_kind(around_.after, change.key)) {
      change.note = "its kind comes with this revision, so the cluster was not asked";
    } else if (!*known) {
      return invalid(format("{}: the cluster does not know {} of {}", change.key.text(), change.key.kind,
                            text_at(manifest, {"apiVersion"})));
    } else {
      return true;
    }
    change.fate = Fate::Created;
    change.fields.clear();
    return false;
  }

  Result<void> ask(ObjectChange& change) {
    const Json& manifest = around_.after.objects.at(change.key).object;
    auto may_ask = can_be_asked(change, manifest);
    if (!may_ask) return may_ask.error();
    if (!*may_ask) return {};
    auto live = cluster_.read(manifest, ReadMode::Fresh);
    if (!live) return live.error();
    auto work = work_for(change.key, manifest);
    if (!work) return work.error();
    auto found = work_on(cluster_, *work);
    if (!found) return found.error();
    change.fate = *live ? Fate::Changed : Fate::Created;
    change.fields.clear();
    note_finding(change, *found, *live);
    const auto outcome = cluster_.outcome(change.key);
    if (!*live || !outcome || found->kind == ObjectFinding::Kind::LeftAlone) return {};
    change.fields = differences(compared(**live), compared(*outcome));
    if (change.fields.empty()) change.note = "the live object is like that already";
    return {};
  }

  void note_finding(ObjectChange& change, const ObjectFinding& found, const std::optional<Json>& live) {
    const std::string name = change.key.text();
    if (found.kind == ObjectFinding::Kind::LeftAlone) change.note = "it is left alone";
    if (found.kind == ObjectFinding::Kind::Agrees) change.note = "the live object is like that already";
    if (found.replaced) plan_.warnings.push_back(format("{} would be deleted and made anew", name));
    if (live && owner_of(*live).empty() && found.kind == ObjectFinding::Kind::Written)
      plan_.warnings.push_back(format("{} is in the cluster and nobody's: it would become Serin's", name));
  }

  /// As the daemon would go about it.
  Result<ObjectWork> work_for(const ObjectKey& key, const Json& manifest) {
    ObjectWork work{.in_git = manifest, .manifest = manifest, .keeps_traffic = may_carry_traffic(key)};
    for (const RolloutKey& user : around_.desired.users_of(key)) {
      const Rollout* rollout = around_.desired.rollout(user);
      if (!rollout) continue;
      auto live = cluster_.observe(*rollout, around_.now);
      if (!live) return live.error();
      auto status = around_.recorded.find(user);
      work.manifest = filled_in(work.manifest, *rollout, *live,
                                status == around_.recorded.end() ? std::nullopt : std::optional(status->second));
      work.keeps_traffic = false;
    }
    work.manifest = with_plain_data(std::move(work.manifest));
    work.manifest["metadata"]["labels"][std::string(kOwnerLabel)] = around_.owner;
    work.ignored = ignored_paths({}, manifest);
    if (scaled_.contains(key)) work.scaled = {{"spec", "replicas"}};
    return work;
  }

  RehearsedCluster& cluster_;
  const PlanSurroundings& around_;
  RevisionPlan& plan_;
  const std::set<ObjectKey> scaled_;
  std::map<ObjectKey, Json> deleted_;
};

}  // namespace

Result<std::map<ObjectKey, Json>> ask_cluster(RehearsedCluster& cluster, const PlanSurroundings& around,
                                              RevisionPlan& plan) {
  return Questioner(cluster, around, plan).run();
}

}  // namespace reconciler
