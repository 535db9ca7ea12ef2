#include "git/local_push.h"

#include <git2.h>

#include "base/format.h"
#include "git/durable.h"
#include "git/library.h"

namespace reconciler {
namespace {

Error lost_race(const std::string& ref) { return conflict(format("push to {}: somebody else was faster", ref)); }

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
  if (git_packbuilder_insert_walk(pack.get(), walk.get()) < 0 ||
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
