#include "daemon/object_work.h"

#include <set>

#include "base/digest.h"
#include "daemon/kept_routes.h"
#include "daemon/shared_objects.h"
#include "objects/content.h"
#include "objects/covers.h"
#include "objects/difference.h"
#include "objects/ignore_rules.h"
#include "objects/managers.h"
#include "objects/marks.h"
#include "objects/ownership.h"
#include "objects/refusal.h"
#include "rollout/action.h"

namespace reconciler {
namespace {

/// The manifest that was applied last, by its digest: so that a new process knows whether it changed meanwhile. It is
/// never a reason to write.
constexpr const char* kAppliedAnnotation = "serin.dev/applied";
constexpr size_t kDigestLetters = 12;
constexpr size_t kFieldsNamed = 5;
/// With a dash and a digest it is still a DNS label.
constexpr size_t kRehearsedNameMax = 50;

std::string digest_of(const Json& manifest) { return sha256_hex(dump(manifest)).substr(0, kDigestLetters); }

std::string uid_of(const Json& object) { return text_at(object, {"metadata", "uid"}); }

Json with_digest(Json manifest, const std::string& digest) {
  manifest["metadata"]["annotations"][kAppliedAnnotation] = digest;
  return manifest;
}

std::string named(const std::vector<FieldChange>& changes) {
  std::string out;
  for (size_t i = 0; i < changes.size() && i < kFieldsNamed; ++i) out += (i ? ", " : "") + changes[i].path;
  if (changes.size() > kFieldsNamed) out += ", and " + std::to_string(changes.size() - kFieldsNamed) + " more";
  return out;
}

/// `manifest` with the traffic that a rollout unknown to us directs through the live object.
Result<Json> with_traffic_of(Cluster& cluster, const Json& manifest, const Json& live) {
  std::set<std::string> managed;
  for (const std::string& host : destination_services(live)) {
    auto service =
        cluster.read({{"apiVersion", "v1"},
                      {"kind", "Service"},
                      {"metadata", {{"name", host}, {"namespace", text_at(live, {"metadata", "namespace"})}}}},
                     ReadMode::Known);
    if (!service) return service.error();
    if (*service && is_managed(**service)) managed.insert(host);
  }
  return keeping_traffic(manifest, live, managed);
}

/// The owner label of the live object is the one that the manifest asks for.
bool is_ours(const Json& live, const Json& manifest) {
  return text_at(live, {"metadata", "labels", kOwnerLabel}) == text_at(manifest, {"metadata", "labels", kOwnerLabel});
}

/// One piece of work, step by step.
class Worker {
 public:
  Worker(Cluster& cluster, const ObjectWork& work)
      : cluster_(cluster), work_(work), digest_(digest_of(work.in_git)), marks_(marks_of(work.in_git)) {}

  Result<ObjectFinding> run() {
    if (!marks_.unknown.empty()) return invalid("nobody understands the mark " + marks_.unknown.front());
    if (!marks_.reconciled || work_.left_alone) return found(ObjectFinding::Kind::LeftAlone, Json());
    auto live = cluster_.read(work_.manifest, ReadMode::Known);
    if (!live) return live.error();
    if (!*live) return make();
    const std::string owner = owner_of(work_.manifest);
    if (std::string claim = claimed_by_another(**live, owner); !claim.empty()) return invalid(claim);
    return bring_into_line(**live);
  }

  std::optional<ObjectFinding> agreement() {
    if (!marks_.unknown.empty() || !marks_.reconciled) return std::nullopt;
    auto live = cluster_.read(work_.manifest, ReadMode::Known);
    if (!live || !*live || !marks_of(**live).reconciled || applied_digest(**live) != digest_) return std::nullopt;
    if (!covers(**live, left_alone_in(work_.manifest, **live))) return std::nullopt;
    return found(ObjectFinding::Kind::Agrees, **live);
  }

