// From the bytes of a file in Git to what it asks for. Bad input is one clear line each; one bad document never
// hides the others.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/object_key.h"
#include "objects/inventory.h"
#include "rollout/rollout.h"

namespace reconciler {

/// One thing wrong with a file. `text()` is `file:line:column: message`, with the parts that are known.
struct Problem {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;
  std::string text() const;
  bool operator==(const Problem&) const = default;
};

/// Where a Rollout, or an Experiment, begins, whether it is valid or refused. They share their names: a status belongs
/// to either.
struct RolloutAt {
  RolloutKey key;
  int line = 0;
  PruneMark prune = PruneMark::None;
  std::string kind = "Rollout";
};

struct RefusedRollout {
  RolloutKey key;
  std::vector<Problem> problems;  ///< all of them, at least one
};

/// A plain Kubernetes object: applied as it is written.
struct PlainObject {
  ObjectKey key;  ///< namespace filled in with the default where the manifest names none; `object` has it too
  Json object;
  int line = 0;
};

/// What one file asks for.
struct ManifestFile {
  std::vector<Rollout> rollouts;         ///< valid ones, and Experiments
  std::vector<RefusedRollout> refused;   ///< read, but invalid or not supported
  std::vector<RolloutAt> rollout_lines;  ///< of both
  std::vector<PlainObject> published;    ///< the valid Rollouts as they are written, for a view of them in the cluster
  std::vector<PlainObject> objects;
  std::vector<Problem> problems;  ///< what could not be read; then the file's last good content stays in force
  std::vector<Problem> warnings;
};

/// Is this a manifest by its name: *.yaml, *.yml or *.json, no part of the path starting with a dot?
bool is_manifest_path(std::string_view path);

/// Reads one file (spec/gitops.md 5: limits). `path` is used in messages only. `default_namespace` goes to objects of
/// namespaced kinds that name none.
ManifestFile read_manifests(const std::string& path, std::string_view text, const std::string& default_namespace);

}  // namespace reconciler
