// The objects of a world with the rules that hold for every write, by a client or by a controller: uid, timestamps,
// generation, and deletion that waits for finalizers.
#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "sim/store.h"

namespace reconciler {

enum class Propagation { Background, Foreground, Orphan };

class Records {
 public:
  Records(size_t history_per_type, uint64_t seed, TimePoint now) : store_(history_per_type), seed_(seed), now_(now) {}

  Store& store() { return store_; }
  const Store& store() const { return store_; }
  const Catalogue& catalogue() const { return catalogue_; }
  Catalogue& catalogue() { return catalogue_; }

  TimePoint now() const { return now_; }
  void set_now(TimePoint now) { now_ = now; }

  /// What creating `object` would store: server-side metadata filled in.
  Json as_created(const ObjectRef& ref, Json object);
  /// What replacing `live` by `object` would store: server-side metadata kept, generation counted.
  Json as_replaced(const ResourceType& type, const Json& live, Json object) const;

  Object create(const ObjectRef& ref, Json object) { return store_.put(ref, as_created(ref, std::move(object))); }
  /// Writes nothing when nothing changes; removes the object when its deletion waited for the finalizer that went.
  Object replace(const ObjectRef& ref, Json object);
  Object set_status(const ObjectRef& ref, Json status);

  /// Removes the object, or marks it for removal while finalizers hold it. Null when it is gone, else what is left.
  Object remove(const ObjectRef& ref, Propagation propagation);

  std::string new_uid();
  /// Five characters as generateName appends them.
  std::string new_suffix();

 private:
  uint64_t draw();

  Catalogue catalogue_;
  Store store_;
  uint64_t seed_;
  uint64_t drawn_ = 0;
  TimePoint now_;
};

}  // namespace reconciler
