#pragma once

#include <cstdint>

#include "base/json.h"

namespace reconciler {

/// The object without what its API server and its controllers write into it: status, resourceVersion, generation,
/// managedFields and the like. Two objects of equal content are the same to whoever wrote the manifest.
Json content_of(Json object);

/// A digest of `content_of(object)`, made without a copy. For comparing within one process, never to be stored.
uint64_t content_digest(const Json& object);

}  // namespace reconciler