 private:
  ObjectFinding found(ObjectFinding::Kind kind, const Json& live) const {
    return {.kind = kind,
            .digest = digest_,
            .uid = uid_of(live),
            .content = live.is_null() ? 0 : content_digest(live),
            .health = health_of(live)};
  }

  /// It is not there.
  Result<ObjectFinding> make() {
    if (work_.step == ObjectWork::Step::Compare && work_.last_digest == digest_) {
      // A Job that ends may go by itself; made anew it would run again.
      if (find(work_.in_git, {"spec", "ttlSecondsAfterFinished"}) && text_at(work_.in_git, {"kind"}) == "Job")
        return found(ObjectFinding::Kind::LeftAlone, Json());
      ObjectFinding out = found(ObjectFinding::Kind::Drifted, Json());
      out.drift.fields = "it was deleted";
      return out;
    }
    Json manifest = work_.manifest;
    for (const Pointer& path : work_.scaled) manifest = without_value(std::move(manifest), path);
    return write(manifest);
  }

  Result<ObjectFinding> bring_into_line(const Json& live) {
    if (!marks_of(live).reconciled) return found(ObjectFinding::Kind::LeftAlone, live);
    if (marks_.apply == ApplyMark::IfAbsent) return found(ObjectFinding::Kind::Agrees, live);
    Json wanted = work_.manifest;
    if (work_.keeps_traffic) {
      auto kept = with_traffic_of(cluster_, wanted, live);
      if (!kept) return kept.error();
      wanted = *std::move(kept);
    }
    const bool same_manifest = work_.last_digest == digest_ || applied_digest(live) == digest_;
    if (work_.step == ObjectWork::Step::Compare && same_manifest && covers(live, left_alone_in(wanted, live)))
      return found(ObjectFinding::Kind::Agrees, live);
    return compare_or_write(live, std::move(wanted), same_manifest);
  }

  static std::string applied_digest(const Json& live) {
    return text_at(live, {"metadata", "annotations", kAppliedAnnotation});
  }

  Json left_alone_in(Json wanted, const Json& live) const {
    return as_in(as_in(std::move(wanted), live, work_.ignored), live, work_.scaled);
  }

  /// With the live object as the server has it now: managedFields say who wrote what.
  Result<ObjectFinding> compare_or_write(const Json& live, Json wanted, bool same_manifest) {
    const bool first = !is_ours(live, work_.manifest);
    const bool leaves_some = !work_.ignored.empty() || !work_.scaled.empty();
    std::optional<Json> fresh;
    if (first || leaves_some) {
      auto now = cluster_.read(work_.manifest, ReadMode::Fresh);
      if (!now) return now.error();
      if (!*now) return make();
      fresh = *std::move(now);
      wanted = leaving_alone(std::move(wanted), *fresh, work_.ignored, kFieldManager);
      wanted = left_to_others(std::move(wanted), *fresh, work_.scaled, kFieldManager);
    }
    if (work_.step == ObjectWork::Step::Compare) {
      auto finding = compare(live, fresh, wanted, same_manifest && !first);
      if (!finding) return finding.error();
      if (*finding) return **std::move(finding);
    }
    if (first && marks_.apply != ApplyMark::Merge)
      if (auto patch = takeover_patch(*fresh, kFieldManager))
        if (auto taken = cluster_.patch(work_.manifest, *patch); !taken) return taken.error();
    return write(wanted);
  }

