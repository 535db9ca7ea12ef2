// What one rollout really looks like in the world at this moment: no cache, no engine.
#pragma once

#include <map>
#include <string>

#include "rollout/rollout.h"
#include "sim/world.h"

namespace reconciler {

struct RevisionView {
  std::string name;
  int replicas = 0;   ///< asked for
  int available = 0;  ///< there
  bool owned = false;
};

/// A ReplicaSet that an experiment made.
struct ExperimentView {
  std::string service;   ///< that is to lead to it; empty for none
  bool answers = false;  ///< that Service, or a subset of its name, leads to available pods
  int replicas = 0;
};

struct RolloutView {
  bool complete = false;  ///< both Services (or subsets) and a route exist
  bool routed = false;    ///< an object that shares traffic exists
  /// The least that any route leaves to the first Service, in percent.
  int stable_weight = 100;
  int canary_weight = 0;                       ///< the highest that any route gives to the second Service
  std::set<int> weight_sums;                   ///< what the weights of each route come to
  std::string stable_selects, canary_selects;  ///< hashes; empty when the Service selects every revision
  std::string extra_route_leads_to;            ///< the revision that a header or mirror route sends requests to
  std::string mark;                            ///< the revision that a route says is rejected
  std::map<std::string, RevisionView> revisions;
  std::map<std::string, ExperimentView> experiments;  ///< by the name of the ReplicaSet
  std::map<std::string, int> further;                 ///< what goes to other destinations, by name

  /// The share of traffic of each revision; what reaches all revisions alike stands under "".
  std::map<std::string, int> traffic() const;
  int available(const std::string& hash) const;
};

/// `replacing`: an object as it was before its last change, to see what the rollout looked like then; may be null.
RolloutView view_of(const World& world, const RolloutKey& rollout, const Json* replacing = nullptr);

}  // namespace reconciler
