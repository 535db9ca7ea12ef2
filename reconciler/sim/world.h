// A Kubernetes cluster in memory: the API verbs with the answers of a real API server, and the few controllers a
// rollout needs. It has no clock, no threads and no chance: whoever owns it says what time it is with `advance_to`,
// and the same calls give the same world. The HTTP server puts a mutex around it; the simulator owns time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/records.h"
#include "sim/selector.h"

namespace reconciler {

class Controllers;
class RequestTraffic;

struct WorldOptions {
  Duration ready_after = 0ms;       ///< from a pod's creation until it is ready
  TimePoint now = {};               ///< when the world begins
  double requests_per_second = 10;  ///< per route of each VirtualService
  uint64_t seed = 1;                ///< of uids and name suffixes
  size_t history_per_type = 10000;  ///< watch events kept per kind; older ones answer 410
};

/// What a request is about. `version` empty: the stored one.
struct ResourcePath {
  const ResourceType* type = nullptr;
  std::string ns = {};
  std::string name = {};
  std::string version = {};
  std::string subresource = {};  ///< empty, status, scale
};

enum class PatchKind { Json, Merge, Strategic, Apply };

struct WriteOptions {
  std::string manager = "unknown";
  bool dry_run = false;
  bool force = false;   ///< server-side apply takes over what others own
  bool strict = false;  ///< unknown fields are refused
};

struct RemoveOptions {
  Propagation propagation = Propagation::Background;
  std::string uid = {};               ///< precondition; empty: none
  std::string resource_version = {};  ///< precondition; empty: none
  bool dry_run = false;
};

struct Written {
  Object object;
  bool created = false;
};

struct Removed {
  Object object;      ///< its last state
  bool gone = false;  ///< false while finalizers hold it
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  const Catalogue& catalogue() const { return records_.catalogue(); }
  /// Reading, listing and watching beyond the verbs; whoever writes uses the verbs.
  const Store& store() const { return records_.store(); }
  int subscribe(Store::Subscriber subscriber) { return records_.store().subscribe(std::move(subscriber)); }
  void unsubscribe(int id) { records_.store().unsubscribe(id); }
  /// Forgets all watch history: the next watch from an older version answers 410.
  void compact() { records_.store().compact(records_.store().version()); }

  // Objects come and go in their stored version; `in_version` gives them the one a client asked for.
  Answer<Object> get(const ResourcePath& target) const;
  std::vector<Object> list(const ResourcePath& target, const LabelSelector& labels = {},
                           const FieldSelector& fields = {}) const;
  Answer<Object> create(const ResourcePath& target, Json object, const WriteOptions& options = {});
  Answer<Object> update(const ResourcePath& target, Json object, const WriteOptions& options = {});
  Answer<Written> patch(const ResourcePath& target, PatchKind kind, const Json& patch,
                        const WriteOptions& options = {});
  Answer<Removed> remove(const ResourcePath& target, const RemoveOptions& options = {});
  /// Removes a pod unless a PodDisruptionBudget protects it; then 429.
  Answer<Removed> evict(const ResourcePath& pod, const RemoveOptions& options = {});

  /// Lets the controllers do everything that is due up to `now`, in order of time.
  void advance_to(TimePoint now);
  /// When a controller next has something to do; nothing when only a write can change the world.
  std::optional<TimePoint> next_due() const;
  TimePoint now() const { return records_.now(); }

  RequestTraffic& traffic() { return *traffic_; }

 private:
  Answer<Json> prepare_new(const ResourcePath& target, Json object, const WriteOptions& options);
  Answer<Object> store_change(const ResourcePath& target, const Object& live, Json next, const WriteOptions& options,
                              bool record);
  Answer<Object> scale(const ResourcePath& target, const Object& live, const Json& scale, const WriteOptions& options);
  Answer<Written> apply(const ResourcePath& target, const Object& live, const Json& config,
                        const WriteOptions& options);
  std::optional<ApiError> check_namespace(const ResourcePath& target) const;
  void allocate(const ResourceType& type, Json& object);
  void after_write(const StoreEvent& event);

  WorldOptions options_;
  Records records_;
  std::unique_ptr<RequestTraffic> traffic_;
  std::unique_ptr<Controllers> controllers_;
  uint32_t next_address_ = 0;
};

/// The object as `version` of its kind shows it.
Object in_version(const Object& object, const ResourceType& type, std::string_view version);

}  // namespace reconciler
