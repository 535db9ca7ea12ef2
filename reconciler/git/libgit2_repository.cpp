#include "git/libgit2_repository.h"

#include <git2.h>

#include <atomic>
#include <mutex>
#include <set>
#include <utility>

#include "base/format.h"
#include "base/log.h"
#include "git/branches.h"
#include "git/clone.h"
#include "git/commit_batch.h"
#include "git/durable.h"
#include "git/handle.h"
#include "git/history.h"
#include "git/library.h"
#include "git/packing.h"
#include "git/status_commits.h"
#include "git/tree.h"

namespace reconciler {
namespace {

constexpr size_t status_bytes_max = 1 << 20;
constexpr int optimistic_rebuilds = 3;
constexpr size_t loose_objects_per_commit = 6;  // the commit, the blob, the trees down to it
constexpr size_t loose_objects_max = 4000;
constexpr size_t batch_bytes_max = 16 << 20;  // what a batch of status commits may keep in memory

Result<std::string> full_branch_name(const std::string& branch) {
  std::string name = branch.rfind("refs/", 0) == 0 ? branch : "refs/heads/" + branch;
  int valid = 0;
  if (branch.empty() || git_reference_name_is_valid(&valid, name.c_str()) < 0 || !valid ||
      name.rfind("refs/heads/", 0) != 0)
    return invalid(format("branch {}: not a valid branch name", branch));
  return name;
}

/// A ref of the remote as we follow it.
struct Followed {
  std::string ref;
  std::string complaint;     ///< why its tip is not followed
  std::string rejected_tip;  ///< a tip seen before and not followed; not fetched again
};

}  // namespace

class Libgit2Repository::Clone {
 public:
  Clone(GitOptions options, Identity identity, std::string path, Remote remote)
      : options_(std::move(options)),
        identity_(std::move(identity)),
        path_(std::move(path)),
        remote_(std::move(remote)) {}

  Result<void> start();

  Result<Head> poll();
  Result<PushReport> push();
  std::string theirs() {
    std::lock_guard lock(mutex_);
    return branches_.theirs;
  }
  std::string ours() {
    std::lock_guard lock(mutex_);
    return branches_.ours;
  }
  Result<void> record(const std::vector<StatusWrite>& writes);
  Result<std::vector<std::string>> drop_outdated();
  size_t unpushed() const { return unpushed_; }
  git_repository& local() { return *local_; }

 private:
  bool has_status_branch() const { return !options_.status_branch.empty(); }
  Followed& target() { return has_status_branch() ? target_ : watched_; }
  const std::string& target_tip(const Branches& branches) const {
    return has_status_branch() ? branches.target : branches.theirs;
  }

  Result<void> follow(Remote::Session& session, Followed& followed);
  Result<void> accept(const Followed& followed, const std::string& tip, bool is_rewritten);
  Result<Rebuilt> rebuild_ours();
  Result<std::vector<std::string>> foreign_files_in(const std::vector<std::string>& commits);
  Result<void> replace_branches(Branches after);
  Result<void> recount(git_repository& repository);
  void pack_now_and_then();

