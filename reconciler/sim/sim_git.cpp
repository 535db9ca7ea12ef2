#include "sim/sim_git.h"

#include <algorithm>

#include "base/format.h"

namespace reconciler {
namespace {

constexpr const char* kAuthor = "Serin <serin@localhost>";

}  // namespace

/// Takes the remote's tip, or says in `complaint_` why not.
Result<void> SimGit::follow() {
  auto branch = remote_.branches.find(kBranch);
  if (branch == remote_.branches.end()) {
    std::string text = format("the remote has no branch {}", kBranch);
    if (clone_.theirs.empty()) return invalid(text);
    complaint_ = text;
    return {};
  }
  const std::string& tip = branch->second;
  if (!remote_.commits.contains(tip, clone_.theirs)) {
    complaint_ = format("history was rewritten: {} does not contain {}", tip, clone_.theirs);
    return {};
  }
  complaint_.clear();
  clone_.theirs = tip;
  if (clone_.ours.empty()) clone_.ours = clone_.base = tip;
  return {};
}

Result<Head> SimGit::poll() {
  if (auto followed = follow(); !followed) return followed.error();
  return Head{clone_.theirs, complaint_};
}

std::optional<std::string> SimGit::head() {
  return clone_.theirs.empty() ? std::nullopt : std::optional(clone_.theirs);
}

Result<std::vector<TreeChange>> SimGit::changes(const std::string& from, const std::string& to,
                                                const std::string& directory) {
  static const SimTree nothing;
  const SimCommit* before = remote_.commits.find(from);
  const SimCommit* after = remote_.commits.find(to);
  if (!after || (!before && !from.empty())) return invalid("no such commit");
  const SimTree& old_tree = before ? *before->tree : nothing;
  const SimTree& new_tree = *after->tree;
  const std::string prefix = directory.empty() ? "" : directory + "/";
  bool is_there = prefix.empty();
  std::vector<TreeChange> out;
  auto entry = [](const std::string& blob) { return TreeEntry{blob, EntryKind::File}; };
  auto a = old_tree.begin();
  auto b = new_tree.begin();
  while (a != old_tree.end() || b != new_tree.end()) {
    const bool only_old = b == new_tree.end() || (a != old_tree.end() && a->first < b->first);
    const bool only_new = !only_old && (a == old_tree.end() || b->first < a->first);
    const std::string& path = only_old ? a->first : b->first;
    const bool inside = path.starts_with(prefix);
    is_there = is_there || (inside && !only_old);
    if (inside && only_old) out.push_back({path, entry(a->second), std::nullopt});
    if (inside && only_new) out.push_back({path, std::nullopt, entry(b->second)});
    if (inside && !only_old && !only_new && a->second != b->second)
      out.push_back({path, entry(a->second), entry(b->second)});
    if (!only_new) ++a;
    if (!only_old) ++b;
  }
  if (!is_there) return invalid(format("commit {} has no directory {}", to, directory));
  return out;
}

Result<std::string> SimGit::read(const std::string& blob, size_t bytes_max) {
  if (!remote_.commits.has_blob(blob)) return invalid("no such blob");
  const std::string& content = remote_.commits.blob(blob);
  if (content.size() > bytes_max) return invalid(format("larger than {} bytes", bytes_max));
  return content;
}

Result<std::vector<CommitInfo>> SimGit::commits_touching(const std::string& path, const std::string& from,
                                                         const std::string& to, size_t limit) {
  std::vector<CommitInfo> out;
  for (const SimCommit* at = remote_.commits.find(to); at && at->id != from && out.size() < limit;
       at = remote_.commits.find(at->parent)) {
    if (!path.empty() && remote_.commits.blob_at(at->id, path) == remote_.commits.blob_at(at->parent, path)) continue;
    out.push_back({at->id, at->author, at->time, at->message, at->parent});
  }
  return out;
}

Result<std::optional<std::string>> SimGit::file(const std::string& commit, const std::string& path, size_t bytes_max) {
  auto blob = remote_.commits.blob_at(commit, path);
  if (!blob) return std::optional<std::string>();
  auto content = read(*blob, bytes_max);
  if (!content) return content.error();
  return std::optional(*std::move(content));
}

Result<Provenance> SimGit::provenance(const std::string& commit, const std::string&) {
  const SimCommit* found = remote_.commits.find(commit);
  if (!found) return invalid("no such commit");
  auto signer = remote_.signers.find(commit);
  if (signer == remote_.signers.end())
    return Provenance{.unsigned_because = "it is not signed", .writers = {found->author}};
  return Provenance{.signer = signer->second, .writers = {found->author}};
}

Result<std::vector<std::pair<std::string, std::string>>> SimGit::recorded(const std::string& directory) {
  std::vector<std::pair<std::string, std::string>> out;
  const SimCommit* ours = remote_.commits.find(clone_.ours);
  if (!ours) return out;
  const std::string prefix = directory + "/";
  for (auto at = ours->tree->lower_bound(prefix); at != ours->tree->end() && at->first.starts_with(prefix); ++at)
    out.emplace_back(at->first, remote_.commits.blob(at->second));
  if (on_recorded_read) on_recorded_read(out);
  return out;
}

Result<void> SimGit::record(const std::vector<StatusWrite>& writes) {
  if (clone_.theirs.empty()) return transient("nothing can be recorded before the repository was fetched once");
  std::string ours = clone_.ours;
  std::vector<std::string> made;
  for (const StatusWrite& write : writes) {
    auto present = remote_.commits.blob_at(ours, write.path);
    const bool same =
        write.content ? present && remote_.commits.blob(*present) == *write.content : !present.has_value();
    if (same) continue;
    ours = remote_.commits.make(ours, {{write.path, write.content}}, kAuthor, write.time, write.message,
                                ++remote_.serials);
    made.push_back(ours);
  }
  clone_.ours = ours;
  if (on_record)
    for (const std::string& id : made) on_record(*remote_.commits.find(id));
  return {};
}

bool SimGit::is_status(const std::string& path) const { return path.starts_with(status_directory_ + "/"); }

/// Status files that others changed between `base` and theirs.
std::set<std::string> SimGit::foreign_since(const std::string& base) const {
  std::set<std::string> out;
  const SimCommit* before = remote_.commits.find(base);
  const SimCommit* after = remote_.commits.find(clone_.theirs);
  if (!before || !after || before == after) return out;
  for (const auto& [path, blob] : *after->tree) {
    auto old = before->tree->find(path);
    if (is_status(path) && (old == before->tree->end() || old->second != blob)) out.insert(path);
  }
  for (const auto& [path, blob] : *before->tree)
    if (is_status(path) && !after->tree->contains(path)) out.insert(path);
  return out;
}

std::string SimGit::path_of(const SimCommit& commit) const {
  const SimCommit* parent = remote_.commits.find(commit.parent);
  for (const auto& [path, blob] : *commit.tree)
    if (remote_.commits.blob_at(parent->id, path) != blob) return path;
  for (const auto& [path, blob] : *parent->tree)
    if (!commit.tree->contains(path)) return path;
  unreachable();
}

std::string SimGit::make_again(const SimCommit& commit, const std::string& parent) {
  const std::string path = path_of(commit);
  auto blob = remote_.commits.blob_at(commit.id, path);
  if (remote_.commits.blob_at(parent, path) == blob) return parent;
  auto content = blob ? std::optional(remote_.commits.blob(*blob)) : std::nullopt;
  return remote_.commits.make(parent, {{path, content}}, commit.author, commit.time, commit.message, commit.serial);
}

/// Builds our unpushed commits on theirs, one by one. Returns the paths of the dropped ones.
std::set<std::string> SimGit::rebuild(OnForeignChange on_foreign_change) {
  std::set<std::string> dropped;
  const std::string common = remote_.commits.merge_base(clone_.ours, clone_.theirs);
  const std::set<std::string> foreign = foreign_since(common);
  if (on_foreign_change == OnForeignChange::Overwrite) foreign_.insert(foreign.begin(), foreign.end());
  std::string built = clone_.theirs;
  for (const SimCommit* commit : remote_.commits.after(common, clone_.ours)) {
    const std::string path = path_of(*commit);
    if (on_foreign_change == OnForeignChange::Drop && foreign.contains(path)) {
      dropped.insert(path);
      if (on_dropped) on_dropped(*commit);
    } else {
      built = common == clone_.theirs && dropped.empty() ? commit->id : make_again(*commit, built);
    }
  }
  clone_.ours = built;
  clone_.base = clone_.theirs;
  return dropped;
}

Result<PushReport> SimGit::push() {
  PushReport report;
  if (unpushed() == 0) return report;
  if (auto followed = follow(); !followed) return followed.error();
  if (!complaint_.empty()) return invalid("nothing is pushed: " + complaint_);
  rebuild(OnForeignChange::Overwrite);
  const std::string sending = clone_.ours;
  auto commits = remote_.commits.after(clone_.theirs, sending);
  report.commits = commits.size();
  if (commits.empty()) return report;
  std::set<std::string> overwritten;
  for (const SimCommit* commit : commits)
    if (const std::string path = path_of(*commit); foreign_.contains(path)) overwritten.insert(path);
  report.overwritten.assign(overwritten.begin(), overwritten.end());
  if (in_the_middle_of_a_push) in_the_middle_of_a_push();
  auto branch = remote_.branches.find(kBranch);
  if (branch == remote_.branches.end() || branch->second != clone_.theirs) return conflict("somebody pushed first");
  branch->second = sending;
  for (const std::string& path : overwritten) foreign_.erase(path);
  clone_.theirs = clone_.base = sending;
  if (on_pushed) on_pushed();
  return report;
}

size_t SimGit::unpushed() {
  if (clone_.theirs.empty()) return 0;
  return remote_.commits.after(clone_.theirs, clone_.ours).size();
}

Result<std::vector<std::string>> SimGit::drop_outdated() {
  std::set<std::string> dropped = rebuild(OnForeignChange::Drop);
  return std::vector<std::string>(dropped.begin(), dropped.end());
}

}  // namespace reconciler
