#include "git/tree.h"

#include <git2.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "base/format.h"
#include "git/library.h"

namespace reconciler {
namespace {

constexpr size_t tree_bytes_max = 32 << 20;

bool is_continuation(unsigned char c) { return (c & 0xc0) == 0x80; }

/// How many bytes the UTF-8 character at the start of `text` has; 0 when it is none.
size_t utf8_length(std::string_view text) {
  auto first = static_cast<unsigned char>(text[0]);
  size_t length = first < 0x80                    ? 1
                  : first >= 0xc2 && first < 0xe0 ? 2
                  : (first & 0xf0) == 0xe0        ? 3
                  : first >= 0xf0 && first < 0xf5 ? 4
                                                  : 0;
  if (length == 0 || text.size() < length) return 0;
  for (size_t i = 1; i < length; i++)
    if (!is_continuation(static_cast<unsigned char>(text[i]))) return 0;
  return length;
}

bool is_printable(std::string_view name) {
  while (!name.empty()) {
    auto first = static_cast<unsigned char>(name[0]);
    size_t length = utf8_length(name);
    if (length == 0 || first < 0x20 || first == 0x7f) return false;
    name.remove_prefix(length);
  }
  return true;
}

bool is_safe(std::string_view name) {
  if (name.empty() || name == "." || name == ".." || name.find_first_of("/\\") != name.npos) return false;
  bool is_git = name.size() == 4 && strncasecmp(name.data(), ".git", 4) == 0;
  return !is_git && is_printable(name);
}

/// A name that may be shown and logged.
std::string escaped(std::string_view name) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (unsigned char c : name.substr(0, 255)) {
    if (c >= 0x20 && c < 0x7f && c != '/' && c != '\\') {
      text += static_cast<char>(c);
    } else {
      text += {'\\', 'x', digits[c >> 4], digits[c & 15]};
    }
  }
  return text;
}

Result<Owned<git_tree>> look_up_tree(git_repository& repository, const git_oid& id) {
  Owned<git_odb> objects;
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (git_repository_odb(fill(objects), &repository) < 0 || git_odb_read_header(&size, &type, objects.get(), &id) < 0)
    return library_error(format("tree {}", id_text(id)));
  if (size > tree_bytes_max) return invalid(format("tree {}: {} bytes is too large", id_text(id), size));
  Owned<git_tree> tree;
  if (git_tree_lookup(fill(tree), &repository, &id) < 0) return library_error(format("tree {}", id_text(id)));
  return tree;
}

bool is_tree(const git_tree_entry* entry) { return entry && git_tree_entry_filemode(entry) == GIT_FILEMODE_TREE; }

std::optional<TreeEntry> entry_of(const git_tree_entry* entry) {
  if (!entry || is_tree(entry)) return {};
  TreeEntry result{id_text(*git_tree_entry_id(entry)), EntryKind::File};
  if (!is_safe(git_tree_entry_name(entry)))
    result.kind = EntryKind::Unsafe;
  else if (git_tree_entry_filemode(entry) == GIT_FILEMODE_LINK)
    result.kind = EntryKind::Symlink;
  else if (git_tree_entry_filemode(entry) == GIT_FILEMODE_COMMIT)
    result.kind = EntryKind::Submodule;
  return result;
}

/// Sorted by name, each name once: a hostile tree may be unsorted or hold doubles.
std::vector<const git_tree_entry*> entries_of(const git_tree* tree) {
  std::vector<const git_tree_entry*> entries;
  size_t count = tree ? git_tree_entrycount(tree) : 0;
  entries.reserve(count);
  for (size_t i = 0; i < count; i++) entries.push_back(git_tree_entry_byindex(tree, i));
  auto compare = [](auto* a, auto* b) { return std::strcmp(git_tree_entry_name(a), git_tree_entry_name(b)); };
  auto less = [&](auto* a, auto* b) { return compare(a, b) < 0; };
  if (!std::is_sorted(entries.begin(), entries.end(), less)) std::stable_sort(entries.begin(), entries.end(), less);
  auto same = [&](auto* a, auto* b) { return compare(a, b) == 0; };
  entries.erase(std::unique(entries.begin(), entries.end(), same), entries.end());
  return entries;
}

bool is_same(const git_tree_entry* a, const git_tree_entry* b) {
  return git_oid_equal(git_tree_entry_id(a), git_tree_entry_id(b)) &&
         git_tree_entry_filemode(a) == git_tree_entry_filemode(b);
}

class Comparison {
 public:
  explicit Comparison(git_repository& repository) : repository_(repository) {}

