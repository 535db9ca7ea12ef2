#include "sim/controllers.h"

#include <algorithm>

#include "base/check.h"

namespace reconciler {
namespace {

ObjectRef ref_of(const StoreEvent& event) {
  return {event.type, text_at(*event.object, {"metadata", "namespace"}), text_at(*event.object, {"metadata", "name"})};
}

bool has_controller(const Json& object) {
  const Json* owners = find(object, {"metadata", "ownerReferences"});
  return owners && owners->is_array() &&
         std::any_of(owners->begin(), owners->end(), [](const Json& owner) { return flag_at(owner, {"controller"}); });
}

}  // namespace

Controllers::Controllers(Records& records, Duration ready_after, std::function<void()> settled)
    : records_(records),
      context_{records,
               ready_after,
               records.catalogue().by_kind("v1", "Pod"),
               records.catalogue().by_kind("apps/v1", "ReplicaSet"),
               [this](const ObjectRef& ref, TimePoint when) { schedule(ref, when); },
               loose_pods_},
      settled_(std::move(settled)) {}

void Controllers::on_event(const StoreEvent& event) {
  ObjectRef ref = ref_of(event);
  const std::string& kind = event.type->kind;
  bool deleted = event.kind == StoreEvent::Kind::Deleted;
  bool has_owners = find(*event.object, {"metadata", "ownerReferences"});
  if (kind == "Pod" && event.type == context_.pods) {
    if (deleted) {
      drop_timer(ref);
      loose_pods_.erase(ref);
    } else {
      if (event.kind == StoreEvent::Kind::Added) schedule(ref, records_.now() + context_.ready_after);
      if (has_controller(*event.object)) {
        loose_pods_.erase(ref);
      } else if (loose_pods_.insert(ref).second) {
        for (const Object& set : records_.store().list(*context_.replica_sets, ref.ns))
          enqueue({context_.replica_sets, ref.ns, text_at(*set, {"metadata", "name"})});
      }
    }
  } else if (deleted) {
    drop_timer(ref);
  }
  bool workload = kind == "ReplicaSet" || kind == "Deployment";
  bool being_deleted = find(*event.object, {"metadata", "deletionTimestamp"});
  if (!deleted && (workload || being_deleted || (has_owners && event.kind == StoreEvent::Kind::Added))) enqueue(ref);
  if (has_owners) enqueue_owners(*event.object, ref.ns);
  if (event.previous && find(*event.previous, {"metadata", "ownerReferences"})) enqueue_owners(*event.previous, ref.ns);
  if (!deleted) return;
  for (const ObjectRef& dependent : records_.store().dependents(text_at(*event.object, {"metadata", "uid"})))
    enqueue(dependent);
  // A namespace that is being emptied waits for its content.
  if (ref.ns.empty()) return;
  ObjectRef space{records_.catalogue().by_kind("v1", "Namespace"), "", ref.ns};
  if (Object object = records_.store().get(space); object && find(*object, {"metadata", "deletionTimestamp"}))
    enqueue(space);
}

void Controllers::enqueue(const ObjectRef& ref) {
  if (queued_.insert(ref).second) queue_.push_back(ref);
}

void Controllers::enqueue_owners(const Json& object, const std::string& ns) {
  for (const Json& owner : object["metadata"]["ownerReferences"]) {
    const ObjectRef* ref = records_.store().by_uid(text_at(owner, {"uid"}));
    if (ref && (ref->ns.empty() || ref->ns == ns)) enqueue(*ref);
  }
}

void Controllers::sync(const ObjectRef& ref) {
  if (!records_.store().get(ref)) return;
  collect_garbage(context_, ref);
  if (!records_.store().get(ref)) return;
  if (ref.type == context_.replica_sets)
    sync_replica_set(context_, ref);
  else if (ref.type->kind == "Deployment" && ref.type->group == "apps")
    sync_deployment(context_, ref);
  else if (ref.type->kind == "Namespace" && ref.type->group.empty())
    finish_namespace(context_, ref);
}

void Controllers::schedule(const ObjectRef& ref, TimePoint when) {
  auto found = due_.find(ref);
  if (found != due_.end()) {
    if (found->second <= when) return;
    timers_.erase({found->second, ref});
  }
  due_[ref] = when;
  timers_.emplace(when, ref);
}

void Controllers::drop_timer(const ObjectRef& ref) {
  auto found = due_.find(ref);
  if (found == due_.end()) return;
  timers_.erase({found->second, ref});
  due_.erase(found);
}

void Controllers::drain() {
  // Each sync makes the world agree a little more; a controller that never rests is our own bug.
  size_t bound = 10'000'000;
  while (!queue_.empty()) {
    CHECK(bound-- > 0);
    ObjectRef ref = queue_.front();
    queue_.pop_front();
    queued_.erase(ref);
    sync(ref);
  }
  settled_();
}

void Controllers::run_until(TimePoint now) {
  drain();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    auto [when, ref] = *timers_.begin();
    timers_.erase(timers_.begin());
    due_.erase(ref);
    records_.set_now(std::max(records_.now(), when));
    if (ref.type == context_.pods)
      start_pod(context_, ref);
    else
      enqueue(ref);
    drain();
  }
  records_.set_now(std::max(records_.now(), now));
}

std::optional<TimePoint> Controllers::next_due() const {
  if (!queue_.empty()) return records_.now();
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

}  // namespace reconciler
