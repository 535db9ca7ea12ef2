#include "git/status_commits.h"

#include <git2.h>
#include <git2/sys/commit.h>

#include <algorithm>

#include "base/format.h"
#include "git/commit_signer.h"
#include "git/history.h"
#include "git/library.h"
#include "git/tree.h"

namespace reconciler {
namespace {

Result<Owned<git_signature>> signature(const std::string& name, const std::string& email, git_time_t seconds) {
  Owned<git_signature> made;
  if (git_signature_new(fill(made), name.c_str(), email.c_str(), seconds, 0) < 0)
    return library_error(format("author {} <{}>", name, email));
  return made;
}

git_time_t seconds_of(TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

/// Git's walks expect that a commit is not older than its parent.
Result<git_time_t> committer_seconds(git_repository& repository, const std::string& parent, git_time_t author) {
  if (parent.empty()) return author;
  auto id = id_from(parent);
  Owned<git_commit> commit;
  if (git_commit_lookup(fill(commit), &repository, &id) < 0) return library_error(format("commit {}", parent));
  return std::max(author, git_commit_committer(commit.get())->when.time);
}

/// The path to remove so that no empty directory stays: the highest one that holds nothing else.
Result<std::string> removable_part(git_repository& repository, const git_tree& tree, std::string path) {
  for (auto slash = path.rfind('/'); slash != path.npos; slash = path.rfind('/')) {
    auto directory = path.substr(0, slash);
    auto folder = subtree(repository, tree, directory);
    if (!folder) return folder.error();
    if (!*folder || git_tree_entrycount(folder->get()) > 1) break;
    path = directory;
  }
  return path;
}

Result<std::string> apply_one(git_repository& repository, const std::string& tree, const PathUpdate& update) {
  auto tree_id = id_from(tree);
  Owned<git_tree> baseline;
  if (!tree.empty() && git_tree_lookup(fill(baseline), &repository, &tree_id) < 0) return library_error(update.path);
  std::string path = update.path;
  git_tree_update change{};
  change.action = update.blob ? GIT_TREE_UPDATE_UPSERT : GIT_TREE_UPDATE_REMOVE;
  change.filemode = GIT_FILEMODE_BLOB;
  if (update.blob) {
    change.id = id_from(*update.blob);
  } else {
    if (!baseline) return tree;
    auto present = entry_at(*baseline, path);
    if (!present) return present.error();
    if (!*present) return tree;
    auto part = removable_part(repository, *baseline, path);
    if (!part) return part.error();
    path = *part;
  }
  change.path = path.c_str();
  git_oid result;
  if (git_tree_create_updated(&result, &repository, baseline.get(), 1, &change) < 0)
    return library_error(format("cannot write {}", update.path));
  return id_text(result);
}

Result<std::string> root_tree_id(git_repository& repository, const std::string& commit) {
  if (commit.empty()) return std::string();
  auto tree = tree_of(repository, commit);
  if (!tree) return tree.error();
  return id_text(*git_tree_id(tree->get()));
}

/// The tree of `parent` with the updates; the same tree when they change nothing.
Result<std::string> updated_tree(git_repository& repository, const std::string& before,
                                 const std::vector<PathUpdate>& updates) {
  std::string tree = before;
  for (const auto& update : updates) {
    auto next = apply_one(repository, tree, update);
    if (!next) return next;
    tree = *next;
  }
  return tree;
}

/// The commit as the library would write it, signed, and then written.
Result<std::string> write_signed(git_repository& repository, const git_signature& author,
                                 const git_signature& committer, const std::string& message, const std::string& tree,
                                 const std::string& parent, const CommitSigner& signer) {
  auto tree_id = id_from(tree), parent_id = id_from(parent);
  Owned<git_tree> content;
  Owned<git_commit> before;
  if (git_tree_lookup(fill(content), &repository, &tree_id) < 0 ||
      (!parent.empty() && git_commit_lookup(fill(before), &repository, &parent_id) < 0))
    return library_error("cannot write a commit");
  const git_commit* parents[] = {before.get()};
  git_buf text = GIT_BUF_INIT;
  int code = git_commit_create_buffer(&text, &repository, &author, &committer, nullptr, message.c_str(), content.get(),
                                      parent.empty() ? 0 : 1, parents);
  std::string commit(text.ptr ? text.ptr : "", text.size);
  git_buf_dispose(&text);
  if (code < 0) return library_error("cannot write a commit");
  auto signature = signer.sign(commit);
  if (!signature) return signature;
  git_oid id;
  if (git_commit_create_with_signature(&id, &repository, commit.c_str(), signature->c_str(), nullptr) < 0)
    return library_error("cannot write a signed commit");
  return id_text(id);
}

Result<std::string> write_commit(git_repository& repository, const std::string& parent, const std::string& tree,
                                 const git_signature& author, const Identity& committer, const std::string& message,
                                 const CommitSigner* signer) {
  auto seconds = committer_seconds(repository, parent, author.when.time);
  if (!seconds) return seconds.error();
  auto by = signature(committer.name, committer.email, *seconds);
  if (!by) return by.error();
  auto tree_id = id_from(tree), parent_id = id_from(parent);
  const git_oid* parents[] = {&parent_id};
  std::string text = message.empty() || message.back() != '\n' ? message + "\n" : message;
  if (signer) return write_signed(repository, author, **by, text, tree, parent, *signer);
  git_oid id;
  if (git_commit_create_from_ids(&id, &repository, nullptr, &author, by->get(), nullptr, text.c_str(), &tree_id,
                                 parent.empty() ? 0 : 1, parents) < 0)
    return library_error("cannot write a commit");
  return id_text(id);
}

}  // namespace

Result<Identity> parse_identity(const std::string& author) {
  auto open = author.find(" <");
  bool valid = open != author.npos && open > 0 && author.back() == '>' &&
               author.find_first_of("<>\n", open + 2) == author.size() - 1;
  if (!valid || author.find_first_of("<>\n") != open + 1)
    return invalid(format("author {}: must be written `Name <email>`", author));
  return Identity{author.substr(0, open), author.substr(open + 2, author.size() - open - 3)};
}

Result<std::string> store_blob(git_repository& repository, const std::string& content) {
  git_oid id;
  if (git_blob_create_from_buffer(&id, &repository, content.data(), content.size()) < 0)
    return library_error("cannot write a blob");
  return id_text(id);
}

Result<std::vector<PathUpdate>> store_files(git_repository& repository,
                                            const std::map<std::string, std::optional<std::string>>& files) {
  std::vector<PathUpdate> updates;
  for (const auto& [path, content] : files) {
    PathUpdate update{.path = path};
    if (content) {
      auto blob = store_blob(repository, *content);
      if (!blob) return blob.error();
      update.blob = *blob;
    }
    updates.push_back(std::move(update));
  }
  return updates;
}

Result<std::string> commit_updates(git_repository& repository, const std::string& parent,
                                   const std::vector<PathUpdate>& updates, const Identity& identity, TimePoint time,
                                   const std::string& message, const CommitSigner* signer) {
  auto before = root_tree_id(repository, parent);
  if (!before) return before;
  auto tree = updated_tree(repository, *before, updates);
  if (!tree) return tree;
  if (*tree == *before) return parent;
  auto author = signature(identity.name, identity.email, seconds_of(time));
  if (!author) return author.error();
  return write_commit(repository, parent, *tree, **author, identity, message, signer);
}

Result<std::vector<PathUpdate>> updates_of(git_repository& repository, const std::string& commit,
                                           const std::string& directory) {
  auto id = id_from(commit);
  Owned<git_commit> found;
  if (git_commit_lookup(fill(found), &repository, &id) < 0) return library_error(format("commit {}", commit));
  Owned<git_tree> before, after;
  if (git_commit_parentcount(found.get()) > 0) {
    auto tree = directory_of(repository, id_text(*git_commit_parent_id(found.get(), 0)), directory);
    if (!tree) return tree.error();
    before = std::move(*tree);
  }
  auto tree = directory_of(repository, commit, directory);
  if (!tree) return tree.error();
  after = std::move(*tree);
  auto changes = compare_trees(repository, before.get(), after.get(), directory.empty() ? "" : directory + "/");
  if (!changes) return changes.error();
  std::vector<PathUpdate> updates;
  for (auto& change : *changes) {
    PathUpdate update{change.path, {}};
    if (change.after) update.blob = change.after->blob;
    updates.push_back(std::move(update));
  }
  return updates;
}

Result<std::string> commit_again(git_repository& repository, const std::string& commit, const std::string& parent,
                                 const std::vector<PathUpdate>& updates, const Identity& committer,
                                 const CommitSigner* signer) {
  auto id = id_from(commit);
  Owned<git_commit> original;
  if (git_commit_lookup(fill(original), &repository, &id) < 0) return library_error(format("commit {}", commit));
  auto before = root_tree_id(repository, parent);
  if (!before) return before;
  auto tree = updated_tree(repository, *before, updates);
  if (!tree) return tree;
  if (*tree == *before) return parent;
  return write_commit(repository, parent, *tree, *git_commit_author(original.get()), committer,
                      git_commit_message(original.get()), signer);
}

Result<bool> is_signed(git_repository& repository, const std::string& commit) {
  auto id = id_from(commit);
  Owned<git_commit> found;
  if (git_commit_lookup(fill(found), &repository, &id) < 0) return library_error(format("commit {}", commit));
  git_buf field = GIT_BUF_INIT;
  int code = git_commit_header_field(&field, found.get(), "gpgsig");
  git_buf_dispose(&field);
  if (code < 0 && code != GIT_ENOTFOUND) return library_error(format("commit {}", commit));
  return code == 0;
}

}  // namespace reconciler
