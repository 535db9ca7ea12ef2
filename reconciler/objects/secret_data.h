#pragma once

#include "base/json.h"

namespace reconciler {

/// A Secret with what stands under `stringData` moved to `data`, in base64, as the API server keeps it: only so does a
/// value that leaves the manifest leave the Secret. Other objects come back as they are.
Json with_plain_data(Json object);

}  // namespace reconciler
