// metadata.managedFields: who owns which field of an object, and server-side apply on top of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/time.h"
#include "sim/api_error.h"
#include "sim/field_set.h"

namespace reconciler {

struct FieldManager {
  std::string name;
  std::string api_version;  ///< of the request
  std::string subresource;
};

/// What an update by `manager` makes of the managed fields: `after` gets `before`'s entries, with what changed moved to
/// the manager. An object whose update names other managedFields keeps the server's (an empty list clears them).
void record_update(const Json& before, Json& after, const FieldManager& manager, const Shape& shape, TimePoint now);

/// Whether two states of an object differ in nothing but the times of their managed fields.
bool same_but_for_times(const Json& a, const Json& b);

enum class OnConflict { Refuse, Force };

/// `live` (null when there is none) with `config` applied and managedFields brought up to date. A conflict answers 409
/// with the managers and fields.
Answer<Json> apply_server_side(const Json& live, const Json& config, const FieldManager& manager,
                               OnConflict on_conflict, const Shape& shape, TimePoint now);

}  // namespace reconciler