  Result<void> compare(const git_tree* before, const git_tree* after, const std::string& prefix, size_t depth) {
    auto old_entries = entries_of(before);
    auto new_entries = entries_of(after);
    seen_ += old_entries.size() + new_entries.size();
    if (seen_ > 2 * tree_entries_max || changes_.size() > tree_entries_max)
      return invalid(format("{}: more than {} files", prefix.empty() ? "repository" : prefix, tree_entries_max));
    for (auto x = old_entries.begin(), y = new_entries.begin(); x != old_entries.end() || y != new_entries.end();) {
      int order = x == old_entries.end()   ? 1
                  : y == new_entries.end() ? -1
                                           : std::strcmp(git_tree_entry_name(*x), git_tree_entry_name(*y));
      const auto* old_entry = order <= 0 ? *x++ : nullptr;
      const auto* new_entry = order >= 0 ? *y++ : nullptr;
      if (old_entry && new_entry && is_same(old_entry, new_entry)) continue;
      if (auto done = compare_entries(old_entry, new_entry, prefix, depth); !done) return done;
    }
    return {};
  }

  std::vector<TreeChange> take() {
    std::sort(changes_.begin(), changes_.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return std::move(changes_);
  }

 private:
  Result<void> compare_entries(const git_tree_entry* before, const git_tree_entry* after, const std::string& prefix,
                               size_t depth) {
    const char* name = git_tree_entry_name(before ? before : after);
    bool safe = is_safe(name);
    if (!safe || depth >= tree_depth_max) {  // one entry for whatever lies there, never looked into
      auto unsafe = [](const git_tree_entry* entry) -> std::optional<TreeEntry> {
        if (!entry) return {};
        return TreeEntry{id_text(*git_tree_entry_id(entry)), EntryKind::Unsafe};
      };
      changes_.push_back({prefix + escaped(name), unsafe(before), unsafe(after)});
      return {};
    }
    std::string path = prefix + name;
    if (is_tree(before) || is_tree(after)) {
      Owned<git_tree> trees[2];
      const git_tree_entry* entries[2] = {before, after};
      for (int i : {0, 1}) {
        if (!is_tree(entries[i])) continue;
        auto tree = look_up_tree(repository_, *git_tree_entry_id(entries[i]));
        if (!tree) return tree.error();
        trees[i] = std::move(*tree);
      }
      if (auto done = compare(trees[0].get(), trees[1].get(), path + "/", depth + 1); !done) return done;
    }
    auto was = entry_of(before), is = entry_of(after);
    if (was || is) changes_.push_back({path, was, is});
    return {};
  }

  git_repository& repository_;
  std::vector<TreeChange> changes_;
  size_t seen_ = 0;
};

}  // namespace

Result<Owned<git_tree>> tree_of(git_repository& repository, const std::string& commit) {
  auto id = id_from(commit);
  Owned<git_commit> found;
  if (git_commit_lookup(fill(found), &repository, &id) < 0) return library_error(format("commit {}", commit));
  return look_up_tree(repository, *git_commit_tree_id(found.get()));
}

std::string plain_directory(std::string_view directory) {
  while (directory.rfind("./", 0) == 0) directory.remove_prefix(2);
  while (!directory.empty() && directory.front() == '/') directory.remove_prefix(1);
  while (!directory.empty() && directory.back() == '/') directory.remove_suffix(1);
  return directory == "." ? "" : std::string(directory);
}

Result<Owned<git_tree>> subtree(git_repository& repository, const git_tree& tree, const std::string& directory) {
  if (directory.empty()) return look_up_tree(repository, *git_tree_id(&tree));
  git_tree_entry* raw = nullptr;
  int code = git_tree_entry_bypath(&raw, &tree, directory.c_str());
  std::unique_ptr<git_tree_entry, decltype(&git_tree_entry_free)> entry(raw, &git_tree_entry_free);
  if (code == GIT_ENOTFOUND) return Owned<git_tree>();
  if (code < 0) return library_error(directory);
  if (!is_tree(entry.get())) return invalid(format("{}: is not a directory", directory));
  return look_up_tree(repository, *git_tree_entry_id(entry.get()));
}

Result<Owned<git_tree>> directory_of(git_repository& repository, const std::string& commit,
                                     const std::string& directory) {
  auto root = tree_of(repository, commit);
  if (!root || directory.empty()) return root;
  return subtree(repository, **root, directory);
}

Result<std::vector<TreeChange>> compare_trees(git_repository& repository, const git_tree* before, const git_tree* after,
                                              const std::string& prefix) {
  if (before && after && git_oid_equal(git_tree_id(before), git_tree_id(after))) return std::vector<TreeChange>();
  Comparison comparison(repository);
  if (auto done = comparison.compare(before, after, prefix, 0); !done) return done.error();
  return comparison.take();
}

Result<std::vector<TreeChange>> compare_commits(git_repository& repository, const std::string& from,
                                                const std::string& to, const std::string& directory) {
  Owned<git_tree> before;
  if (!from.empty()) {
    auto tree = directory_of(repository, from, directory);
    if (!tree) return tree.error();
    before = std::move(*tree);
  }
  auto after = directory_of(repository, to, directory);
  if (!after) return after.error();
  if (!*after) return invalid(format("commit {} has no directory {}", to.substr(0, 12), directory));
  return compare_trees(repository, before.get(), after->get(), directory.empty() ? "" : directory + "/");
}

Result<std::vector<TreeChange>> list_directory(git_repository& repository, const std::string& commit,
                                               const std::string& directory) {
  auto tree = directory_of(repository, commit, directory);
  if (!tree) return tree.error();
  return compare_trees(repository, nullptr, tree->get(), directory.empty() ? "" : directory + "/");
}

Result<std::optional<TreeEntry>> entry_at(const git_tree& tree, const std::string& path) {
  git_tree_entry* raw = nullptr;
  int code = git_tree_entry_bypath(&raw, &tree, path.c_str());
  std::unique_ptr<git_tree_entry, decltype(&git_tree_entry_free)> entry(raw, &git_tree_entry_free);
  if (code == GIT_ENOTFOUND) return std::optional<TreeEntry>();
  if (code < 0) return library_error(path);
  return entry_of(entry.get());
}

Result<std::string> read_blob(git_repository& repository, const std::string& blob, size_t bytes_max) {
  auto id = id_from(blob);
  Owned<git_odb> objects;
  size_t size = 0;
  git_object_t type = GIT_OBJECT_INVALID;
  if (git_repository_odb(fill(objects), &repository) < 0 || git_odb_read_header(&size, &type, objects.get(), &id) < 0)
    return library_error(format("blob {}", blob));
  if (type != GIT_OBJECT_BLOB) return invalid(format("object {} is not a blob", blob));
  if (size > bytes_max) return invalid(format("file has {} bytes, more than {} are not read", size, bytes_max));
  Owned<git_blob> content;
  if (git_blob_lookup(fill(content), &repository, &id) < 0) return library_error(format("blob {}", blob));
  return std::string(static_cast<const char*>(git_blob_rawcontent(content.get())),
                     static_cast<size_t>(git_blob_rawsize(content.get())));
}

}  // namespace reconciler
