// Objects that Git and a rollout both write: a Service's selector and a VirtualService's routes are one value each to
// server-side apply, so what the rollout owns is filled into the manifest before it is applied (design.md 6).
#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/json.h"
#include "base/object_key.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// `manifest` with the selector key or the weights that belong to `rollout`: the live value where the object exists,
/// what the status asks for where it does not. Other objects come back as they are.
Json filled_in(const Json& manifest, const Rollout& rollout, const Observed& live, const std::optional<Status>& status);

/// May a rollout that cannot be read have something of its own in an object of this kind?
bool may_carry_traffic(const ObjectKey& key);

/// Does the live Service say that a rollout selects its revision?
bool is_managed(const Json& live_service);

/// `manifest` with the selector key of a managed Service, or with the routes that lead to the Services in
/// `managed`, as `live` has them. For when no valid Rollout tells what is its own.
Json keeping_traffic(Json manifest, const Json& live, const std::set<std::string>& managed);

}  // namespace reconciler
