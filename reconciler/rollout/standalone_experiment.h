// An Experiment that is a manifest of its own: the third strategy beside canary and blue-green. It has no versions, no
// steps and no weights; its pods come, stay for their time, and go:
//
//   started ─► all pods up: running (its time runs) ─► succeeded: its time is over, `terminate`, or a person
//      │            │                                  failed: its pods do not come (back) in time, or a person
//      └────────────┴────────────────────────────────► then its pods go after their delay
//
// What ran is remembered by the hash of its spec: the same spec is not run again, another one is a new run.
#pragma once

#include "rollout/advance.h"
#include "rollout/diff.h"
#include "rollout/target.h"

namespace reconciler {

Advance advance_standalone(const Rollout& desired, const Observed& live, const Status& status, TimePoint now);

/// Its pods while it runs; none before and after.
Target standalone_target(const Rollout& desired, const Status& status);

Difference standalone_difference(const Rollout& desired, const Observed& live, const Target& target, TimePoint now);

/// Is a run of what Git asks for under way?
bool is_running(const Rollout& desired, const Status& status);

}  // namespace reconciler
