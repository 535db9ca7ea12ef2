// The objects of a world, and the log of what happened to them. Every write is one event with its own
// resourceVersion, counted over all kinds, as etcd counts revisions.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/api_error.h"
#include "sim/resource_type.h"

namespace reconciler {

/// Objects are immutable once stored; readers keep what they read.
using Object = std::shared_ptr<const Json>;

struct StoreEvent {
  enum class Kind { Added, Modified, Deleted };
  Kind kind = Kind::Added;
  uint64_t version = 0;
  const ResourceType* type = nullptr;
  Object object;    ///< after it; for Deleted the last state, with the version of the deletion
  Object previous;  ///< before it; null for Added
};

class Store {
 public:
  explicit Store(size_t history_per_type) : history_per_type_(history_per_type) {}

  Object get(const ObjectRef& ref) const;
  /// In order of namespace and name; `ns` empty: all namespaces.
  std::vector<Object> list(const ResourceType& type, const std::string& ns) const;
  /// Calls `visit` for each object after (`ns`, `name`) until it says false.
  void visit_after(const ResourceType& type, const std::string& ns, const std::string& after_ns,
                   const std::string& after_name, const std::function<bool(const Object&)>& visit) const;
  size_t count(const ResourceType& type) const;

  /// Writes the object, giving it its resourceVersion.
  Object put(const ObjectRef& ref, Json object);
  void erase(const ObjectRef& ref);

  uint64_t version() const { return version_; }
  /// Events of a type after `version`, oldest first; 410 when they are no longer all kept.
  Answer<std::vector<StoreEvent>> events_after(const ResourceType& type, uint64_t version) const;
  /// Forgets the history up to `version`, as etcd's compaction does.
  void compact(uint64_t version);

  /// Called with every event as it happens, in order of subscription. Subscribers do not write to the store.
  using Subscriber = std::function<void(const StoreEvent&)>;
  int subscribe(Subscriber subscriber);
  void unsubscribe(int id);

  /// Objects that name this uid as an owner.
  std::vector<ObjectRef> dependents(const std::string& uid) const;
  /// The object with this uid.
  const ObjectRef* by_uid(const std::string& uid) const;

 private:
  void index(const ObjectRef& ref, const Json* before, const Json* after);
  void publish(StoreEvent event);

  using Names = std::map<std::string, Object>;
  struct TypeLess {
    bool operator()(const ResourceType* a, const ResourceType* b) const { return a->order < b->order; }
  };
  std::map<const ResourceType*, std::map<std::string, Names>, TypeLess> objects_;
  std::map<std::string, std::set<ObjectRef>> dependents_;
  std::map<std::string, ObjectRef> by_uid_;
  struct History {
    std::deque<StoreEvent> events;
    uint64_t forgotten = 0;  ///< the newest event that is no longer kept
  };
  std::map<const ResourceType*, History, TypeLess> history_;
  std::map<int, Subscriber> subscribers_;
  int next_subscriber_ = 0;
  size_t history_per_type_;
  uint64_t version_ = 1;
  uint64_t compacted_ = 0;
};

}  // namespace reconciler
