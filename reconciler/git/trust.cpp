#include "git/trust.h"

#include <git2.h>

#include <algorithm>
#include <fstream>

#include "base/format.h"
#include "git/durable.h"
#include "git/history.h"
#include "git/library.h"
#include "git/tree.h"

namespace reconciler {
namespace {

constexpr size_t kGoodRemembered = 100'000;
constexpr size_t kHistoryMax = 1'000'000;

std::string own_file(const std::string& clone) { return clone + "/serin-own-commits"; }

Result<std::string> first_parent(git_repository& repository, const std::string& commit) {
  auto id = id_from(commit);
  Owned<git_commit> found;
  if (git_commit_lookup(fill(found), &repository, &id) < 0) return library_error(format("commit {}", commit));
  if (git_commit_parentcount(found.get()) == 0) return std::string();
  return id_text(*git_commit_parent_id(found.get(), 0));
}

std::string listed(const std::set<std::string>& ids) {
  std::string text;
  for (const auto& id : ids) text += id + "\n";
  return text;
}

}  // namespace

Result<void> Trust::start() {
  std::ifstream file(own_file(clone_));
  for (std::string line; std::getline(file, line);)
    if (is_full_id(line)) own_.insert(line);
  if (options_.policy == VerifyPolicy::None || !options_.signers.empty()) return {};
  return invalid("commits cannot be verified: name who may sign, with --allowed-signers-file or --keyring-file");
}

Result<void> Trust::check(git_repository& repository, const std::string& deployed, const std::string& tip) {
  if (good_.size() > kGoodRemembered) good_.clear();
  if (options_.policy == VerifyPolicy::Range && !deployed.empty()) return check_range(repository, deployed, tip);
  return check_head(repository, deployed, tip);
}

/// A commit that changes nothing at all is a person's: it may carry a trailer that allows something.
Result<Trust::Touches> Trust::touches(git_repository& repository, const std::string& commit) const {
  auto parent = first_parent(repository, commit);
  if (!parent) return parent.error();
  Owned<git_tree> before;
  if (!parent->empty()) {
    auto tree = tree_of(repository, *parent);
    if (!tree) return tree.error();
    before = std::move(*tree);
  }
  auto after = tree_of(repository, commit);
  if (!after) return after.error();
  auto changes = compare_trees(repository, before.get(), after->get(), "");
  if (!changes) return changes.error();
  const std::string root = plain_directory(options_.status_root) + "/";
  const bool status_only = std::all_of(changes->begin(), changes->end(),
                                       [&](const TreeChange& change) { return change.path.starts_with(root); });
  return status_only && !changes->empty() ? Touches::StatusOnly : Touches::Anything;
}

Result<void> Trust::check_head(git_repository& repository, const std::string& deployed, const std::string& tip) {
  std::string commit = tip;
  for (size_t steps = 0; !commit.empty() && commit != deployed; ++steps) {
    if (steps > kHistoryMax) return invalid(format("commit {}: no end of status commits before it", tip));
    auto touched = touches(repository, commit);
    if (!touched) return touched.error();
    if (*touched == Touches::Anything) return check_commit(repository, commit, options_.signers);
    auto parent = first_parent(repository, commit);
    if (!parent) return parent.error();
    commit = *parent;
  }
  return {};
}

Result<void> Trust::check_range(git_repository& repository, const std::string& deployed, const std::string& tip) {
  auto commits = commits_beyond(repository, tip, {deployed});
  if (!commits) return commits.error();
  for (const auto& commit : *commits) {
    auto touched = touches(repository, commit);
    if (!touched) return touched.error();
    auto checked = *touched == Touches::StatusOnly ? check_status_commit(repository, commit)
                                                   : check_commit(repository, commit, options_.signers);
    if (!checked) return checked;
  }
  return {};
}

Result<void> Trust::check_status_commit(git_repository& repository, const std::string& commit) {
  if (own_.count(commit)) return {};
  if (!options_.status_signers_file.empty()) {
    auto checked = check_commit(repository, commit, {.allowed_signers_file = options_.status_signers_file});
    if (checked || checked.error().kind != ErrorKind::Invalid) return checked;
  }
  auto checked = check_commit(repository, commit, options_.signers);
  if (checked || checked.error().kind != ErrorKind::Invalid) return checked;
  return invalid(checked.error().message + ", and it is no status commit of ours");
}

Result<void> Trust::check_commit(git_repository& repository, const std::string& commit, const SignerFiles& signers) {
  if (good_.count(commit)) return {};
  auto checked = check_signature(repository, commit, signers, clone_);
  if (checked) good_.insert(commit);
  if (checked) return {};
  if (checked.error().kind != ErrorKind::Invalid) return checked.error();
  auto info = commit_info(repository, commit);
  if (!info) return info.error();
  return invalid(
      format("commit {} of {} is not verified: {}", commit.substr(0, 12), info->author, checked.error().message));
}

Result<void> Trust::remember_own(const std::vector<std::string>& commits) {
  if (options_.policy != VerifyPolicy::Range) return {};
  auto before = own_.size();
  own_.insert(commits.begin(), commits.end());
  if (own_.size() == before) return {};
  return replace_file(own_file(clone_), listed(own_));
}

Result<void> Trust::forget_own() {
  if (own_.empty()) return {};
  own_.clear();
  return replace_file(own_file(clone_), "");
}

}  // namespace reconciler
