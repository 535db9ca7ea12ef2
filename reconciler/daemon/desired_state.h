// What Git asks for, file by file: the manifests of the commit in force, indexed so that a changed file costs only
// what it names.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/object_key.h"
#include "base/object_map.h"
#include "manifest/manifest.h"
#include "ports.h"
#include "rollout/rollout.h"

namespace reconciler {

/// The key under which a Rollout stands among all other objects.
ObjectKey rollout_object_key(const RolloutKey& key);
bool is_rollout(const ObjectKey& key);

class DesiredState {
 public:
  /// What a changed file names, before or after the change.
  struct Touched {
    std::set<RolloutKey> rollouts;
    std::set<ObjectKey> objects;
    std::set<ObjectKey> made;  ///< objects that the routers of those rollouts make
    void add(const Touched& other);
  };

  /// Takes over what `path` says now. A file that cannot be read keeps its last good content in force. `kept` is the
  /// last good content of Rollouts that are refused in it; what the file said before goes before that.
  Touched put(const std::string& path, ManifestFile file, std::vector<Rollout> kept = {});
  Touched remove(const std::string& path);

  /// The valid Rollout of that name; null when there is none, it is refused, or two files claim it.
  const Rollout* rollout(const RolloutKey& key) const;
  const RefusedRollout* refused(const RolloutKey& key) const;
  /// Of a Rollout that is refused its last good content, by which what runs is kept as it is; null when nobody knows.
  const Rollout* kept(const RolloutKey& key) const;
  /// The file that names it; empty when none or several do.
  std::string path_of(const ObjectKey& key) const;
  bool names(const ObjectKey& key) const;
  /// Does a file name it, or the router of a Rollout make it?
  bool needs(const ObjectKey& key) const { return names(key) || made_.contains(key); }
  /// All files that name it.
  std::set<std::string> paths_of(const ObjectKey& key) const;
  /// The plain object of that name as its one file has it.
  std::optional<Json> object(const ObjectKey& key) const;
  /// The same as compact JSON; empty when there is none.
  std::string object_text(const ObjectKey& key) const;
  /// What the inventory is to hold of it; the services of a Rollout only when it is valid. Nothing when no file names
  /// it and no Rollout's router makes it.
  std::optional<InventoryEntry> entry(const ObjectKey& key) const;
  /// The rollouts that use this object: a Service, a workload, an object of a router.
  std::set<RolloutKey> users_of(const ObjectKey& key) const;
  /// The Services of a rollout, the workload of its workloadRef and the objects of its routers.
  static std::set<ObjectKey> used_by(const Rollout& rollout);
  /// The objects that its routers have made.
  static std::vector<ObjectKey> made_for(const Rollout& rollout);

  /// Every Rollout that any file names, valid or not.
  std::set<RolloutKey> rollouts() const;
  /// Every plain object that any file names.
  std::vector<ObjectKey> objects() const;
  /// A Rollout in this namespace that is refused, so that nobody knows what its router makes; nothing when all are
  /// valid.
  std::optional<RolloutKey> refused_in(const std::string& ns) const;
  /// Every object that the router of a valid Rollout makes.
  std::vector<ObjectKey> made() const;
  /// How many plain objects there are of each kind.
  std::map<std::string, size_t> object_counts() const;
  /// The kinds of the plain objects, each in one of the versions that manifests use, and those that rollouts route
  /// through.
  std::set<FollowedKind> kinds() const;
  /// What is wrong with files, by path; an empty map when nothing is.
  const std::map<std::string, std::vector<Problem>>& problems() const { return problems_; }

 private:
  struct File;
  using Files = std::map<std::string, File>;

  /// A file that names an object. The object is kept as text: ten thousand rollouts bring three times as many, and few
  /// are ever looked at again.
  struct Claim {
    const Files::value_type* file = nullptr;
    std::string text;  ///< empty of a Rollout that is not published
  };
  /// What is known of an object that Git names or a rollout uses; gone when neither is so. While a file moves, two
  /// files claim the same object and its users are there twice.
  struct Named {
    std::vector<Claim> claims;  ///< in order of path
    std::vector<const Rollout*> users;
    int makers = 0;  ///< how many rollouts have it made
  };
  struct File {
    std::vector<Rollout> rollouts;
    std::vector<RefusedRollout> refused;
    std::vector<Rollout> kept;  ///< of the refused ones
    std::vector<ObjectMap<Named>::Handle> objects;
    std::map<ObjectKey, PruneMark> marks;  ///< of the few that have one
  };
  struct NamedKind {
    size_t objects = 0;
    std::string api_version;  ///< as the manifest that came last has it
  };

  Touched index(Files::value_type& file, std::map<ObjectKey, std::string> objects);
  Touched unindex(const Files::value_type& file);
  Claim& claim(const ObjectKey& key, const Files::value_type& file);
  template <class Change>
  void change(const ObjectKey& key, Change change);
  const Claim* only_claim(const ObjectKey& key) const;
  const File* only_file_of(const ObjectKey& key) const;
  void add_user(const Rollout& rollout);
  void remove_user(const Rollout& rollout);

  Files files_;
  ObjectMap<Named> named_;
  std::map<std::pair<std::string, std::string>, NamedKind> kinds_;  ///< by group and kind
  std::map<FollowedKind, size_t> route_kinds_;                      ///< how many rollouts route through them
  std::set<ObjectKey> made_;
  std::map<RolloutKey, int> refused_;  ///< in how many files
  std::map<std::string, std::vector<Problem>> problems_;
};

}  // namespace reconciler
