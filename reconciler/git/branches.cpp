#include "git/branches.h"

#include <git2.h>

#include <tuple>

#include "base/format.h"
#include "git/clone.h"
#include "git/durable.h"
#include "git/history.h"
#include "git/library.h"
#include "git/tree.h"

namespace reconciler {
namespace {

/// The newest commit that both have; empty when there is none.
Result<std::string> common_commit(git_repository& repository, const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return std::string();
  auto left = id_from(a), right = id_from(b);
  git_oid found;
  int code = git_merge_base(&found, &repository, &left, &right);
  if (code == GIT_ENOTFOUND) return std::string();
  if (code < 0) return library_error("cannot compare histories");
  return id_text(found);
}

/// What turns `directory` as it is in `from` into what it is in `to`; an empty id is nothing.
Result<std::vector<PathUpdate>> updates_between(git_repository& repository, const std::string& from,
                                                const std::string& to, const std::string& directory) {
  Owned<git_tree> trees[2];
  const std::string* commits[2] = {&from, &to};
  for (int i : {0, 1}) {
    if (commits[i]->empty()) continue;
    auto tree = directory_of(repository, *commits[i], directory);
    if (!tree) return tree.error();
    trees[i] = std::move(*tree);
  }
  auto changes = compare_trees(repository, trees[0].get(), trees[1].get(), directory.empty() ? "" : directory + "/");
  if (!changes) return changes.error();
  std::vector<PathUpdate> updates;
  for (auto& change : *changes)
    updates.push_back({change.path, change.after ? std::optional(change.after->blob) : std::nullopt});
  return updates;
}

struct Maker {
  const std::string& directory;
  const Identity& committer;
  const CommitSigner* signer = nullptr;
};

/// `commits` made again one by one on `tip`, but for those that touch a path of `outdated`; these paths go to
/// `dropped`.
Result<std::string> replay(git_repository& repository, const std::vector<std::string>& commits, std::string tip,
                           const Maker& maker, const std::set<std::string>& outdated, std::set<std::string>& dropped) {
  for (const auto& commit : commits) {
    auto updates = updates_of(repository, commit, maker.directory);
    if (!updates) return updates.error();
    bool is_outdated = false;
    for (const auto& update : *updates) {
      if (!outdated.count(update.path)) continue;
      is_outdated = true;
      dropped.insert(update.path);
    }
    if (is_outdated) continue;
    auto again = commit_again(repository, commit, tip, *updates, maker.committer, maker.signer);
    if (!again) return again;
    tip = *again;
  }
  return tip;
}

/// How many of the commits, from the first on, need not be made again because they are signed.
Result<size_t> signed_at_start(git_repository& repository, const std::vector<std::string>& commits) {
  for (size_t i = 0; i < commits.size(); i++) {
    auto carries = is_signed(repository, commits[i]);
    if (!carries) return carries.error();
    if (!*carries) return i;
  }
  return commits.size();
}

}  // namespace

Result<Branches> read_branches(git_repository& repository) {
  Branches branches;
  std::pair<const char*, std::string*> refs[] = {
      {"theirs", &branches.theirs}, {"target", &branches.target}, {"base", &branches.base}, {"ours", &branches.ours}};
  for (auto& [name, value] : refs) {
    auto read = read_own_ref(repository, name);
    if (!read) return read.error();
    *value = *read;
  }
  return branches;
}

Result<void> write_branches(const std::string& clone, const Branches& before, const Branches& after) {
  // Between ours and base, ours comes first: what it holds beyond target is ours whatever base says.
  std::tuple<const char*, const std::string&, const std::string&> refs[] = {
      {"theirs", before.theirs, after.theirs},
      {"target", before.target, after.target},
      {"ours", before.ours, after.ours},
      {"base", before.base, after.base},
  };
  if (before == after) return {};
  if (auto synced = sync_to_disk(clone); !synced) return synced;
  for (const auto& [name, was, is] : refs) {
    if (was == is) continue;
    if (auto written = write_own_ref(clone, name, is); !written) return written;
  }
  return {};
}

Result<std::vector<std::string>> unpushed_commits(git_repository& repository, const Branches& branches) {
  if (branches.ours == branches.base || branches.ours == branches.target) return std::vector<std::string>();
  return commits_beyond(repository, branches.ours, {branches.target, branches.base});
}

namespace {

/// Ours stand where they belong; from the first one that is not signed on they are made again.
Result<Rebuilt> sign_in_place(git_repository& repository, Rebuilt rebuilt, const Maker& maker) {
  auto commits = commits_beyond(repository, rebuilt.branches.ours, {rebuilt.branches.target});
  if (!commits) return commits.error();
  auto done = signed_at_start(repository, *commits);
  if (!done) return done.error();
  const std::string tip = *done == 0 ? rebuilt.branches.target : (*commits)[*done - 1];
  commits->erase(commits->begin(), commits->begin() + static_cast<std::ptrdiff_t>(*done));
  std::set<std::string> dropped;
  auto signed_tip = replay(repository, *commits, tip, maker, {}, dropped);
  if (!signed_tip) return signed_tip.error();
  rebuilt.branches.ours = *signed_tip;
  return rebuilt;
}

Result<Rebuilt> rebuild_by(git_repository& repository, const Branches& branches, const Maker& maker,
                           OnForeignChange on_foreign_change) {
  Rebuilt rebuilt;
  rebuilt.branches = branches;
  rebuilt.branches.base = branches.target;
  // What of ours arrived at target is not foreign, even if the answer was lost: compare from there.
  auto fork = common_commit(repository, branches.ours, branches.target);
  if (!fork) return fork.error();
  if (*fork == branches.target) {
    if (branches.ours.empty()) rebuilt.branches.ours = branches.target;
    return maker.signer ? sign_in_place(repository, rebuilt, maker) : rebuilt;
  }
  auto commits = unpushed_commits(repository, branches);
  if (!commits) return commits.error();
  auto changes = updates_between(repository, *fork, branches.target, maker.directory);
  if (!changes) return changes.error();
  for (const auto& change : *changes) rebuilt.foreign.push_back(change.path);
  std::set<std::string> outdated, dropped;
  if (on_foreign_change == OnForeignChange::Drop) outdated.insert(rebuilt.foreign.begin(), rebuilt.foreign.end());
  auto tip = replay(repository, *commits, branches.target, maker, outdated, dropped);
  if (!tip) return tip.error();
  rebuilt.branches.ours = *tip;
  rebuilt.dropped.assign(dropped.begin(), dropped.end());
  return rebuilt;
}

}  // namespace

Result<Rebuilt> rebuild(git_repository& repository, const Branches& branches, const std::string& directory,
                        const Identity& committer, OnForeignChange on_foreign_change) {
  return rebuild_by(repository, branches, {directory, committer}, on_foreign_change);
}

Result<Rebuilt> rebuild_for_push(git_repository& repository, const Branches& branches, const std::string& directory,
                                 const Identity& committer, const CommitSigner* signer) {
  return rebuild_by(repository, branches, {directory, committer, signer}, OnForeignChange::Overwrite);
}

Result<std::optional<Rebuilt>> extend(git_repository& repository, const Rebuilt& rebuilt, const Branches& before,
                                      const Branches& now, const std::string& directory, const Identity& committer,
                                      const CommitSigner* signer) {
  Branches same_but_ours = now;
  same_but_ours.ours = before.ours;
  if (same_but_ours != before || before.ours.empty()) return std::optional<Rebuilt>();
  auto continues = contains_commit(repository, now.ours, before.ours);
  if (!continues) return continues.error();
  if (!*continues) return std::optional<Rebuilt>();
  auto recorded = commits_beyond(repository, now.ours, {before.ours});
  if (!recorded) return recorded.error();
  std::set<std::string> dropped;
  auto tip = replay(repository, *recorded, rebuilt.branches.ours, {directory, committer, signer}, {}, dropped);
  if (!tip) return tip.error();
  Rebuilt longer = rebuilt;
  longer.branches.ours = *tip;
  return std::optional(longer);
}

Result<Rebuilt> rebuild_after_rewrite(git_repository& repository, const Branches& branches,
                                      const std::string& directory, const Identity& committer) {
  std::vector<std::string> commits;
  if (branches.ours != branches.base) {
    auto beyond = commits_beyond(repository, branches.ours, {branches.base, branches.target});
    if (!beyond) return beyond.error();
    commits = *beyond;
  }
  std::string tip = branches.target;
  if (!branches.base.empty()) {
    auto missing = updates_between(repository, branches.target, branches.base, directory);
    auto last = commit_info(repository, branches.base);
    if (!missing) return missing.error();
    if (!last) return last.error();
    auto restored = commit_updates(repository, tip, *missing, committer, last->time,
                                   "Write status again after history was rewritten\n");
    if (!restored) return restored.error();
    tip = *restored;
  }
  std::set<std::string> dropped;
  auto replayed = replay(repository, commits, tip, {directory, committer}, {}, dropped);
  if (!replayed) return replayed.error();
  Rebuilt rebuilt;
  rebuilt.branches = branches;
  rebuilt.branches.base = branches.target;
  rebuilt.branches.ours = *replayed;
  return rebuilt;
}

}  // namespace reconciler
