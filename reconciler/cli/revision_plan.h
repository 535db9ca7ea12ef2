// What a revision would change, computed from two sets of manifests and the status in Git; nothing else is asked.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/object_key.h"
#include "manifest/manifest.h"
#include "objects/difference.h"
#include "rollout/forecast.h"

namespace reconciler {

/// What some files of one revision ask for.
struct RevisionManifests {
  struct Object {
    Json object;
    std::string file;
  };
  std::map<ObjectKey, Object> objects;  ///< every object, Rollouts too, as JSON
  std::map<RolloutKey, Rollout> rollouts;
  std::vector<RefusedRollout> refused;
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
};

enum class Fate { Created, Changed, Deleted };

struct ObjectChange {
  ObjectKey key;
  Fate fate = Fate::Changed;
  std::string file;
  std::vector<FieldChange> fields;  ///< of a changed object
  std::string held;                 ///< why a deleted one would stay for now; empty when it would go
  std::string note;                 ///< what a cluster that was asked has to say beside the fields
};

/// What a rollout would go through.
struct RolloutPlan {
  RolloutKey key;
  std::string now;     ///< `Healthy at v1`, `Paused at 20% of v2`, `not deployed yet`
  std::string target;  ///< `v2`
  Forecast forecast;
};

struct RevisionPlan {
  std::vector<ObjectChange> objects;
  std::vector<RolloutPlan> rollouts;  ///< those whose manifest changed
  std::vector<std::string> warnings;
  std::vector<std::string> problems;  ///< what is invalid or refused in the new revision, `file:line:column: message`
  bool is_empty() const { return objects.empty() && problems.empty() && warnings.empty(); }
};

RevisionPlan compare_revisions(const RevisionManifests& before, const RevisionManifests& after,
                               const std::map<RolloutKey, Status>& recorded, TimePoint now);

/// How the two revisions are called: `main (1a2b3c4d5e6f)`.
struct RevisionNames {
  std::string before;
  std::string after;
  std::string cluster = {};  ///< that was asked; empty when none was
};

std::string plan_text(const RevisionPlan& plan, const RevisionNames& names);
/// For a comment on a pull request: no more than the 65,536 characters that GitHub takes, and what is long folded up.
std::string plan_markdown(const RevisionPlan& plan, const RevisionNames& names);
Json plan_json(const RevisionPlan& plan, const RevisionNames& names);

}  // namespace reconciler
