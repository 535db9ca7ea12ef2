// Traffic routers: object JSON in, object JSON out (spec 3.4). A router knows which objects it needs and how to write a
// wanted split into them; everything else in an object stays byte for byte as it is. One file per router.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/object_key.h"
#include "base/result.h"
#include "rollout/rollout.h"

namespace reconciler {

/// Live or wanted objects, by name. One that does not exist is not in it.
using RouteObjects = std::map<ObjectKey, Json>;

/// What an object is to its router.
enum class RouteUse {
  Weights,    ///< its weights are rewritten; it must exist
  Revisions,  ///< it says which pods the two sides are (DestinationRule); it must exist
  Copied,     ///< what `Made` is made from; it must exist and is never written
  Made,       ///< created and kept by us
};

struct RouteObject {
  ObjectKey key;
  RouteUse use = RouteUse::Weights;
  bool operator==(const RouteObject&) const = default;
};

/// One side of the split: the Service that leads to it, and the revision that runs there.
struct Side {
  std::string service;
  std::string hash;
  bool operator==(const Side&) const = default;
};

/// A destination beside the two sides: the Service of an experiment.
struct ExperimentShare {
  std::string service;
  std::string hash;  ///< what runs behind it
  int weight = 0;    ///< of the whole
  bool operator==(const ExperimentShare&) const = default;
};

/// What the routes are to do.
struct Traffic {
  Side stable, canary;
  int weight = 0;                                 ///< the canary's share of `whole`
  std::vector<ManagedRoute> managed;              ///< header and mirror routes in force, in order of precedence
  std::string rejected;                           ///< the revision that the routes are marked with; empty for none
  std::vector<ExperimentShare> experiments = {};  ///< what they get, stable does not
  int whole = kWholeWeight;                       ///< what all of them get together
  bool operator==(const Traffic&) const = default;

  /// What stable gets of the whole, as far as it is ours to share.
  int stable_weight() const {
    int out = whole - weight;
    for (const ExperimentShare& share : experiments) out -= share.weight;
    return out;
  }
};

/// How one route shares its traffic; `others` are destinations that are neither side, those of experiments among them.
/// Only the proportion counts.
struct Split {
  int64_t stable = 0;
  int64_t canary = 0;
  int64_t others = 0;
  std::map<std::string, int64_t> experiments = {};  ///< of the others, those that are there for an experiment
  bool operator==(const Split&) const = default;

  /// What the two sides and experiments have.
  int64_t ours() const {
    int64_t out = stable + canary;
    for (const auto& [name, weight] : experiments) out += weight;
    return out;
  }
};

/// What weights of that route are parts of, now. With maxTrafficWeight that is what is ours alone: other destinations
/// keep what they have beside it.
int64_t whole_of(const Rollout& rollout, const Split& split);

/// A weight that stands in an object of the cluster, where it may be any number, within what can be reckoned with.
int64_t reckoned_weight(std::optional<int64_t> weight, int64_t absent = 0);

/// The revisions that the two sides of a DestinationRule select; empty when it names none.
struct SubsetRevisions {
  std::string stable;
  std::string canary;
  std::map<std::string, std::string> experiments = {};  ///< hashes by the name of the subset
  bool operator==(const SubsetRevisions&) const = default;
};

/// Every object that the routers of `rollout` need, each once, in the order of the manifest.
std::vector<RouteObject> route_objects(const Rollout& rollout);

/// The first one that must exist and does not, as a person would say it; empty when all are there.
std::string missing_route_object(const Rollout& rollout, const RouteObjects& live);

/// `live` with the wanted weights, and with the mark of a rejected revision. `Invalid` when a route or a destination is
/// missing, or when the weights cannot sum to the whole. Objects that need no change come back as they are.
Result<RouteObjects> with_weights(const Rollout& rollout, const RouteObjects& live, const Traffic& traffic);

/// `live` with these revisions behind the two sides; a router without objects of that use changes nothing.
Result<RouteObjects> with_revisions(const Rollout& rollout, const RouteObjects& live, const SubsetRevisions& wanted);

/// The revisions behind the two sides, when an object of the router says so; else (Services say so) nothing.
std::optional<SubsetRevisions> subset_revisions(const Rollout& rollout, const RouteObjects& live);

/// How the rollout's routes share traffic now, each route once; `Invalid` as above.
Result<std::vector<Split>> splits(const Rollout& rollout, const RouteObjects& live, const Traffic& sides);

/// The highest share that one of the rollout's routes gives to the canary now; 0 without routes.
Result<int> canary_weight(const Rollout& rollout, const RouteObjects& live, const Traffic& sides);

/// What goes to destinations of experiments now, by name: the highest share that one of the routes gives.
Result<std::map<std::string, int>> experiment_weights(const Rollout& rollout, const RouteObjects& live,
                                                      const Traffic& sides);

/// The names of destinations (or subsets) in `object` that were put there for an experiment, by an annotation.
std::set<std::string> experiment_names(const Json& object);

/// `object` with that annotation for these, or without it.
Json with_experiment_names(const Json& object, const std::set<std::string>& names);

/// Is a managed route there, whatever its step says?
bool has_managed_route(const Rollout& rollout, const RouteObjects& live);

/// `manifest`, one of the rollout's route objects as Git has it, with what is ours in it as `live` has it.
Result<Json> with_live_routes(const Rollout& rollout, const RouteObjects& live, const Json& manifest,
                              const Traffic& wanted);

/// `object` with the annotation `serin.dev/rejected: <hash>`, or without it when `hash` is empty.
Json with_rejected_mark(const Json& object, const std::string& hash);

/// The revision that an annotation of the rollout's routes names; empty without one.
std::string rejected_mark(const Rollout& rollout, const RouteObjects& live);

}  // namespace reconciler
