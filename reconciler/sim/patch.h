// The three patches that change an object without a field manager's bookkeeping: JSON patch (RFC 6902), merge patch
// (RFC 7386) and Kubernetes' strategic merge patch.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "sim/shape.h"

namespace reconciler {

/// `Conflict` when a `test` does not hold, `Invalid` when the patch is malformed or names what is not there.
Result<Json> apply_json_patch(const Json& document, const Json& patch);

Json apply_merge_patch(const Json& document, const Json& patch);

/// Lists of built-in kinds merge by their key; `$patch`, `$retainKeys`, `$setElementOrder` and
/// `$deleteFromPrimitiveList` are honoured.
Result<Json> apply_strategic_patch(const Json& document, const Json& patch, const Shape& shape);

}  // namespace reconciler
