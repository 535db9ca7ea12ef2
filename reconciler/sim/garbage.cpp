// What Kubernetes' garbage collector and namespace controller do.
#include <algorithm>

#include "sim/controllers.h"

namespace reconciler {
namespace {

constexpr std::string_view kForeground = "foregroundDeletion";

/// Whether an owner is known to be gone. One whose kind is not served cannot be looked up, so it counts as there.
bool is_absent(const Records& records, const Json& owner, const std::string& ns) {
  if (!records.catalogue().by_kind(text_at(owner, {"apiVersion"}), text_at(owner, {"kind"}))) return false;
  const ObjectRef* ref = records.store().by_uid(text_at(owner, {"uid"}));
  return !ref || (!ref->ns.empty() && ref->ns != ns) || ref->name != text_at(owner, {"name"});
}

}  // namespace

void collect_garbage(ControllerContext& context, const ObjectRef& ref) {
  Records& records = context.records;
  Object object = records.store().get(ref);
  const Json* finalizers = find(*object, {"metadata", "finalizers"});
  bool foreground = finalizers && finalizers->is_array() &&
                    std::find(finalizers->begin(), finalizers->end(), kForeground) != finalizers->end();
  if (foreground && find(*object, {"metadata", "deletionTimestamp"})) {
    auto dependents = records.store().dependents(text_at(*object, {"metadata", "uid"}));
    for (const ObjectRef& dependent : dependents) {
      Object each = records.store().get(dependent);
      if (!each || find(*each, {"metadata", "deletionTimestamp"})) continue;
      bool leaf = records.store().dependents(text_at(*each, {"metadata", "uid"})).empty();
      records.remove(dependent, leaf ? Propagation::Background : Propagation::Foreground);
    }
    if (!records.store().dependents(text_at(*object, {"metadata", "uid"})).empty()) return;
    Json next = *object;
    Json left = Json::array();
    for (const Json& each : *finalizers)
      if (each != kForeground) left.push_back(each);
    next["metadata"]["finalizers"] = left;
    if (left.empty()) next["metadata"].erase("finalizers");
    records.replace(ref, std::move(next));
    return;
  }
  const Json* owners = find(*object, {"metadata", "ownerReferences"});
  if (!owners || !owners->is_array() || owners->empty()) return;
  if (find(*object, {"metadata", "deletionTimestamp"})) return;
  bool all_absent =
      std::all_of(owners->begin(), owners->end(), [&](const Json& owner) { return is_absent(records, owner, ref.ns); });
  if (all_absent) records.remove(ref, Propagation::Background);
}

void finish_namespace(ControllerContext& context, const ObjectRef& ref) {
  Records& records = context.records;
  Object space = records.store().get(ref);
  if (!find(*space, {"metadata", "deletionTimestamp"})) return;
  bool empty = true;
  for (const ResourceType* type : records.catalogue().all()) {
    if (!type->namespaced) continue;
    for (const Object& object : records.store().list(*type, ref.name)) {
      ObjectRef content{type, ref.name, text_at(*object, {"metadata", "name"})};
      if (find(*object, {"metadata", "deletionTimestamp"}) || records.remove(content, Propagation::Background))
        empty = false;
    }
  }
  if (!empty) return;
  Json next = *space;
  const Json* finalizers = find(next, {"metadata", "finalizers"});
  if (!finalizers || finalizers->empty()) records.store().erase(ref);
}

}  // namespace reconciler
