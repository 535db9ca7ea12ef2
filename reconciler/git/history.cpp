#include "git/history.h"

#include <git2.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "base/format.h"
#include "git/library.h"
#include "git/tree.h"

namespace reconciler {
namespace {

Result<Owned<git_commit>> look_up_commit(git_repository& repository, const git_oid& id) {
  Owned<git_commit> commit;
  if (git_commit_lookup(fill(commit), &repository, &id) < 0) return library_error(format("commit {}", id_text(id)));
  return commit;
}

CommitInfo info_of(const git_commit& commit) {
  const git_signature* author = git_commit_author(&commit);
  const char* message = git_commit_message(&commit);
  CommitInfo info;
  info.id = id_text(*git_commit_id(&commit));
  info.author = format("{} <{}>", author->name, author->email);
  info.time = TimePoint(std::chrono::seconds(author->when.time));
  info.message = message ? message : "";
  return info;
}

Result<Owned<git_revwalk>> first_parent_walk(git_repository& repository, const std::string& tip,
                                             const std::vector<std::string>& excluded) {
  Owned<git_revwalk> walk;
  if (git_revwalk_new(fill(walk), &repository) < 0) return library_error("cannot walk the history");
  git_revwalk_simplify_first_parent(walk.get());
  auto id = id_from(tip);
  if (git_revwalk_push(walk.get(), &id) < 0) return library_error(format("commit {}", tip));
  for (const auto& commit : excluded) {
    auto hidden = id_from(commit);
    if (!commit.empty() && git_revwalk_hide(walk.get(), &hidden) < 0) return library_error(format("commit {}", commit));
  }
  return walk;
}

/// The id of what lies at one path, commit by commit. Most commits leave the first directory of the path alone, and
/// then nothing below it is looked at.
class PathFollower {
 public:
  PathFollower(git_repository& repository, const std::string& path) : repository_(repository) {
    auto slash = path.find('/');
    first_ = path.substr(0, slash);
    if (slash != path.npos) rest_ = path.substr(slash + 1);
  }

  /// The zero id when nothing is there.
  Result<git_oid> at(const git_commit& commit) {
    if (first_.empty()) return *git_commit_tree_id(&commit);
    if (known_tree_ && git_oid_equal(&*known_tree_, git_commit_tree_id(&commit))) return known_result_;
    Owned<git_tree> root;
    if (git_commit_tree(fill(root), &commit) < 0)
      return library_error(format("commit {}", id_text(*git_commit_id(&commit))));
    known_tree_ = *git_commit_tree_id(&commit);
    const git_tree_entry* entry = git_tree_entry_byname(root.get(), first_.c_str());
    git_oid first = entry ? *git_tree_entry_id(entry) : git_oid{};
    if (known_first_ && git_oid_equal(&*known_first_, &first)) return known_result_;
    auto result = below(entry);
    if (!result) return result;
    known_first_ = first;
    known_result_ = *result;
    return result;
  }

 private:
  Result<git_oid> below(const git_tree_entry* entry) {
    if (!entry) return git_oid{};
    if (rest_.empty()) return *git_tree_entry_id(entry);
    if (git_tree_entry_type(entry) != GIT_OBJECT_TREE) return git_oid{};
    Owned<git_tree> tree;
    if (git_tree_lookup(fill(tree), &repository_, git_tree_entry_id(entry)) < 0) return library_error(first_);
    git_tree_entry* raw = nullptr;
    int code = git_tree_entry_bypath(&raw, tree.get(), rest_.c_str());
    std::unique_ptr<git_tree_entry, decltype(&git_tree_entry_free)> found(raw, &git_tree_entry_free);
    if (code == GIT_ENOTFOUND) return git_oid{};
    if (code < 0) return library_error(first_ + "/" + rest_);
    return *git_tree_entry_id(found.get());
  }

  git_repository& repository_;
  std::string first_;
  std::string rest_;
  std::optional<git_oid> known_tree_;
  std::optional<git_oid> known_first_;
  git_oid known_result_{};
};

}  // namespace

Result<CommitInfo> commit_info(git_repository& repository, const std::string& commit) {
  auto found = look_up_commit(repository, id_from(commit));
  if (!found) return found.error();
  return info_of(**found);
}

Result<std::vector<CommitInfo>> commits_touching_path(git_repository& repository, const std::string& path,
                                                      const std::string& from, const std::string& to, size_t limit) {
  auto walk = first_parent_walk(repository, to, {from});
  if (!walk) return walk.error();
  PathFollower follower(repository, plain_directory(path));
  std::vector<CommitInfo> touching;
  git_oid next;
  Owned<git_commit> parent;  // looked up one step ahead
  while (touching.size() < limit && git_revwalk_next(&next, walk->get()) == 0) {
    Owned<git_commit> commit = std::move(parent);
    if (!commit || !git_oid_equal(git_commit_id(commit.get()), &next)) {
      auto found = look_up_commit(repository, next);
      if (!found) return found.error();
      commit = std::move(*found);
    }
    auto here = follower.at(*commit);
    if (!here) return here.error();
    git_oid before{};
    if (git_commit_parentcount(commit.get()) > 0) {
      if (git_commit_parent(fill(parent), commit.get(), 0) < 0)
        return library_error(format("commit {}", id_text(next)));
      auto there = follower.at(*parent);
      if (!there) return there.error();
      before = *there;
    }
    if (path.empty() || !git_oid_equal(&*here, &before)) touching.push_back(info_of(*commit));
  }
  return touching;
}

Result<bool> contains_commit(git_repository& repository, const std::string& commit, const std::string& ancestor) {
  if (commit == ancestor) return true;
  auto descendant_id = id_from(commit), ancestor_id = id_from(ancestor);
  int answer = git_graph_descendant_of(&repository, &descendant_id, &ancestor_id);
  if (answer < 0) return library_error(format("commit {}", commit));
  return answer == 1;
}

Result<std::vector<std::string>> commits_beyond(git_repository& repository, const std::string& tip,
                                                const std::vector<std::string>& excluded) {
  std::vector<std::string> commits;
  if (tip.empty()) return commits;
  auto walk = first_parent_walk(repository, tip, excluded);
  if (!walk) return walk.error();
  git_oid next;
  while (git_revwalk_next(&next, walk->get()) == 0) commits.push_back(id_text(next));
  std::reverse(commits.begin(), commits.end());
  return commits;
}

}  // namespace reconciler
