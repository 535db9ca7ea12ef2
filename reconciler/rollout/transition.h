// The transitions a rollout can make, each as "from this status to that one, and why". They decide nothing: `advance`
// says which one is due.
#pragma once

#include <optional>
#include <string>

#include "rollout/advance.h"

namespace reconciler {

/// What Git asks for, as a revision that begins now.
Revision revision_of(const Rollout& desired, const Observed& live, TimePoint now);

/// `deploying v2 (step 0/8)`: a new canary from its first step, or past the last one when `desired` was stable
/// recently (fast path). `why` empty: says what changed.
Advance start(const Rollout& desired, const Status& status, const Observed& live, const std::string& why,
              TimePoint now);

/// `deploying v1 (step 8/8)`: no steps, because no stable revision is there to protect.
Advance deploy_first(const Rollout& desired, const Status& status, const Observed& live, const std::string& why,
                     TimePoint now);

/// Blue-green, `previewing v2`: the new version is up and waits to be accepted.
Advance show_preview(const Rollout& desired, const Status& status, const std::string& pods, TimePoint now);

/// Blue-green, `accepted v2`: nothing but its pods is waited for any more.
Advance accept_preview(const Rollout& desired, const Status& status, const std::string& why, TimePoint now);

/// `experimenting at 20% (step 2/8)`: its pods are up and get their share, its time runs.
Advance begin_experiment(const Rollout& desired, const Status& status, const Experiment& experiment, TimePoint now);

/// The present step is complete; `weight` is the canary's share from now on.
Advance next_step(const Rollout& desired, const Status& status, int weight, const std::string& why, TimePoint now);

/// Another weight, same step.
Advance shift(const Rollout& desired, const Status& status, int weight, const std::string& why);

/// The weight of this step again after its pods were lost; a pause starts over.
Advance shift_again(const Rollout& desired, const Status& status, int weight, const std::string& why, TimePoint now);

/// `canary 0% ...`: no pod of it is left.
Advance lose_traffic(const Rollout& desired, const Status& status, const std::string& why);

/// `promoting v2`: the canary is the stable revision from now on. `pods` says what it has.
Advance promote(const Rollout& desired, const Status& status, const std::string& pods, TimePoint now);

/// `promoted v2`: live agrees. Also ends a first deploy.
Advance promoted(const Rollout& desired, const Status& status, TimePoint now);

/// `returning to v1: Git asks for v1 again`
Advance turn_back(const Rollout& desired, const Status& status, TimePoint now);

/// `returning to v1: <why>`; the canary's revision is remembered as rejected.
Advance reject(const Rollout& desired, const Status& status, const std::string& why, TimePoint now);

/// `rolled back to v1: <why>`: Healthy when Git asks for stable, Degraded when it still asks for what failed.
Advance returned(const Rollout& desired, const Status& status);

/// Git gave up what failed: Healthy again.
Advance forgive(const Rollout& desired, const Status& status);

/// Degraded, because nothing moved for too long; it goes on by itself when something does.
Advance degrade(const Rollout& desired, const Status& status, const std::string& why);

/// spec.paused was set or taken away in mid-canary; nothing when that changes nothing.
std::optional<Advance> freeze_or_thaw(const Rollout& desired, const Status& status);

/// The name of the ReplicaSet belongs to somebody else's: another hash from now on (collisionCount of spec 2.1).
Advance take_other_name(const Rollout& desired, const Status& status);

/// The manifest was refused and is valid again.
Advance accept_again(const Rollout& desired, const Status& status);

/// `canary 20% (step 1/8)` and the like: the position of `status` behind a text.
std::string at_step(const std::string& text, const Status& status);

/// The phase of a canary that is at `index`.
Phase phase_at(const Rollout& desired, int index);

/// Why a canary is to begin anew for Git, or there is a new one (then empty); nothing when none is.
std::optional<std::string> due_start(const Rollout& desired, const Status& status);

/// Back to what was stable recently: no steps, and no freeze holds it up.
bool is_way_back(const Rollout& desired, const Status& status, const Observed& live);

/// Is the canary at a pause step, or does its preview wait to be accepted?
bool is_at_pause(const Rollout& desired, const Status& status);

/// The phase of a canary that nobody holds and that is not on its way out.
Phase phase_of(const Rollout& desired, const Status& status);

/// A decision that is not carried out, and why: answered once.
Advance ignore(const Status& status, const RolloutDecision& decision, const std::string& why);

/// The canary stays where it is until somebody says so: Rollout-Pause-At.
Advance pause_at_mark(const Rollout& desired, const Status& status);

/// Everything rejected that Git does not ask for any more may be tried again when it does.
void lapse_rejections(Status& status, const std::string& except_hash);

}  // namespace reconciler
