#include "git/history.h"

#include <git2.h>
#include <git2/sys/repository.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/format.h"
#include "git/library.h"
#include "git/tree.h"

namespace reconciler {
namespace {

constexpr size_t merged_commits_max = 1'000;

Result<Owned<git_commit>> look_up_commit(git_repository& repository, const git_oid& id) {
  Owned<git_commit> commit;
  if (git_commit_lookup(fill(commit), &repository, &id) < 0) return library_error(format("commit {}", id_text(id)));
  return commit;
}

std::string signature_text(const git_signature& signature) {
  return std::string(signature.name) + " <" + signature.email + ">";
}

CommitInfo info_of(const git_commit& commit) {
  const git_signature* author = git_commit_author(&commit);
  const char* message = git_commit_message(&commit);
  CommitInfo info;
  info.id = id_text(*git_commit_id(&commit));
  info.author = signature_text(*author);
  info.time = TimePoint(std::chrono::seconds(author->when.time));
  info.message = message ? message : "";
  if (git_commit_parentcount(&commit) > 0) info.parent = id_text(*git_commit_parent_id(&commit, 0));
  return info;
}

/// Of a commit as it is stored: `tree <id>`, then a line for each parent. Empty when it has none.
std::string first_parent_in(std::string_view commit) {
  constexpr std::string_view kParent = "parent ";
  const size_t line = commit.find('\n');
  if (line == commit.npos) return "";
  const std::string_view parent = commit.substr(line + 1, kParent.size() + GIT_OID_HEXSZ);
  return parent.starts_with(kParent) ? std::string(parent.substr(kParent.size())) : "";
}

/// When only this is wanted of a whole history, parsing its commits would be most of the work.
Result<std::string> first_parent_of(git_repository& repository, const std::string& commit) {
  Owned<git_odb> objects;
  Owned<git_odb_object> raw;
  const git_oid id = id_from(commit);
  if (git_repository_odb(fill(objects), &repository) < 0 || git_odb_read(fill(raw), objects.get(), &id) < 0)
    return library_error(format("commit {}", commit));
  return first_parent_in({static_cast<const char*>(git_odb_object_data(raw.get())), git_odb_object_size(raw.get())});
}

/// The library makes room in a full cache in the order of its hash table: what stays is what nobody asks for any more,
/// and each object more costs a search of the whole table. So a long walk empties it long before.
void keep_cache_small(git_repository& repository, size_t steps) {
  constexpr size_t kStepsMax = 500;
  if (steps % kStepsMax == 0) git_repository__cleanup(&repository);
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

CommitWalk CommitWalk::from_tip(git_repository& repository, const std::string& tip) {
  CommitWalk walk(repository);
  walk.to_come_ = {tip};
  walk.goes_on_ = true;
  return walk;
}

Result<CommitWalk> CommitWalk::from_root(git_repository& repository, const std::string& tip) {
  auto ids = first_parents(repository, tip);
  if (!ids) return ids.error();
  CommitWalk walk(repository);
  walk.to_come_ = *std::move(ids);
  return walk;
}

Result<std::optional<CommitInfo>> CommitWalk::next() {
  if (to_come_.empty()) return std::optional<CommitInfo>();
  keep_cache_small(*repository_, ++steps_);
  auto commit = look_up_commit(*repository_, id_from(to_come_.back()));
  if (!commit) return commit.error();
  to_come_.pop_back();
  const git_oid* parent = git_commit_parent_id(commit->get(), 0);
  if (goes_on_ && parent) to_come_.push_back(id_text(*parent));
  return std::optional(info_of(**commit));
}

Result<std::vector<std::string>> first_parents(git_repository& repository, const std::string& tip) {
  std::vector<std::string> ids;
  for (std::string next = tip; !next.empty();) {
    keep_cache_small(repository, ids.size() + 1);
    auto parent = first_parent_of(repository, next);
    if (!parent) return parent.error();
    ids.push_back(std::exchange(next, *std::move(parent)));
  }
  return ids;
}

Result<bool> changes_path(git_repository& repository, const std::string& commit, const std::string& path) {
  auto found = look_up_commit(repository, id_from(commit));
  if (!found) return found.error();
  PathFollower follower(repository, plain_directory(path));
  auto here = follower.at(**found);
  if (!here) return here.error();
  const git_oid* parent_id = git_commit_parent_id(found->get(), 0);
  if (!parent_id) return !git_oid_is_zero(&*here);
  auto parent = look_up_commit(repository, *parent_id);
  if (!parent) return parent.error();
  auto before = follower.at(**parent);
  if (!before) return before.error();
  return !git_oid_equal(&*here, &*before);
}

Result<bool> MainLine::contains(const std::string& commit) {
  if (ids_.empty()) {
    auto ids = first_parents(*repository_, tip_);
    if (!ids) return ids.error();
    ids_.insert(ids->begin(), ids->end());
  }
  return ids_.contains(commit);
}

Result<CommitPeople> people_of(git_repository& repository, const std::string& commit, MainLine& main_line) {
  auto found = look_up_commit(repository, id_from(commit));
  if (!found) return found.error();
  CommitPeople people;
  people.committer = signature_text(*git_commit_committer(found->get()));
  people.first = info_of(**found).time;
  if (git_commit_parentcount(found->get()) < 2) return people;
  CommitWalk walk = CommitWalk::from_tip(repository, id_text(*git_commit_parent_id(found->get(), 1)));
  for (size_t steps = 0; steps < merged_commits_max; ++steps) {
    auto next = walk.next();
    if (!next) return next.error();
    if (!*next) break;
    auto was_there = main_line.contains((*next)->id);
    if (!was_there) return was_there.error();
    if (*was_there) break;
    people.first = std::min(people.first, (*next)->time);
    auto& authors = people.authors;
    if (std::find(authors.begin(), authors.end(), (*next)->author) == authors.end()) authors.push_back((*next)->author);
  }
  return people;
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
