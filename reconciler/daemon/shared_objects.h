// Objects that Git and a rollout both write: a Service's selector and a VirtualService's routes are one value each to
// server-side apply, so what the rollout owns is filled into the manifest before it is applied (design.md 6).
#pragma once

#include <optional>

#include "base/json.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// `manifest` with the selector key or the weights that belong to `rollout`: the live value where the object exists,
/// what the status asks for where it does not. Other objects come back as they are.
Json filled_in(const Json& manifest, const Rollout& rollout, const Observed& live, const std::optional<Status>& status);

}  // namespace reconciler
