// The `.status` of a Rollout object as controllers, dashboards and health checks of the field read it (spec 1.6). A
// view: nothing is decided from it. It does not say who approved what or why a revision is remembered; Git does.
#pragma once

#include "base/json.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// `before`: the status that is published now, or null; a condition that says the same keeps its times, so the same
/// facts give the same JSON. `generation`: of the object as it stands in the cluster.
Json published_status(const Rollout& desired, const Observed& live, const std::optional<Status>& status,
                      const Json& before, int64_t generation, TimePoint now);

/// The same for a manifest that is refused: what was known stays, and why it is refused comes first.
Json refused_status(const Json& before, const std::string& why, TimePoint now);

/// Does `before` show everything that `status` says, and nothing of what it does not say any more? What others added
/// of their own does not count.
bool is_published(const Json& before, const Json& status);

/// `spec.selector` as the text that label queries take: `app=till,tier in (a,b)`; empty when it selects nothing.
std::string selector_text(const Json& selector);

}  // namespace reconciler