  /// What is found without writing; nothing when it must be written.
  Result<std::optional<ObjectFinding>> compare(const Json& live, std::optional<Json>& fresh, const Json& wanted,
                                               bool is_drift) {
    auto after = cluster_.apply(with_digest(wanted, digest_), ApplyMode::DryRun);
    if (!after && must_be_replaced(after.error())) return std::optional<ObjectFinding>();
    if (!after) return refusal(after.error());
    const Json expected = compared(*after);
    if (compared(live) == expected) return std::optional(found(ObjectFinding::Kind::Agrees, live));
    if (!fresh) {
      auto now = cluster_.read(work_.manifest, ReadMode::Fresh);
      if (!now) return now.error();
      if (!*now) return std::optional<ObjectFinding>();
      fresh = *std::move(now);
    }
    const Json actual = compared(*fresh);
    // The cache lay behind.
    if (actual == expected) return std::optional(found(ObjectFinding::Kind::Agrees, *fresh));
    if (!is_drift) return std::optional<ObjectFinding>();
    ObjectFinding out = found(ObjectFinding::Kind::Drifted, live);
    out.drift.fields = named(differences(actual, expected));
    if (auto who = meddler(*fresh, *after, kFieldManager)) out.drift.by = who->text();
    return std::optional(std::move(out));
  }

  Result<ObjectFinding> write(const Json& manifest) {
    auto written = cluster_.apply(with_digest(manifest, digest_), ApplyMode::Write);
    if (!written && must_be_replaced(written.error())) return replace(manifest);
    if (!written) return refusal(written.error());
    return found(ObjectFinding::Kind::Written, *written);
  }

  bool must_be_replaced(const Error& error) const {
    return marks_.replaced && error.kind == ErrorKind::Invalid && is_immutable_refusal(error.message) &&
           may_be_replaced(key_of(work_.manifest));
  }

  /// Deleted, and made anew once it is gone; until then it is tried again. Not before the API server has said that it
  /// would accept the new one: what else is wrong with it must not cost the live object.
  Result<ObjectFinding> replace(const Json& manifest) {
    auto live = cluster_.read(work_.manifest, ReadMode::Fresh);
    if (!live) return live.error();
    if (auto accepted = rehearse(manifest); !accepted) return accepted.error();
    if (*live)
      if (auto removed = cluster_.remove(**live); !removed) return removed.error();
    auto left = cluster_.read(work_.manifest, ReadMode::Fresh);
    if (!left) return left.error();
    if (*left) return transient("it is being deleted to be made anew");
    auto made = cluster_.apply(with_digest(manifest, digest_), ApplyMode::Write);
    if (!made) return made.error();
    ObjectFinding out = found(ObjectFinding::Kind::Written, *made);
    out.replaced = true;
    return out;
  }

  /// A dry run under a name that nobody has.
  Result<void> rehearse(Json manifest) {
    std::string name = text_at(manifest, {"metadata", "name"}).substr(0, kRehearsedNameMax);
    manifest["metadata"]["name"] = name + "-" + sha256_hex(name).substr(0, kDigestLetters);
    auto made = cluster_.apply(with_digest(std::move(manifest), digest_), ApplyMode::DryRun);
    if (made) return {};
    return Error{made.error().kind, "it is not deleted, because it could not be made anew: " + made.error().message};
  }

  Error refusal(const Error& error) const {
    if (error.kind != ErrorKind::Invalid || !is_immutable_refusal(error.message)) return error;
    return invalid(immutable_advice(key_of(work_.manifest), error.message));
  }

  Cluster& cluster_;
  const ObjectWork& work_;
  const std::string digest_;
  const Marks marks_;
};

}  // namespace

Json compared(const Json& object) {
  Json out = content_of(object);
  auto metadata = out.find("metadata");
  if (metadata == out.end() || !metadata->contains("annotations")) return out;
  Json& annotations = (*metadata)["annotations"];
  if (annotations.is_object()) annotations.erase(kAppliedAnnotation);
  if (annotations.empty()) metadata->erase("annotations");
  return out;
}

Result<ObjectFinding> work_on(Cluster& cluster, const ObjectWork& work) { return Worker(cluster, work).run(); }

std::optional<ObjectFinding> agreement(Cluster& cluster, const ObjectWork& work) {
  return Worker(cluster, work).agreement();
}

}  // namespace reconciler
