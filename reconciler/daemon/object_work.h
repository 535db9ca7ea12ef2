// What is done about one object off the decision thread: it is read, compared, and written when it must be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "objects/health.h"
#include "objects/pointer.h"
#include "ports.h"

namespace reconciler {

/// One object that Git asks for.
struct ObjectWork {
  Json in_git;    ///< the manifest as it is written
  Json manifest;  ///< as it is to be applied: with our owner label, and the fields of rollouts filled in
  /// No valid Rollout says what is its own here; what the live object shows of one stays (its file may be wrong just
  /// now).
  bool keeps_traffic = false;
  bool left_alone = false;            ///< another controller keeps the object
  std::vector<Pointer> ignored = {};  ///< fields that are left to others
  std::vector<Pointer> scaled = {};   ///< fields that an autoscaler sets
  std::string last_digest = {};       ///< of the manifest that the live object was found to agree with; empty: none
  enum class Step {
    Compare,  ///< an unchanged object is not written, and neither is one that others changed: that is told
    Correct,  ///< what others changed is taken back
  } step = Step::Compare;
};

/// How a live object differs from a manifest that did not change.
struct Drift {
  std::string fields;  ///< their paths, or that it was deleted
  std::string by;      ///< manager, verb and time of who did it; empty when nobody knows
  bool operator==(const Drift&) const = default;
};

struct ObjectFinding {
  enum class Kind {
    Agrees,
    Written,
    Drifted,    ///< and not written
    LeftAlone,  ///< as its marks ask for
  } kind = Kind::Agrees;
  std::string digest = {};  ///< of the manifest in Git
  std::string uid = {};     ///< empty when it is not there
  uint64_t content = 0;     ///< of the live object after it
  Health health = {};
  Drift drift = {};
  bool replaced = false;  ///< deleted and made anew
};

/// What of an object counts when it is compared with another state of itself.
Json compared(const Json& object);

/// Does the work. `Invalid`: refused, and trying again is of no use until the manifest or the object changes.
Result<ObjectFinding> work_on(Cluster& cluster, const ObjectWork& work);

/// That the live object agrees with a manifest that nothing was filled in to; nothing when only `work_on` can tell.
std::optional<ObjectFinding> agreement(Cluster& cluster, const ObjectWork& work);

}  // namespace reconciler
