// Brings the plain objects of the repository into the cluster: in order of rank, each compared before it is written,
// so that an unchanged object is never touched. One that is refused never stops the others.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "daemon/backoff.h"
#include "daemon/desired_state.h"
#include "daemon/workers.h"
#include "ports.h"

namespace reconciler {

/// A manifest with the fields of rollouts filled in.
struct PreparedObject {
  Json manifest;
  /// No valid Rollout says what is its own here; what the live object shows of one stays (its file may be wrong just
  /// now).
  bool keeps_traffic = false;
  /// Another controller keeps the object; it is not written while that is so.
  bool left_alone = false;
};

class ObjectApplier {
 public:
  struct Hooks {
    /// The manifest as it is to be applied; nothing while it must wait.
    std::function<std::optional<PreparedObject>(const ObjectKey&, const Json& manifest)> prepare;
    /// Around each write, so that nobody plans on an object that is being written.
    std::function<void(const ObjectKey&)> begin, end;
  };

  ObjectApplier(const DesiredState& desired, Cluster& cluster, Clock& clock, Workers& workers, Hooks hooks);

  /// The manifest changed, or is seen for the first time. `surely`: compare by a dry run even when the live object
  /// seems to hold everything; fields that left the manifest show only there.
  void changed(const ObjectKey& key, bool surely);
  /// The live object changed: one that was refused may be tried again.
  void live_changed(const ObjectKey& key);

  void run_due();
  Duration next_due() const;

  /// Every object was tried at least once since it changed.
  bool caught_up() const { return pending_.empty() && in_flight_ == 0; }
  /// Objects that are not as Git asks for, and why.
  std::map<ObjectKey, std::string> failures() const;

 private:
  struct Failed {
    std::string why;
    bool refused = false;
    Backoff backoff{1s, 2.0, 1min};
    Duration again{0};
  };
  /// What is asked for next; the rank comes first so that it is the order of work.
  using Place = std::pair<int, ObjectKey>;

  void finish(const ObjectKey& key, const Result<bool>& written);

  const DesiredState& desired_;
  Cluster& cluster_;
  Clock& clock_;
  Workers& workers_;
  Hooks hooks_;
  std::map<Place, bool> pending_;  ///< to `surely`
  std::map<ObjectKey, Failed> failed_;
  std::set<ObjectKey> writing_;
  std::set<std::string> namespaces_;  ///< known to exist
  int rank_in_flight_ = 0;
  int in_flight_ = 0;
};

}  // namespace reconciler
