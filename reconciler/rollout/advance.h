// The state machine of one rollout: where should we be, and why? The only place with policy.
//
//                       Git asks for another template
//   Healthy ────────────────────────────────────────────► deploying (step 0/n)
//      ▲                                                     │  pods available: record the weight, next step
//      │ live agrees                                         ▼
//   promoting ◄── canary 100% ◄── past the last step ◄── canary W% (step i/n) ◄─┐
//   (stable is the new one)                                  │  └── pause over ──┘
//                                                            │ Git asks for stable again, abort, deadline
//                         live agrees                        ▼
//   Healthy or Degraded ◄──────────────────────────────── returning (weight 0)
//
// Blue-green has no steps and no weights between: deploying ─► previewing (until somebody, or time, accepts it) ─►
// accepted (all pods) ─► promoting (the active Service is switched), and the same ways back.
//
// One transition per pass. Each is recorded before anything of it is done, and a step ends only when live agrees
// with its target. A new template at any point starts again at "deploying".
#pragma once

#include <optional>
#include <string>

#include "rollout/diff.h"
#include "rollout/observed.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// A step of the state machine. `status` equals the one before when nothing happens; then `subject` is empty.
struct Advance {
  Status status;
  std::string subject;  ///< without the rollout's name
  std::string why;
  std::string held;  ///< nothing can be decided, and what a person must do
  std::optional<TimePoint> look_again;
  bool urgent = false;
  bool frozen = false;  ///< nothing but the end of a freeze is waited for
};

/// While the manifest is refused: nothing moves, but a canary without pods loses its traffic.
Advance stay_refused(const Rollout& last_good, const Observed& live, const Status& status, TimePoint now);

Advance advance(const Rollout& desired, const Observed& live, const std::optional<Status>& status, TimePoint now);

}  // namespace reconciler
