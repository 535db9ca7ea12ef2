// The deployments that a status history tells of: who asked for them, how long they took, how they ended. Pure: it
// reads what was recorded, and knows nothing of Git.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/recorded.h"

namespace reconciler {

enum class Outcome {
  Running,     ///< not ended yet
  Promoted,    ///< it became the stable version
  RolledBack,  ///< it lost its traffic before it was stable: aborted, failed, or reverted
  Reverted,    ///< it was promoted, and an earlier version was brought back after it
  Superseded,  ///< another version was asked for before it ended
  Removed,     ///< its Rollout was removed from Git
};

std::string_view to_text(Outcome outcome);

/// One version of one rollout on its way in.
struct Deployment {
  std::string cluster;
  RolloutKey rollout;
  std::string revision;
  std::string image;
  std::string from;    ///< the image that was stable before; empty on a first deploy
  std::string commit;  ///< that asked for it
  TimePoint began;
  std::optional<TimePoint> exposed;   ///< when it first got traffic
  std::optional<TimePoint> ended;     ///< promoted, or every request back on the former version
  std::optional<TimePoint> restored;  ///< of a failed one: when an earlier version had all traffic again
  Outcome outcome = Outcome::Running;
  std::string why;  ///< of its end
  std::vector<std::string> approved_by;
  // Filled in from the commit that asked for it, as far as the clone has it:
  std::string author;
  std::string merged_by;  ///< when it is a merge; then `author` are those of what was merged
  std::optional<TimePoint> committed;

  bool failed() const { return outcome == Outcome::RolledBack || outcome == Outcome::Reverted; }
};

/// Takes status commits one by one, oldest first.
class DeploymentLog {
 public:
  void add(const Recorded& transition);
  /// In the order in which they began.
  std::vector<Deployment> take();

 private:
  struct Line {
    std::optional<size_t> running;  ///< index of the deployment under way
    std::optional<size_t> stable;   ///< index of the one that was promoted last
    std::string stable_image;
    std::map<std::string, bool> promoted;  ///< revisions that once were stable
  };
  void begin(Line& line, const Recorded& transition);
  void end(Line& line, const Recorded& transition, Outcome outcome);

  std::vector<Deployment> all_;
  std::map<std::pair<std::string, RolloutKey>, Line> lines_;
};

/// The four figures by which deliveries are measured; nothing where there is nothing to measure.
struct DeliveryFigures {
  size_t deployments = 0;
  std::optional<double> per_day;
  std::optional<Duration> lead_time;          ///< median, from the author's commit to its promotion
  std::optional<double> change_failure_rate;  ///< failed of all that ended in success or failure, 0 to 1
  std::optional<Duration> time_to_restore;    ///< median, from first traffic of a failed one until it was undone
};

DeliveryFigures figures_of(const std::vector<Deployment>& deployments, TimePoint since, TimePoint until);

}  // namespace reconciler
