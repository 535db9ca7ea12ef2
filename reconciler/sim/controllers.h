// The controllers of a world: pods, ReplicaSets, Deployments, garbage collection, namespaces, and the kinds that
// definitions add. They work from a queue of objects that changed and from timers, never by scanning.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "sim/records.h"

namespace reconciler {

/// What the syncs of single objects may use.
struct ControllerContext {
  Records& records;
  Duration ready_after;
  const ResourceType* pods;
  const ResourceType* replica_sets;
  std::function<void(const ObjectRef&, TimePoint)> look_again;  ///< no later than then
  std::set<ObjectRef>& loose_pods;                              ///< pods without a controller
};

/// Makes a pod ready, or failing, as its images ask for.
void start_pod(ControllerContext& context, const ObjectRef& ref);
void sync_replica_set(ControllerContext& context, const ObjectRef& ref);
void sync_deployment(ControllerContext& context, const ObjectRef& ref);
/// Deletes what lost all its owners, and lets foreground deletion end.
void collect_garbage(ControllerContext& context, const ObjectRef& ref);
/// Empties a namespace that is being deleted, then removes it.
void finish_namespace(ControllerContext& context, const ObjectRef& ref);

class Controllers {
 public:
  /// `settled` is called each time the controllers have come to rest at a moment.
  Controllers(Records& records, Duration ready_after, std::function<void()> settled);

  void on_event(const StoreEvent& event);
  void run_until(TimePoint now);
  std::optional<TimePoint> next_due() const;

 private:
  void enqueue(const ObjectRef& ref);
  void enqueue_owners(const Json& object, const std::string& ns);
  void sync(const ObjectRef& ref);
  void schedule(const ObjectRef& ref, TimePoint when);
  void drop_timer(const ObjectRef& ref);
  void drain();

  Records& records_;
  ControllerContext context_;
  std::function<void()> settled_;
  std::set<ObjectRef> loose_pods_;
  std::deque<ObjectRef> queue_;
  std::set<ObjectRef> queued_;
  std::set<std::pair<TimePoint, ObjectRef>> timers_;
  std::map<ObjectRef, TimePoint> due_;
};

}  // namespace reconciler
