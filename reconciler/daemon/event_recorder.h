// Kubernetes events about rollouts: what `kubectl get events` and `kubectl describe` show. Best effort and bounded: an
// event that cannot be written is dropped, and no pass ever waits for one.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/workers.h"
#include "ports.h"
#include "rollout/events.h"

namespace reconciler {

class EventRecorder {
 public:
  EventRecorder(Cluster& cluster, Clock& clock, Workers& workers)
      : cluster_(cluster), clock_(clock), workers_(workers) {}

  /// The object that events are about, which need not be in the cluster: then it has no uid.
  struct Subject {
    RolloutKey key;
    std::string_view kind = "Rollout";
    std::string uid = {};
  };

  /// Writes these events, on a lane of their own. The same one again within a while raises a count.
  void record(const Subject& about, const std::vector<RolloutEvent>& events);

  /// Nothing waits and nothing is under way.
  bool idle() const { return !sending_; }

 private:
  /// One event object as it was written last.
  struct Known {
    std::string name;
    TimePoint first, last;
    int count = 0;
  };
  Json object_for(const Subject& about, const RolloutEvent& event);
  Known& known(const RolloutKey& rollout, const RolloutEvent& event);
  void send();
  void finish(const std::string& trouble);

  Cluster& cluster_;
  Clock& clock_;
  Workers& workers_;
  std::map<std::string, Known> known_;  ///< by rollout, reason and message
  std::deque<Json> waiting_;
  uint32_t serial_ = 0;
  bool sending_ = false;
  std::string trouble_;
};

}  // namespace reconciler
