#include "git/local_push.h"

#include <git2.h>

#include "base/format.h"
#include "git/durable.h"
#include "git/library.h"

namespace reconciler {
namespace {

Error lost_race(const std::string& ref) { return conflict(format("push to {}: somebody else was faster", ref)); }

Owned<git_tree> tree_at(git_repository& repository, const git_oid& id) {
  Owned<git_tree> tree;
  git_tree_lookup(fill(tree), &repository, &id);
  return tree;
}

/// Adds to the pack what stands in `tree` and not in the same place of `before` (null: nothing does). The library's own
/// walk would read every directory of the branch to know what the other side has.
int insert_changes(git_packbuilder& pack, git_repository& repository, const git_tree& tree, const git_tree* before) {
  int code = git_packbuilder_insert(&pack, git_tree_id(&tree), nullptr);
  for (size_t i = 0; code >= 0 && i < git_tree_entrycount(&tree); ++i) {
    const git_tree_entry* entry = git_tree_entry_byindex(&tree, i);
    const git_oid* id = git_tree_entry_id(entry);
    const git_tree_entry* was = before ? git_tree_entry_byname(before, git_tree_entry_name(entry)) : nullptr;
    if ((was && git_oid_equal(id, git_tree_entry_id(was))) || git_tree_entry_type(entry) == GIT_OBJECT_COMMIT) continue;
    if (git_tree_entry_type(entry) == GIT_OBJECT_BLOB) {
      code = git_packbuilder_insert(&pack, id, nullptr);
      continue;
    }
    const Owned<git_tree> below = tree_at(repository, *id);
    const bool was_tree = was && git_tree_entry_type(was) == GIT_OBJECT_TREE;
    const Owned<git_tree> below_before = was_tree ? tree_at(repository, *git_tree_entry_id(was)) : Owned<git_tree>();
    code = below ? insert_changes(pack, repository, *below, below_before.get()) : -1;
  }
  return code;
}

int insert_commit(git_packbuilder& pack, git_repository& repository, const git_oid& id) {
  Owned<git_commit> commit, parent;
  Owned<git_tree> tree, before;
  if (git_commit_lookup(fill(commit), &repository, &id) < 0 || git_commit_tree(fill(tree), commit.get()) < 0) return -1;
  if (git_commit_parentcount(commit.get()) > 0 &&
      (git_commit_parent(fill(parent), commit.get(), 0) < 0 || git_commit_tree(fill(before), parent.get()) < 0))
    return -1;
  if (git_packbuilder_insert(&pack, &id, nullptr) < 0) return -1;
  if (before && git_oid_equal(git_tree_id(tree.get()), git_tree_id(before.get()))) return 0;
  return insert_changes(pack, repository, *tree, before.get());
}

int insert_commits(git_packbuilder& pack, git_repository& repository, git_revwalk& walk) {
  git_oid id;
  int code = 0;
  while (code >= 0 && (code = git_revwalk_next(&id, &walk)) == 0) code = insert_commit(pack, repository, id);
  return code == GIT_ITEROVER ? 0 : code;
}

/// Writes one pack into the folder with everything that `commit` has and `expected` lacks.
Result<void> copy_objects(git_repository& from, git_repository& to, const git_oid& commit,
                          const std::optional<std::string>& expected) {
  Owned<git_revwalk> walk;
  Owned<git_packbuilder> pack;
  if (git_revwalk_new(fill(walk), &from) < 0 || git_packbuilder_new(fill(pack), &from) < 0)
    return library_error("cannot prepare a pack");
  git_packbuilder_set_threads(pack.get(), 1);
  git_revwalk_push(walk.get(), &commit);
  if (expected) {
    auto known = id_from(*expected);
    git_revwalk_hide(walk.get(), &known);
  }
  std::string folder = std::string(git_repository_commondir(&to)) + "objects/pack";
  if (insert_commits(*pack, from, *walk) < 0 ||
      git_packbuilder_write(pack.get(), folder.c_str(), 0, nullptr, nullptr) < 0)
    return transient(format("cannot write to {}: {}", folder, last_git_error("unknown error")));
  return sync_to_disk(folder);
}

/// A work tree would no longer match its HEAD; git refuses this too.
bool is_checked_out(git_repository& repository, const std::string& ref) {
  if (git_repository_is_bare(&repository)) return false;
  Owned<git_reference> head;
  if (git_reference_lookup(fill(head), &repository, "HEAD") < 0) return false;
  const char* target = git_reference_symbolic_target(head.get());
  return target && ref == target;
}

}  // namespace

Result<void> push_to_folder(git_repository& repository, const std::string& folder, const std::string& commit,
                            const std::string& ref, const std::optional<std::string>& expected) {
  Owned<git_repository> remote;
  if (git_repository_open(fill(remote), folder.c_str()) < 0)
    return transient(format("cannot push to {}: {}", folder, last_git_error("not a repository")));
  if (is_checked_out(*remote, ref))
    return invalid(format("push to {} was refused: {} is checked out there; use a bare repository", folder, ref));
  git_oid current{};
  int found = git_reference_name_to_id(&current, remote.get(), ref.c_str());
  if (found < 0 && found != GIT_ENOTFOUND) return library_error(format("cannot read {} of {}", ref, folder));
  if (expected ? found < 0 || id_text(current) != *expected : found == 0) return lost_race(ref);
  auto id = id_from(commit);
  if (auto copied = copy_objects(repository, *remote, id, expected); !copied) return copied.error();
  Owned<git_reference> moved;
  int code = expected ? git_reference_create_matching(fill(moved), remote.get(), ref.c_str(), &id, 1, &current, "push")
                      : git_reference_create(fill(moved), remote.get(), ref.c_str(), &id, 0, "push");
  if (code == GIT_EMODIFIED || code == GIT_EEXISTS || code == GIT_ELOCKED || code == GIT_ENOTFOUND)
    return lost_race(ref);
  if (code < 0) return transient(format("cannot push to {}: {}", folder, last_git_error("unknown error")));
  return {};
}

}  // namespace reconciler
