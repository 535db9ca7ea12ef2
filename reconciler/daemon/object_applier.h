// Keeps the plain objects of the repository as Git asks for: in order of rank, each compared before it is written, so
// that an unchanged object is never touched; again when somebody else changes it. One that is refused never stops the
// others.
//
//   a cold start ---------> a glance in bulk --> agrees as it is written; the others:
//   manifest changed -----> pending --> compared --> agrees | written | refused: waits for a change | failed: again
//   live object changed --> a moment --^      '--> drifted --> corrected | reported | a fight: reported
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/object_map.h"
#include "daemon/backoff.h"
#include "daemon/desired_state.h"
#include "daemon/object_report.h"
#include "daemon/object_work.h"
#include "daemon/options.h"
#include "daemon/workers.h"
#include "objects/drift_history.h"
#include "ports.h"

namespace reconciler {

/// A manifest with the fields of rollouts filled in.
struct PreparedObject {
  Json manifest;
  bool keeps_traffic = false;        ///< see ObjectWork
  std::vector<Pointer> scaled = {};  ///< see ObjectWork
  /// Another controller keeps the object; it is not written while that is so.
  bool left_alone = false;
};

class ObjectApplier {
 public:
  struct Hooks {
    /// The manifest as it is to be applied; nothing while it must wait.
    std::function<std::optional<PreparedObject>(const ObjectKey&, const Json& manifest)> prepare;
    /// Nothing but manifest and live object says what it should look like: what a rollout would fill in is what is
    /// live.
    std::function<bool(const ObjectKey&)> is_plain;
    /// Around each write, so that nobody plans on an object that is being written.
    std::function<void(const ObjectKey&)> begin, end;
    /// The live object is there, and this is its UID.
    std::function<void(const ObjectKey&, const std::string& uid)> applied;
  };

  ObjectApplier(const DaemonOptions& options, const DesiredState& desired, Cluster& cluster, Clock& clock,
                Workers& workers, Hooks hooks);

  /// The manifest changed, or is seen for the first time.
  void changed(const ObjectKey& key);
  /// Git names it no more.
  void removed(const ObjectKey& key);
  /// The watch showed something new of an object.
  void live_changed(const ClusterChange& change);
  /// Something beside manifest and live object changed what it should look like.
  void look_again(const ObjectKey& key);

  void run_due();
  Duration next_due() const;

  /// Nothing is being written.
  bool is_still() const { return in_flight_ == 0; }
  /// Every object was tried at least once since it changed, but for those that wait for the definition of their kind.
  bool caught_up() const { return pending_.size() == waiting_.size() && in_flight_ == 0; }
  /// Nothing will change by itself: what is not current is so for good, or for too long.
  bool settled() const;
  ObjectReport report() const;

 private:
  struct Failed {
    std::string why;
    bool refused = false;
    uint64_t seen = 0;  ///< the content that the API server refused to change
    Backoff backoff{1s, 2.0, 1min};
    Duration again{0};
  };
  /// What is known of an object that was compared.
  struct Known {
    std::string digest;    ///< of the manifest it agreed with last
    uint64_t agreed = 0;   ///< the content that agreed
    uint64_t seen = 0;     ///< the content that the watch showed last; 0: none
    uint64_t changes = 0;  ///< how often the watch showed something new
  };
  struct Unsettled {
    Health health;
    Duration since{0};
  };
  /// What is asked for next; the rank comes first so that it is the order of work.
  using Place = std::pair<int, ObjectKey>;

  struct Glance {
    ObjectKey key;
    std::string text;  ///< of its manifest
    Known before;
    std::optional<ObjectFinding> agreement;
  };

  void start_glances();
  void finish_glances(const std::vector<Glance>& glances);
  ObjectWork new_work(Json in_git, Json manifest) const;
  std::optional<ObjectWork> work_for(const ObjectKey& key, Json in_git, ObjectWork::Step step);
  ObjectWork::Step step_of(const ObjectKey& key) const;
  void start(const ObjectKey& key, ObjectWork work);
  void finish(const ObjectKey& key, const Result<ObjectFinding>& finding, const Known& before);
  void fail(const ObjectKey& key, const Error& error);
  void accept(const ObjectKey& key, const ObjectFinding& finding, const Known& before);
  void agree(const ObjectKey& key, const ObjectFinding& finding, const Known& before);
  void take_drift(const ObjectKey& key, const ObjectFinding& finding);
  void note_health(const ObjectKey& key, const Health& health);
  void note_definition(const ObjectKey& key, const Json& manifest);
  bool waits_for_definition(const ObjectKey& key) const;
  void due_now();
  void count(const ObjectKey& key, std::string_view what);

  const DaemonOptions& options_;
  const DesiredState& desired_;
  Cluster& cluster_;
  Clock& clock_;
  Workers& workers_;
  Hooks hooks_;
  std::map<Place, ObjectWork::Step> pending_;
  std::set<ObjectKey> glances_;         ///< of those pending: there, and not compared by this process yet
  std::set<ObjectKey> glancing_;        ///< of those pending: under way
  std::set<ObjectKey> waiting_;         ///< of those pending: for the definition of their kind
  std::map<ObjectKey, Duration> look_;  ///< whose live object changed; when to compare it
  std::map<ObjectKey, Failed> failed_;
  std::set<ObjectKey> writing_;
  ObjectMap<Known> known_;
  std::map<ObjectKey, Unsettled> unsettled_;  ///< those that are not current
  std::map<ObjectKey, DriftReport> drifted_;  ///< and not corrected
  std::map<ObjectKey, DriftHistory> corrected_;
  std::map<std::pair<std::string, std::string>, ObjectKey> definitions_;  ///< in Git, by the group and kind they define
  ObjectReport::Counts counts_;
  std::set<std::string> namespaces_;  ///< known to exist
  int rank_in_flight_ = 0;
  int in_flight_ = 0;
  bool skipped_ = false;  ///< something pending must wait for a rollout
};

}  // namespace reconciler
