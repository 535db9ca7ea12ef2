#include "objects/prune.h"

#include <algorithm>

#include "base/format.h"
#include "base/labels.h"
#include "base/text.h"
#include "objects/managers.h"
#include "objects/order.h"
#include "objects/ownership.h"

namespace reconciler {
namespace {

/// So many objects may go without a word, however few there are.
constexpr size_t kFew = 5;
constexpr size_t kSharePercent = 30;

/// Why everything that is stale is held; empty when it is not.
std::string too_many(size_t going, size_t set) {
  if (going == 0) return "";
  if (going >= set) return format("nothing of {} objects would be left; {}", set, kReleaseAdvice);
  const size_t most = std::max(kFew, set * kSharePercent / 100);
  if (going <= most) return "";
  return format("{} of {} objects would go at once, more than {}; {}", going, set, most, kReleaseAdvice);
}

std::string dangerous_why(const ObjectKey& key) {
  return format("a {} takes more along than itself; mark it {}: allow, or {}", key.kind, kPruneMark, kReleaseAdvice);
}

}  // namespace

bool is_dangerous(const ObjectKey& key) {
  if (key.group == "apiextensions.k8s.io") return key.kind == "CustomResourceDefinition";
  return key.group.empty() &&
         (key.kind == "Namespace" || key.kind == "PersistentVolumeClaim" || key.kind == "PersistentVolume");
}

bool allows_prune(std::string_view message) {
  const auto trailers = trailers_of(message);
  const auto [begin, end] = trailers.equal_range("serin-prune");
  return std::any_of(begin, end, [](const auto& trailer) { return lower_case(trailer.second) == "allow"; });
}

PrunePlan plan_prune(const std::vector<Stale>& stale, size_t set) {
  PrunePlan plan;
  std::vector<const Stale*> going;
  for (const Stale& each : stale) {
    if (each.entry.mark == PruneMark::Disabled) {
      plan.unmanaged.push_back(each.entry);
    } else {
      going.push_back(&each);
    }
  }
  const std::string mass = too_many(going.size(), set);
  for (const Stale* each : going) {
    const InventoryEntry& entry = each->entry;
    if (each->released || (mass.empty() && each->needed_for.empty())) {
      plan.go.push_back(entry);
    } else if (!mass.empty()) {
      plan.held[entry.key] = mass;
    } else if (entry.mark == PruneMark::Allow) {
      plan.go.push_back(entry);
    } else {
      plan.held[entry.key] = each->needed_for;
    }
  }
  std::sort(plan.go.begin(), plan.go.end(), [](const InventoryEntry& a, const InventoryEntry& b) {
    return std::pair(apply_rank(a.key), a.key) > std::pair(apply_rank(b.key), b.key);
  });
  return plan;
}

LiveVerdict judge_live(const Stale& stale, const std::optional<Json>& live, std::string_view owner) {
  const InventoryEntry& entry = stale.entry;
  if (!live) return {LiveFate::Gone, ""};
  if (find(*live, {"metadata", "deletionTimestamp"})) return {LiveFate::Gone, "it is being deleted already"};
  const std::string theirs = owner_of(*live);
  if (theirs.empty()) return {LiveFate::Leave, format("it does not carry the label {} any more", kOwnerLabel)};
  if (theirs != owner)
    return {LiveFate::Leave, format("it belongs to the owner {}, and this one is {}", theirs, owner)};
  const std::string uid = text_at(*live, {"metadata", "uid"});
  // We may have made it anew too, and have been stopped before that was stored.
  if (!entry.uid.empty() && uid != entry.uid && !is_written_by(*live, kFieldManager))
    return {LiveFate::Leave, "somebody else made it anew"};
  const PruneMark mark = prune_mark(*live);
  if (mark == PruneMark::Disabled) return {LiveFate::Leave, format("it is marked {}: disabled", kPruneMark)};
  const bool allowed = stale.released || mark == PruneMark::Allow || entry.mark == PruneMark::Allow;
  if (is_dangerous(entry.key) && !allowed) return {LiveFate::Hold, dangerous_why(entry.key)};
  return {LiveFate::Delete, ""};
}

}  // namespace reconciler
