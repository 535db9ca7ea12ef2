#include "git/provenance.h"

#include <git2.h>

#include <algorithm>

#include "base/format.h"
#include "git/history.h"
#include "git/library.h"
#include "git/tree.h"

namespace reconciler {
namespace {

constexpr size_t kMergedMax = 100'000;

Result<std::string> blob_at(git_repository& repository, const std::string& commit, const std::string& path) {
  auto tree = tree_of(repository, commit);
  if (!tree) return tree.error();
  auto entry = entry_at(**tree, path);
  if (!entry) return entry.error();
  return *entry ? (*entry)->blob : std::string();
}

Result<std::vector<std::string>> parents_of(git_repository& repository, const std::string& id) {
  auto oid = id_from(id);
  Owned<git_commit> commit;
  if (git_commit_lookup(fill(commit), &repository, &oid) < 0) return library_error(format("commit {}", id));
  std::vector<std::string> out;
  for (unsigned i = 0; i < git_commit_parentcount(commit.get()); ++i)
    out.push_back(id_text(*git_commit_parent_id(commit.get(), i)));
  return out;
}

/// Is what lies at `path` its own work: as none of its parents has it?
Result<bool> made(git_repository& repository, const std::string& commit, const std::string& path) {
  auto here = blob_at(repository, commit, path);
  if (!here) return here.error();
  auto parents = parents_of(repository, commit);
  if (!parents) return parents.error();
  for (const std::string& parent : *parents) {
    auto there = blob_at(repository, parent, path);
    if (!there) return there.error();
    if (*there == *here) return false;
  }
  return true;
}

/// What `merge` holds and its first parent does not, itself included.
Result<std::vector<std::string>> merged_by(git_repository& repository, const std::string& merge,
                                           const std::string& first_parent) {
  Owned<git_revwalk> walk;
  if (git_revwalk_new(fill(walk), &repository) < 0) return library_error("cannot walk the history");
  auto from = id_from(merge), without = id_from(first_parent);
  if (git_revwalk_push(walk.get(), &from) < 0 || git_revwalk_hide(walk.get(), &without) < 0)
    return library_error(format("commit {}", merge));
  std::vector<std::string> out;
  git_oid next;
  while (git_revwalk_next(&next, walk.get()) == 0) {
    if (out.size() == kMergedMax) return invalid(format("commit {} merges more than {} commits", merge, kMergedMax));
    out.push_back(id_text(next));
  }
  return out;
}

Result<std::vector<std::string>> writers_of(git_repository& repository, const std::string& commit,
                                            const std::string& path) {
  auto parents = parents_of(repository, commit);
  if (!parents) return parents.error();
  std::vector<std::string> commits = {commit};
  if (parents->size() > 1) {
    auto merged = merged_by(repository, commit, parents->front());
    if (!merged) return merged.error();
    commits = *std::move(merged);
  }
  std::vector<std::string> writers;
  for (const std::string& each : commits) {
    auto own = parents->size() > 1 ? made(repository, each, path) : Result<bool>(true);
    if (!own) return own.error();
    if (!*own) continue;
    auto info = commit_info(repository, each);
    if (!info) return info.error();
    if (std::count(writers.begin(), writers.end(), info->author) == 0) writers.push_back(info->author);
  }
  return writers;
}

}  // namespace

Result<Provenance> provenance_of(git_repository& repository, const std::string& commit, const std::string& path,
                                 const SignerFiles& signers, const std::string& folder) {
  Provenance out;
  auto writers = writers_of(repository, commit, path);
  if (!writers) return writers.error();
  out.writers = *std::move(writers);
  if (signers.empty()) {
    out.unsigned_because = "no signers are known here (--allowed-signers-file)";
    return out;
  }
  auto signer = check_signature(repository, commit, signers, folder);
  if (!signer && signer.error().kind != ErrorKind::Invalid) return signer.error();
  if (signer)
    out.signer = *std::move(signer);
  else
    out.unsigned_because = signer.error().message;
  return out;
}

}  // namespace reconciler
