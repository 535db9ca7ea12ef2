#include "sim/commits.h"

#include <algorithm>

#include "base/check.h"

namespace reconciler {
namespace {

/// 40 hex digits that follow from the text; not SHA-1, but as good for telling things apart here.
std::string id_of(const std::string& text) {
  static const char* digits = "0123456789abcdef";
  std::string id;
  uint64_t hash = 0xcbf29ce484222325u;
  for (int part = 0; part < 3; ++part) {
    for (unsigned char c : text) hash = (hash ^ c) * 0x100000001b3u;
    uint64_t mixed = (hash ^ (hash >> 31)) * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 16 && id.size() < 40; ++i, mixed >>= 4) id += digits[mixed & 15];
  }
  return id;
}

}  // namespace

std::string Commits::store_blob(const std::string& content) {
  std::string id = id_of("blob " + content);
  blobs_.emplace(id, content);
  return id;
}

std::string Commits::make(const std::string& parent, const std::vector<FileChange>& changes, const std::string& author,
                          TimePoint time, const std::string& message, int serial) {
  const SimCommit* before = find(parent);
  auto tree = before ? std::make_shared<SimTree>(*before->tree) : std::make_shared<SimTree>();
  std::string said = parent + "\n" + author + "\n" + format_time(time) + "\n" + message;
  for (const FileChange& change : changes) {
    if (change.content) {
      std::string blob = store_blob(*change.content);
      said += "\n" + change.path + " " + blob;
      (*tree)[change.path] = std::move(blob);
    } else {
      said += "\n" + change.path;
      tree->erase(change.path);
    }
  }
  SimCommit commit{.id = id_of(said),
                   .parent = parent,
                   .depth = before ? before->depth + 1 : 0,
                   .tree = std::move(tree),
                   .author = author,
                   .time = time,
                   .message = message.ends_with('\n') ? message : message + "\n",
                   .serial = serial};
  std::string id = commit.id;
  commits_.emplace(id, std::move(commit));
  return id;
}

const SimCommit* Commits::find(const std::string& id) const {
  auto found = commits_.find(id);
  return found == commits_.end() ? nullptr : &found->second;
}

bool Commits::contains(const std::string& id, const std::string& ancestor) const {
  if (ancestor.empty()) return true;
  const SimCommit* wanted = find(ancestor);
  const SimCommit* at = find(id);
  while (at && wanted && at->depth > wanted->depth) at = find(at->parent);
  return at && at == wanted;
}

std::string Commits::merge_base(std::string a, std::string b) const {
  while (a != b) {
    const SimCommit* left = find(a);
    const SimCommit* right = find(b);
    if (!left || !right) return "";
    if (left->depth >= right->depth) a = left->parent;
    if (right->depth >= left->depth) b = right->parent;
  }
  return a;
}

std::vector<const SimCommit*> Commits::after(const std::string& without, const std::string& id) const {
  std::vector<const SimCommit*> all;
  const std::string base = merge_base(without, id);
  for (const SimCommit* at = find(id); at && at->id != base; at = find(at->parent)) all.push_back(at);
  std::reverse(all.begin(), all.end());
  return all;
}

std::optional<std::string> Commits::blob_at(const std::string& id, const std::string& path) const {
  const SimCommit* commit = find(id);
  if (!commit) return std::nullopt;
  auto entry = commit->tree->find(path);
  return entry == commit->tree->end() ? std::nullopt : std::optional(entry->second);
}

std::string SimRemote::commit(const std::string& branch, const std::vector<FileChange>& changes, TimePoint time,
                              const std::string& message, const std::string& author) {
  std::string& tip = branches[branch];
  tip = commits.make(tip, changes, author, time, message, 0);
  return tip;
}

std::optional<std::string> SimRemote::read(const std::string& branch, const std::string& path) const {
  auto tip = branches.find(branch);
  if (tip == branches.end()) return std::nullopt;
  auto blob = commits.blob_at(tip->second, path);
  return blob ? std::optional(commits.blob(*blob)) : std::nullopt;
}

}  // namespace reconciler