  const GitOptions options_;
  const Identity identity_;
  const std::string path_;
  Remote remote_;
  Owned<git_repository> io_;       ///< of the thread that polls and pushes
  Owned<git_repository> local_;    ///< of the thread that decides
  Followed watched_;               ///< I/O thread
  Followed target_;                ///< I/O thread; used with a status branch
  std::set<std::string> foreign_;  ///< I/O thread: status files that others changed and we have not written since
  std::mutex mutex_;               ///< never held while the network is waited for
  Branches branches_;              ///< guarded; `target` equals `theirs` without a status branch
  std::atomic<size_t> unpushed_ = 0;
  std::atomic<size_t> loose_written_ = 0;  ///< about how many since they were packed
};

Result<void> Libgit2Repository::Clone::start() {
  for (auto* handle : {&io_, &local_}) {
    auto opened = open_clone(path_);
    if (!opened) return opened.error();
    *handle = std::move(*opened);
  }
  auto watched = full_branch_name(options_.branch);
  if (!watched) return watched.error();
  watched_.ref = *watched;
  if (has_status_branch()) {
    auto status = full_branch_name(options_.status_branch);
    if (!status) return status.error();
    if (*status == *watched) return invalid("the status branch must differ from the watched branch, or be left out");
    target_.ref = *status;
  }
  auto branches = read_branches(*io_);
  if (!branches) return branches.error();
  branches_ = *branches;
  if (!has_status_branch()) branches_.target = branches_.theirs;
  loose_written_ = loose_objects_max;  // whatever was left by those before us
  pack_now_and_then();
  return recount(*io_);
}

Result<void> Libgit2Repository::Clone::recount(git_repository& repository) {
  auto commits = unpushed_commits(repository, branches_);
  if (!commits) return commits.error();
  unpushed_ = commits->size();
  return {};
}

/// A clone that cannot be packed still works, so that is only a warning.
void Libgit2Repository::Clone::pack_now_and_then() {
  if (loose_written_ < loose_objects_max) return;
  loose_written_ = 0;
  auto packed = pack_loose_objects(*io_, path_, loose_objects_max / 2);
  if (!packed) log_warn("loose objects could not be packed", {{"why", packed.error().message}});
}

Result<void> Libgit2Repository::Clone::replace_branches(Branches after) {
  if (!has_status_branch()) after.target = after.theirs;
  if (auto written = write_branches(path_, branches_, after); !written) return written;
  branches_ = std::move(after);
  return {};
}

/// Fetches what `followed` points to on the other side and takes it, or says in `complaint` why not.
Result<void> Libgit2Repository::Clone::follow(Remote::Session& session, Followed& followed) {
  auto [theirs, target] = [&] {
    std::lock_guard lock(mutex_);
    return std::pair(branches_.theirs, branches_.target);
  }();
  bool is_watched = &followed == &watched_;
  const std::string& known = is_watched ? theirs : target;
  auto listed = session.refs().find(followed.ref);
  if (listed == session.refs().end()) {
    if (known.empty() && !is_watched) return {};  // the first push makes the status branch
    auto text = session.refs().empty()
                    ? format("{} is empty: push the branch {} first", remote_.address().url, followed.ref)
                    : format("{} has no branch {}", remote_.address().url, followed.ref);
    if (known.empty()) return invalid(text);
    followed.complaint = text;
    return {};
  }
  const std::string& tip = listed->second;
  if (tip == known) followed.complaint.clear();
  if (tip == known || tip == followed.rejected_tip) return {};
  auto id = id_from(tip);
  Owned<git_odb> objects;
  if (git_repository_odb(fill(objects), io_.get()) < 0) return library_error(path_);
  if (!git_odb_exists(objects.get(), &id))
    if (auto fetched = session.fetch({followed.ref}); !fetched) return fetched;
  if (auto tree = tree_of(*io_, tip); !tree) return tree.error();
  bool is_rewritten = false;
  if (!known.empty()) {
    auto continues = contains_commit(*io_, tip, known);
    if (!continues) return continues.error();
    is_rewritten = !*continues;
  }
  if (is_rewritten && options_.on_rewrite == OnRewrite::Hold) {
    followed.rejected_tip = tip;
    followed.complaint = format("history of {} was rewritten: {} does not contain {}; holding the latter", followed.ref,
                                tip.substr(0, 12), known.substr(0, 12));
    return {};
  }
  followed.rejected_tip.clear();
  followed.complaint.clear();
  return accept(followed, tip, is_rewritten);
}

Result<void> Libgit2Repository::Clone::accept(const Followed& followed, const std::string& tip, bool is_rewritten) {
  std::lock_guard lock(mutex_);
  auto after = branches_;
  (&followed == &watched_ ? after.theirs : after.target) = tip;
  if (!has_status_branch()) after.target = after.theirs;
  if (&followed == &target()) {
    if (after.ours.empty()) after.ours = after.base = tip;
    if (is_rewritten) {
      log_warn("history was rewritten; following it", {{"ref", followed.ref}, {"commit", tip}});
      auto rebuilt = rebuild_after_rewrite(*io_, after, options_.status_directory, identity_);
      if (!rebuilt) return rebuilt.error();
      after = rebuilt->branches;
    }
  }
  if (auto replaced = replace_branches(after); !replaced) return replaced;
  return recount(*io_);
}

Result<Head> Libgit2Repository::Clone::poll() {
  auto session = remote_.open(*io_);
  if (!session) return session.error();
  if (auto followed = follow(*session, watched_); !followed) return followed.error();
  if (has_status_branch())
    if (auto followed = follow(*session, target_); !followed) return followed.error();
  return Head{theirs(), watched_.complaint};
}

/// Builds ours on target without holding the lock, so that recording goes on meanwhile; with it when that kept failing.
Result<Rebuilt> Libgit2Repository::Clone::rebuild_ours() {
  for (int round = 0;; round++) {
    std::unique_lock lock(mutex_);
    auto before = branches_;
    if (round < optimistic_rebuilds) lock.unlock();
    auto rebuilt = rebuild(*io_, before, options_.status_directory, identity_, OnForeignChange::Overwrite);
    if (!rebuilt) return rebuilt;
    if (!lock.owns_lock()) lock.lock();
    if (branches_ != before) continue;
    if (auto replaced = replace_branches(rebuilt->branches); !replaced) return replaced.error();
    if (auto counted = recount(*io_); !counted) return counted.error();
    return rebuilt;
  }
}

/// The files these commits write although others changed them since we last did.
Result<std::vector<std::string>> Libgit2Repository::Clone::foreign_files_in(const std::vector<std::string>& commits) {
  std::set<std::string> found;
  for (size_t i = 0; i < commits.size() && found.size() < foreign_.size(); i++) {
    auto updates = updates_of(*io_, commits[i], options_.status_directory);
    if (!updates) return updates.error();
    for (const auto& update : *updates)
      if (foreign_.count(update.path)) found.insert(update.path);
  }
  return std::vector<std::string>(found.begin(), found.end());
}

Result<PushReport> Libgit2Repository::Clone::push() {
  PushReport report;
  if (unpushed_ == 0) return report;
  {
    auto session = remote_.open(*io_);
    if (!session) return session.error();
    if (auto followed = follow(*session, target()); !followed) return followed.error();
  }
  if (!target().complaint.empty()) return invalid("nothing is pushed: " + target().complaint);
  auto rebuilt = rebuild_ours();
  if (!rebuilt) return rebuilt.error();
  foreign_.insert(rebuilt->foreign.begin(), rebuilt->foreign.end());
  const auto& sending = rebuilt->branches;
  auto commits = unpushed_commits(*io_, sending);
  if (!commits) return commits.error();
  report.commits = commits->size();
  if (commits->empty()) return report;
  auto overwritten = foreign_files_in(*commits);
  if (!overwritten) return overwritten.error();
  report.overwritten = *overwritten;
  auto expected = sending.target.empty() ? std::nullopt : std::optional(sending.target);
  if (auto pushed = remote_.push(*io_, sending.ours, target().ref, expected); !pushed) return pushed.error();
  for (const auto& path : report.overwritten) foreign_.erase(path);
  pack_now_and_then();
  std::lock_guard lock(mutex_);
  auto after = branches_;
  (has_status_branch() ? after.target : after.theirs) = sending.ours;
  after.base = sending.ours;
  if (auto replaced = replace_branches(after); !replaced) return replaced.error();
  if (auto counted = recount(*io_); !counted) return counted.error();
  return report;
}

Result<void> Libgit2Repository::Clone::record(const std::vector<StatusWrite>& writes) {
  std::lock_guard lock(mutex_);
  if (branches_.theirs.empty()) return transient("nothing can be recorded before the repository was fetched once");
  auto batch = CommitBatch::on(*local_, branches_.ours, identity_);
  if (!batch) return transient(batch.error().message);
  for (const auto& write : writes) {
    if (auto added = batch->add(write.path, write.content, write.time, write.message); !added)
      return transient(added.error().message);
    if (batch->bytes() < batch_bytes_max) continue;
    if (auto written = batch->write(path_); !written) return written;
  }
  if (batch->commits() == 0) return {};
  if (auto written = batch->write(path_); !written) return written;
  auto after = branches_;
  after.ours = batch->tip();
  if (auto replaced = replace_branches(after); !replaced) return replaced;
  unpushed_ += batch->commits();
  loose_written_ += batch->commits() * loose_objects_per_commit;
  return {};
}

Result<std::vector<std::string>> Libgit2Repository::Clone::drop_outdated() {
  std::lock_guard lock(mutex_);
  auto rebuilt = rebuild(*local_, branches_, options_.status_directory, identity_, OnForeignChange::Drop);
  if (!rebuilt) return rebuilt.error();
  if (auto replaced = replace_branches(rebuilt->branches); !replaced) return replaced.error();
  if (auto counted = recount(*local_); !counted) return counted.error();
  return rebuilt->dropped;
}

Result<std::unique_ptr<Libgit2Repository>> Libgit2Repository::open(const GitOptions& options) {
  set_up_git_library();
  auto address = parse_address(options.url, options.plain_http);
  if (!address) return address.error();
  auto identity = parse_identity(options.author);
  if (!identity) return identity.error();
  auto path = prepare_clone(options.state_directory, address->url);
  if (!path) return path.error();
  GitOptions plain = options;
  plain.status_directory = plain_directory(options.status_directory);
  auto clone = std::make_unique<Clone>(plain, *identity, *path, Remote(*address, options.remote));
  if (auto started = clone->start(); !started) return started.error();
  return std::make_unique<Libgit2Repository>(std::move(clone));
}

Libgit2Repository::Libgit2Repository(std::unique_ptr<Clone> clone) : clone_(std::move(clone)) {}
Libgit2Repository::~Libgit2Repository() = default;

Result<Head> Libgit2Repository::poll() { return clone_->poll(); }
Result<PushReport> Libgit2Repository::push() { return clone_->push(); }
Result<void> Libgit2Repository::record(const std::vector<StatusWrite>& writes) { return clone_->record(writes); }
Result<std::vector<std::string>> Libgit2Repository::drop_outdated() { return clone_->drop_outdated(); }
size_t Libgit2Repository::unpushed() { return clone_->unpushed(); }

std::optional<std::string> Libgit2Repository::head() {
  auto theirs = clone_->theirs();
  return theirs.empty() ? std::nullopt : std::optional(theirs);
}

Result<std::vector<TreeChange>> Libgit2Repository::changes(const std::string& from, const std::string& to,
                                                           const std::string& directory) {
  return compare_commits(clone_->local(), from, to, plain_directory(directory));
}

Result<std::string> Libgit2Repository::read(const std::string& blob, size_t bytes_max) {
  return read_blob(clone_->local(), blob, bytes_max);
}

Result<std::vector<CommitInfo>> Libgit2Repository::commits_touching(const std::string& path, const std::string& from,
                                                                    const std::string& to, size_t limit) {
  return commits_touching_path(clone_->local(), path, from, to, limit);
}

Result<std::vector<std::pair<std::string, std::string>>> Libgit2Repository::recorded(const std::string& directory) {
  std::vector<std::pair<std::string, std::string>> files;
  auto ours = clone_->ours();
  if (ours.empty()) return files;
  auto entries = list_directory(clone_->local(), ours, plain_directory(directory));
  if (!entries) return entries.error();
  for (const auto& entry : *entries) {
    if (entry.after->kind != EntryKind::File) continue;
    // A file that cannot be read is passed on without content: it must hold its rollout, not look like a new one.
    auto content = read_blob(clone_->local(), entry.after->blob, status_bytes_max);
    files.emplace_back(entry.path, content ? *content : std::string());
  }
  return files;
}

}  // namespace reconciler
