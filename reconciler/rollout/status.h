// What must be remembered of a rollout because it cannot be observed: the status file in Git, typed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "rollout/rollout.h"

namespace reconciler {

enum class Phase { Healthy, Progressing, Paused, Degraded };

std::string_view to_text(Phase phase);
std::optional<Phase> parse_phase(std::string_view text);

/// One version of a rollout: its pod-template hash, the image people know it by, and since when it had this role.
struct Revision {
  std::string hash;
  std::string image;
  TimePoint since;
  bool operator==(const Revision&) const = default;
};

/// `index` is the number of steps completed (Argo's currentStepIndex); `since` is when the present one began.
struct StepPosition {
  int index = 0;
  int count = 0;
  TimePoint since;
  std::string hash;  ///< of the list of steps, so that a change of the list is noticed
  bool operator==(const StepPosition&) const = default;
};

/// Blue-green: the new version is up for preview. Once that is accepted it grows to its full size and is switched to.
struct Preview {
  TimePoint since;  ///< when it was up, or accepted
  bool accepted = false;
  bool operator==(const Preview&) const = default;
};

/// One run of an Experiment that is a manifest of its own. It is not run again while its spec stays the same.
struct ExperimentRun {
  std::string hash;   ///< of that spec, but for `terminate`
  TimePoint since;    ///< when it began
  std::string ended;  ///< why it is over; empty while it runs
  bool failed = false;
  bool operator==(const ExperimentRun&) const = default;
};

/// A revision that failed. It is not started again until `lapsed`: Git asked for another template, or a retry came.
struct Rejected {
  std::string hash;
  std::string image;
  TimePoint at;
  std::string why;
  bool lapsed = false;
  bool operator==(const Rejected&) const = default;
};

/// The last decision of a person that was carried out.
struct CarriedOut {
  Verb verb = Verb::Promote;
  std::string revision;
  std::optional<int> step;
  std::string by;
  std::string commit;
  TimePoint at;
  std::string reason;
  bool operator==(const CarriedOut&) const = default;
};

/// The last decision of a person that was not carried out.
struct Ignored {
  std::string commit;
  Verb verb = Verb::Promote;
  std::string by;
  std::string why;
  bool operator==(const Ignored&) const = default;
};

/// A transition is a change of this value; everything else about a rollout is observed.
struct Status {
  Phase phase = Phase::Progressing;
  std::string commit;                ///< the commit that asked for it
  std::optional<Revision> stable;    ///< absent until the first deploy is up
  std::optional<Revision> canary;    ///< the revision on its way in, or (weight 0) on its way out
  std::optional<StepPosition> step;  ///< absent without steps
  std::optional<Preview> preview;    ///< absent until the preview is up, and without blue-green
  std::optional<ExperimentRun> run;  ///< of an Experiment, which has neither versions nor steps
  /// Since when all pods of the present step's experiment, or of the present run, are up; absent until they are.
  std::optional<TimePoint> experiment;
  std::string returning;           ///< why the canary is on its way out; empty while it is not
  int weight = 0;                  ///< the canary's share the route is asked for
  int whole = kWholeWeight;        ///< what that is a part of, while it is not 0
  bool pong_is_stable = false;     ///< with pingPong: the pong Service is the stable side
  std::vector<Revision> previous;  ///< former stable revisions, newest first, at most the rollback window
  std::vector<Rejected> rejected;  ///< newest first, at most 10
  std::optional<int> collisions;   ///< collisionCount of spec 2.1
  std::optional<CarriedOut> decision;
  std::optional<Ignored> ignored;          ///< gone once another decision is answered
  std::optional<DeployTrailers> trailers;  ///< of this run's deploy commit
  std::string refused;                     ///< why the manifest in Git is refused; empty when it is not
  bool operator==(const Status&) const = default;
};

/// Its weight, `20%` or `20 of 1000`.
inline std::string share_text(const Status& status) { return share_text(status.weight, status.whole); }

}  // namespace reconciler
