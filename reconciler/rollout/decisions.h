// What people decide about a rollout under way: promote, promote-full, abort, retry, pause, resume (spec 3.7).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rollout/advance.h"

namespace reconciler {

/// The transition that the decision file asks for, or the one that says why it is ignored: whoever made it may not, it
/// is about something else, or a freeze asks for a signed one. Nothing when there is none, or it was answered already.
std::optional<Advance> obey(const Rollout& desired, const Status& status, const Observed& live, TimePoint now);

/// Was this decision carried out, or ignored, before?
bool is_answered(const Status& status, const RolloutDecision& decision);

/// Does it let a version go on, rather than hold it or take it back?
bool goes_forward(Verb verb);

/// `promoted by Ann <ann@example.com>: looks good`
std::string said(std::string_view what, const RolloutDecision& decision);

/// What becomes of a decision that does not apply.
std::string why_not(const RolloutDecision& decision, std::string_view reason);

/// The decided transition, with the decision remembered in it so that the same file is not carried out twice.
Advance remembered(Advance out, const RolloutDecision& decision, TimePoint now);

/// Did a person pause the canary, and nobody end that yet?
bool held_by_person(const Status& status);

}  // namespace reconciler
