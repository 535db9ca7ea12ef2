#include "cli/revision_plan.h"

#include <set>

#include "base/format.h"
#include "manifest/workload_ref.h"
#include "objects/marks.h"
#include "rollout/image.h"

namespace reconciler {
namespace {

std::vector<ObjectChange> compare_objects(const RevisionManifests& before, const RevisionManifests& after) {
  std::set<ObjectKey> keys;
  for (const auto& [key, object] : before.objects) keys.insert(key);
  for (const auto& [key, object] : after.objects) keys.insert(key);
  std::vector<ObjectChange> changes;
  for (const ObjectKey& key : keys) {
    auto old = before.objects.find(key);
    auto now = after.objects.find(key);
    if (old == before.objects.end()) {
      changes.push_back({.key = key, .fate = Fate::Created, .file = now->second.file});
    } else if (now == after.objects.end()) {
      changes.push_back({.key = key, .fate = Fate::Deleted, .file = old->second.file});
    } else if (std::vector<FieldChange> fields = differences(old->second.object, now->second.object); !fields.empty()) {
      changes.push_back({.key = key, .fate = Fate::Changed, .file = now->second.file, .fields = std::move(fields)});
    }
  }
  return changes;
}

std::string present_state(const Status* status) {
  if (!status) return "not deployed yet";
  std::string text(to_text(status->phase));
  if (status->run) return format("{}, experiment {}", text, status->run->hash);
  if (status->canary)
    return format("{} at {} of {}", text, share_text(*status), label_of(*status->canary, status->stable));
  return status->stable ? format("{} at {}", text, label_of(*status->stable, std::nullopt)) : text;
}

std::string image_of(const Rollout& rollout) { return headline_image(rollout.images, {}); }

/// The revision that Git would ask for, as people call it.
std::string target_label(const Rollout& rollout, const Rollout* before, const Status* status) {
  if (rollout.standalone) return "experiment " + rollout.hash;
  Revision revision{.hash = rollout.hash,
                    .image = headline_image(rollout.images, before ? before->images : std::vector<ContainerImage>{})};
  return label_of(revision, status ? status->stable : std::nullopt);
}

/// The same name may stand for another image tomorrow.
bool is_floating(const std::string& image) {
  return image.find('@') == image.npos && (tag_of(image) == image || tag_of(image) == "latest");
}

void warn_about_rollout(const Rollout& rollout, const Status* status, const Forecast& forecast,
                        std::vector<std::string>& warnings) {
  std::string name = rollout.key.text();
  for (const ContainerImage& image : rollout.images)
    if (is_floating(image.image))
      warnings.push_back(
          format("{}: image {} has no fixed tag, so a new image would not be noticed", name, image.image));
  if (!forecast.held.empty()) warnings.push_back(format("{}: would be held: {}", name, forecast.held));
  if (rollout.paused) warnings.push_back(format("{}: spec.paused is set, so it does not move", name));
  if (!status) return;
  if (status->canary && status->canary->hash != rollout.hash && status->weight > 0)
    warnings.push_back(format("{}: a canary of {} with {} of the traffic is under way and would be given up", name,
                              label_of(*status->canary, status->stable), share_text(*status)));
  for (const Rejected& rejected : status->rejected)
    if (rejected.hash == rollout.hash && !rejected.lapsed)
      warnings.push_back(format("{}: {} was rejected at {} ({}) and is not started again without a retry", name,
                                image_of(rollout), format_time(rejected.at), rejected.why));
}

void warn_about_deletion(const ObjectChange& change, std::vector<std::string>& warnings) {
  static const std::set<std::string> kContainers = {"Namespace", "CustomResourceDefinition"};
  static const std::set<std::string> kKeepers = {"PersistentVolumeClaim", "PersistentVolume", "StatefulSet"};
  if (kContainers.contains(change.key.kind))
    warnings.push_back(format("{} is no longer asked for; with it goes everything in it", change.key.text()));
  if (kKeepers.contains(change.key.kind))
    warnings.push_back(format("{} is no longer asked for; data may go with it", change.key.text()));
}

/// What the marks of an object keep from being applied.
void warn_about_marks(const ObjectKey& key, const RevisionManifests::Object& object, RevisionPlan& plan) {
  const Marks marks = marks_of(object.object);
  for (const std::string& mark : marks.unknown)
    plan.problems.push_back(format("{}: nobody understands the mark {} of {}", object.file, mark, key.text()));
  if (!marks.reconciled)
    plan.warnings.push_back(format("{} is left alone: serin.dev/reconcile is disabled", key.text()));
  if (marks.apply == ApplyMark::IfAbsent)
    plan.warnings.push_back(format("{} is left as it is if it exists: serin.dev/apply is if-absent", key.text()));
}

template <class Map>
auto* value_at(const Map& map, const typename Map::key_type& key) {
  auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

/// The Rollout with the template that workloadRef names, as the same revision of Git has it.
std::optional<Rollout> followed(const Rollout& rollout, const RevisionManifests& manifests,
                                std::vector<std::string>& warnings) {
  if (!rollout.workload_ref) return rollout;
  const ObjectKey key = workload_key(rollout);
  const RevisionManifests::Object* object = value_at(manifests.objects, key);
  auto filled = object
                    ? with_workload(rollout, object->object)
                    : Result<Rollout>(invalid(format("its template is that of {}, which is not in Git", key.text())));
  if (filled) return *std::move(filled);
  warnings.push_back(format("{}: its steps cannot be foretold: {}", rollout.key.text(), filled.error().message));
  return std::nullopt;
}

}  // namespace

RevisionPlan compare_revisions(const RevisionManifests& before, const RevisionManifests& after,
                               const std::map<RolloutKey, Status>& recorded, TimePoint now) {
  RevisionPlan plan{.objects = compare_objects(before, after)};
  for (const ObjectChange& change : plan.objects) {
    if (change.fate == Fate::Deleted) warn_about_deletion(change, plan.warnings);
    if (change.fate != Fate::Deleted) warn_about_marks(change.key, after.objects.at(change.key), plan);
    const bool runs = change.key.kind == "Rollout" || change.key.kind == "Experiment";
    if (change.key.group != "argoproj.io" || !runs || change.fate == Fate::Deleted) continue;
    RolloutKey key{.ns = change.key.ns, .name = change.key.name};
    const Rollout* as_written = value_at(after.rollouts, key);
    if (!as_written) continue;
    const auto rollout = followed(*as_written, after, plan.warnings);
    if (!rollout) continue;
    const Status* status = value_at(recorded, key);
    Forecast expected = forecast(*rollout, status ? std::optional(*status) : std::nullopt, now);
    warn_about_rollout(*rollout, status, expected, plan.warnings);
    plan.rollouts.push_back({.key = key,
                             .now = present_state(status),
                             .target = target_label(*rollout, value_at(before.rollouts, key), status),
                             .forecast = std::move(expected)});
  }
  for (const RefusedRollout& refused : after.refused)
    for (const Problem& problem : refused.problems) plan.problems.push_back(problem.text());
  for (const Problem& problem : after.problems) plan.problems.push_back(problem.text());
  for (const Problem& warning : after.warnings) plan.warnings.push_back(warning.text());
  return plan;
}

}  // namespace reconciler
