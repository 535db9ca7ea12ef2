#include "git/commit_batch.h"

#include <git2.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "base/format.h"
#include "git/library.h"
#include "git/tree_text.h"

namespace reconciler {
namespace {

/// Fewer are files of their own: many small packs would cost every reader more.
constexpr size_t kPackedObjectsMin = 50;

git_object_t library_type(ObjectType type) {
  switch (type) {
    case ObjectType::Commit: return GIT_OBJECT_COMMIT;
    case ObjectType::Tree: return GIT_OBJECT_TREE;
    case ObjectType::Blob: return GIT_OBJECT_BLOB;
  }
  unreachable();
}

std::string raw_id(const std::string& id) {
  const git_oid oid = id_from(id);
  return std::string(reinterpret_cast<const char*>(oid.id), sizeof oid.id);
}

std::string id_of_raw(const std::string& raw) {
  git_oid oid{};
  std::memcpy(oid.id, raw.data(), std::min(raw.size(), sizeof oid.id));
  return id_text(oid);
}

int64_t epoch_seconds(TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

Result<CommitBatch> CommitBatch::on(git_repository& repository, const std::string& tip, Identity identity) {
  CommitBatch batch(repository, std::move(identity));
  if (tip.empty()) return batch;
  auto id = id_from(tip);
  Owned<git_commit> commit;
  if (git_commit_lookup(fill(commit), &repository, &id) < 0) return library_error(format("commit {}", tip));
  batch.tip_ = tip;
  batch.tree_ = id_text(*git_commit_tree_id(commit.get()));
  batch.tip_seconds_ = git_commit_committer(commit.get())->when.time;
  return batch;
}

Result<std::string> CommitBatch::content_of(const std::string& tree) {
  if (tree.empty()) return std::string();
  if (auto place = places_.find(tree); place != places_.end()) return objects_[place->second].content;
  auto id = id_from(tree);
  Owned<git_odb> objects;
  Owned<git_odb_object> object;
  if (git_repository_odb(fill(objects), &repository_) < 0 || git_odb_read(fill(object), objects.get(), &id) < 0)
    return library_error(format("tree {}", tree));
  return std::string(static_cast<const char*>(git_odb_object_data(object.get())), git_odb_object_size(object.get()));
}

/// Returns its id.
Result<std::string> CommitBatch::store(ObjectType type, std::string content, const std::string& like) {
  git_oid oid;
  if (git_odb_hash(&oid, content.data(), content.size(), library_type(type)) < 0)
    return library_error("cannot write an object");
  const std::string id = id_text(oid);
  if (!places_.emplace(id, objects_.size()).second) return id;
  bytes_ += content.size();
  NewObject object{.type = type, .id = id, .content = std::move(content)};
  if (auto place = places_.find(like); place != places_.end()) object.like = place->second;
  objects_.push_back(std::move(object));
  return id;
}

Result<std::string> CommitBatch::changed_tree(const std::string& before, std::string_view path,
                                              const std::optional<std::string>& blob) {
  auto text = content_of(before);
  if (!text) return text;
  const size_t slash = path.find('/');
  const std::string_view name = path.substr(0, slash);
  const bool is_directory = slash != path.npos;
  auto entry = find_entry(*text, name);
  if (entry && entry->is_directory != is_directory)
    return invalid(format("{} is a {}", name, is_directory ? "file, not a directory" : "directory, not a file"));
  if (!entry && !blob) return before;
  std::string id = blob.value_or("");
  if (is_directory) {
    auto below = changed_tree(entry ? id_of_raw(entry->id) : "", path.substr(slash + 1), blob);
    if (!below) return below;
    id = *below;
  }
  // A directory that holds nothing any more goes too.
  std::string after = id.empty() ? without_entry(*text, name) : with_entry(*text, name, {is_directory, raw_id(id)});
  if (after == *text) return before;
  if (after.empty()) return std::string();
  return store(ObjectType::Tree, std::move(after), before);
}

Result<void> CommitBatch::add(const std::string& path, const std::optional<std::string>& content, TimePoint time,
                              std::string_view message) {
  std::optional<std::string> blob;
  if (content) {
    auto stored = store(ObjectType::Blob, *content, "");
    if (!stored) return stored.error();
    blob = *stored;
  }
  auto tree = changed_tree(tree_, path, blob);
  if (!tree) return Error{tree.error().kind, format("cannot write {}: {}", path, tree.error().message)};
  if (*tree == tree_) return {};
  if (tree->empty()) tree = store(ObjectType::Tree, "", "");
  if (!tree) return tree.error();
  const int64_t author = epoch_seconds(time);
  tip_seconds_ = std::max(author, tip_seconds_);  // git's walks expect that a commit is not older than its parent
  const std::string who = format("{} <{}>", identity_.name, identity_.email);
  const std::string parent = tip_.empty() ? "" : format("parent {}\n", tip_);
  std::string text = format("tree {}\n{}author {} {} +0000\ncommitter {} {} +0000\n\n{}", *tree, parent, who, author,
                            who, tip_seconds_, message.substr(0, message.find('\0')));
  if (text.back() != '\n') text += '\n';
  auto commit = store(ObjectType::Commit, std::move(text), "");
  if (!commit) return commit.error();
  tip_ = *commit;
  tree_ = *tree;
  ++commits_;
  return {};
}

Result<void> CommitBatch::write_pack(const std::string& clone) {
  const std::string folder = clone + "/objects/pack";
  auto text = pack_text(objects_);
  if (!text) return text.error();
  Owned<git_indexer> indexer;
  Owned<git_odb> objects;
  git_indexer_progress progress{};
  if (git_repository_odb(fill(objects), &repository_) < 0 ||
      git_indexer_new(fill(indexer), folder.c_str(), 0, objects.get(), nullptr) < 0 ||
      git_indexer_append(indexer.get(), text->data(), text->size(), &progress) < 0 ||
      git_indexer_commit(indexer.get(), &progress) < 0)
    return transient(format("cannot write to {}: {}", folder, last_git_error("unknown error")));
  return {};
}

Result<void> CommitBatch::write_files() {
  Owned<git_odb> objects;
  if (git_repository_odb(fill(objects), &repository_) < 0) return library_error("cannot write objects");
  for (const NewObject& object : objects_) {
    git_oid id;
    if (git_odb_write(&id, objects.get(), object.content.data(), object.content.size(), library_type(object.type)) < 0)
      return transient(format("cannot write an object: {}", last_git_error("unknown error")));
  }
  return {};
}

Result<void> CommitBatch::write(const std::string& clone) {
  auto written = objects_.size() < kPackedObjectsMin ? write_files() : write_pack(clone);
  if (!written) return written;
  objects_.clear();
  places_.clear();
  bytes_ = 0;
  return {};
}

}  // namespace reconciler
