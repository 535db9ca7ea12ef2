#include "git/libgit2_repository.h"

#include <git2.h>
#include <git2/sys/repository.h>

#include <atomic>
#include <mutex>
#include <set>
#include <utility>

#include "base/format.h"
#include "base/log.h"
#include "git/branches.h"
#include "git/clone.h"
#include "git/commit_batch.h"
#include "git/commit_signer.h"
#include "git/durable.h"
#include "git/handle.h"
#include "git/history.h"
#include "git/library.h"
#include "git/packing.h"
#include "git/provenance.h"
#include "git/status_commits.h"
#include "git/tree.h"

namespace reconciler {
namespace {

constexpr size_t status_bytes_max = 1 << 20;
constexpr int optimistic_rebuilds = 3;
constexpr size_t loose_objects_per_commit = 6;  // the commit, the blob, the trees down to it
constexpr size_t cached_commits_max = 100;
constexpr size_t loose_objects_max = 4000;
constexpr size_t batch_bytes_max = 16 << 20;  // what a batch of status commits may keep in memory
constexpr size_t small_packs_max = 32;

/// A ref of the remote as we follow it.
struct Followed {
  std::optional<WatchedRef> ref;
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
        remote_(std::move(remote)),
        trust_(options_.trust, path_) {
    if (!options_.signing_key_file.empty()) signer_.emplace(options_.signing_key_file);
  }

  Result<void> start();

  Result<Head> poll();
  Result<PushReport> push();
  /// The commit whose manifests count: theirs, or the last one of it that may be deployed.
  std::string in_force() {
    std::lock_guard lock(mutex_);
    return trust_.is_asked() ? deployed_ : branches_.theirs;
  }
  std::string ours() {
    std::lock_guard lock(mutex_);
    return branches_.ours;
  }
  Result<void> record(const std::vector<StatusWrite>& writes);
  Result<std::vector<std::string>> drop_outdated();
  size_t unpushed() const { return unpushed_; }
  /// With a handle of its own: any thread may ask.
  Result<Provenance> provenance(const std::string& commit, const std::string& path) const {
    auto opened = open_clone(path_);
    if (!opened) return opened.error();
    return provenance_of(**opened, commit, path, options_.trust.signers, path_);
  }
  /// Of the decision thread only. Opened anew when packs that the old handle knows are about to go.
  git_repository& local() {
    if (local_is_stale_) {
      if (auto opened = open_clone(path_)) {
        local_ = std::move(*opened);
        local_is_stale_ = false;
      }
    }
    return *local_;
  }

 private:
  bool has_status_branch() const { return !options_.status_branch.empty(); }
  Followed& target() { return has_status_branch() ? target_ : watched_; }
  const std::string& target_tip(const Branches& branches) const {
    return has_status_branch() ? branches.target : branches.theirs;
  }

  Result<void> follow(Remote::Session& session, Followed& followed);
  Result<void> accept(const Followed& followed, const std::string& tip, bool is_rewritten);
  Result<std::string> judge();
  Result<Rebuilt> rebuild_ours();
  const CommitSigner* signer() const { return signer_ ? &*signer_ : nullptr; }
  Result<std::vector<std::string>> foreign_files_in(const std::vector<std::string>& commits);
  Result<void> replace_branches(Branches after);
  Result<void> recount(git_repository& repository);
  void pack_now_and_then();
  Result<void> pack();

  const GitOptions options_;
  const Identity identity_;
  const std::string path_;
  Remote remote_;
  Trust trust_;                         ///< I/O thread
  std::optional<CommitSigner> signer_;  ///< none: nothing is signed
  Owned<git_repository> io_;            ///< of the thread that polls and pushes
  Owned<git_repository> local_;         ///< of the thread that decides
  Followed watched_;                    ///< I/O thread
  Followed target_;                     ///< I/O thread; used with a status branch
  std::set<std::string> foreign_;       ///< I/O thread: status files that others changed and we have not written since
  std::mutex mutex_;                    ///< never held while the network is waited for
  Branches branches_;                   ///< guarded; `target` equals `theirs` without a status branch
  std::string deployed_;                ///< guarded; used when commits must be signed
  std::atomic<size_t> unpushed_ = 0;
  std::atomic<size_t> loose_written_ = 0;       ///< about how many since they were packed
  size_t cached_commits_ = cached_commits_max;  ///< whose trees the object cache may hold
  std::vector<std::string> superseded_;         ///< I/O thread: packs that go when no handle knows them any more
  std::atomic<bool> local_is_stale_ = false;
};

Result<void> Libgit2Repository::Clone::start() {
  for (auto* handle : {&io_, &local_}) {
    auto opened = open_clone(path_);
    if (!opened) return opened.error();
    *handle = std::move(*opened);
  }
  auto watched = WatchedRef::parse(options_.watched);
  if (!watched) return watched.error();
  watched_.ref = *watched;
  if (has_status_branch()) {
    auto status = WatchedRef::parse({RefKind::Branch, options_.status_branch});
    if (!status) return status.error();
    if (status->text() == watched->text())
      return invalid("the status branch must differ from the watched branch, or be left out");
    target_.ref = *status;
  } else if (watched->kind() != RefKind::Branch) {
    return invalid("a tag or a commit cannot take status commits: name a branch for them with --status-branch");
  }
  auto branches = read_branches(*io_);
  if (!branches) return branches.error();
  branches_ = *branches;
  if (!has_status_branch()) branches_.target = branches_.theirs;
  auto deployed = read_own_ref(*io_, "deployed");
  if (!deployed) return deployed.error();
  deployed_ = *deployed;
  if (auto started = trust_.start(); !started) return started;
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
  auto packed = pack();
  if (!packed) log_warn("the clone could not be packed", {{"why", packed.error().message}});
}

/// Small packs are merged in two steps: a handle that was opened before reads from the old ones as long as it lives.
Result<void> Libgit2Repository::Clone::pack() {
  if (loose_written_ >= loose_objects_max) {
    loose_written_ = 0;
    auto packed = pack_loose_objects(*io_, path_, loose_objects_max / 2);
    if (!packed) return packed.error();
  }
  if (!superseded_.empty() && local_is_stale_) return {};
  if (auto removed = remove_packs(std::exchange(superseded_, {})); !removed) return removed;
  auto merged = merge_small_packs(*io_, path_, small_packs_max);
  if (!merged) return merged.error();
  if (merged->empty()) return {};
  auto reopened = open_clone(path_);
  if (!reopened) return reopened.error();
  io_ = std::move(*reopened);
  superseded_ = std::move(*merged);
  local_is_stale_ = true;
  return {};
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
  const std::string& name = followed.ref->text();
  auto chosen = followed.ref->choose(session.refs());
  if (!chosen) {
    if (known.empty() && !is_watched) return {};  // the first push makes the status branch
    auto text = session.refs().empty() ? format("{} is empty: push {} first", remote_.address().url, name)
                                       : format("{} has no {}", remote_.address().url, name);
    if (known.empty()) return invalid(text);
    followed.complaint = text;
    return {};
  }
  const std::string& tip = chosen->commit;
  if (tip == known) followed.complaint.clear();
  if (tip == known || tip == followed.rejected_tip) return {};
  auto id = id_from(tip);
  Owned<git_odb> objects;
  if (git_repository_odb(fill(objects), io_.get()) < 0) return library_error(path_);
  if (!git_odb_exists(objects.get(), &id))
    if (auto fetched = session.fetch(chosen->fetch); !fetched) return fetched;
  if (!git_odb_exists(objects.get(), &id))
    return invalid(format("{} has no commit {} on any branch or tag", remote_.address().url, tip));
  if (auto tree = tree_of(*io_, tip); !tree) return tree.error();
  bool is_rewritten = false;
  if (!known.empty() && !followed.ref->may_leave(session.refs(), known)) {
    auto continues = contains_commit(*io_, tip, known);
    if (!continues) return continues.error();
    is_rewritten = !*continues;
  }
  if (is_rewritten && options_.on_rewrite == OnRewrite::Hold) {
    followed.rejected_tip = tip;
    followed.complaint = format("history of {} was rewritten: {} does not contain {}; holding the latter", name,
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
      log_warn("history was rewritten; following it", {{"ref", followed.ref->text()}, {"commit", tip}});
      auto rebuilt = rebuild_after_rewrite(*io_, after, options_.status_directory, identity_);
      if (!rebuilt) return rebuilt.error();
      after = rebuilt->branches;
    }
  }
  if (auto replaced = replace_branches(after); !replaced) return replaced;
  return recount(*io_);
}

Result<Head> Libgit2Repository::Clone::poll() {
  pack_now_and_then();  // also while nobody answers: what is recorded in the meantime must not pile up
  {
    auto session = remote_.open(*io_);
    if (!session) return session.error();
    if (auto followed = follow(*session, watched_); !followed) return followed.error();
    if (has_status_branch())
      if (auto followed = follow(*session, target_); !followed) return followed.error();
  }
  auto complaint = judge();
  if (!complaint) return complaint.error();
  return Head{in_force(), watched_.complaint.empty() ? *complaint : watched_.complaint};
}

/// Lets theirs come into force when it may; else says why not. An error when nothing was ever in force.
Result<std::string> Libgit2Repository::Clone::judge() {
  auto [theirs, deployed] = [&] {
    std::lock_guard lock(mutex_);
    return std::pair(branches_.theirs, deployed_);
  }();
  if (!trust_.is_asked() || theirs == deployed) return std::string();
  auto checked = trust_.check(*io_, deployed, theirs);
  if (!checked && (checked.error().kind != ErrorKind::Invalid || deployed.empty())) return checked.error();
  if (!checked) return format("{}; holding {}", checked.error().message, deployed.substr(0, 12));
  if (auto written = write_own_ref(path_, "deployed", theirs); !written) return written.error();
  if (auto forgotten = trust_.forget_own(); !forgotten) return forgotten.error();
  std::lock_guard lock(mutex_);
  deployed_ = theirs;
  return std::string();
}

/// Builds ours on target without holding the lock, so that recording goes on meanwhile; what was recorded by the end is
/// built on top of that, at last with the lock, when it is little.
Result<Rebuilt> Libgit2Repository::Clone::rebuild_ours() {
  std::optional<Rebuilt> rebuilt;
  Branches before;
  for (int round = 0;; round++) {
    std::unique_lock lock(mutex_);
    auto now = branches_;
    if (rebuilt && now == before) {
      if (auto replaced = replace_branches(rebuilt->branches); !replaced) return replaced.error();
      if (auto counted = recount(*io_); !counted) return counted.error();
      return *rebuilt;
    }
    if (round < optimistic_rebuilds) lock.unlock();
    auto longer = std::optional<Rebuilt>();
    if (rebuilt) {
      auto extended = extend(*io_, *rebuilt, before, now, options_.status_directory, identity_, signer());
      if (!extended) return extended.error();
      longer = std::move(*extended);
    }
    if (!longer) {
      auto made = rebuild_for_push(*io_, now, options_.status_directory, identity_, signer());
      if (!made) return made;
      longer = std::move(*made);
    }
    rebuilt = std::move(longer);
    before = std::move(now);
    if (!lock.owns_lock()) continue;
    if (auto replaced = replace_branches(rebuilt->branches); !replaced) return replaced.error();
    if (auto counted = recount(*io_); !counted) return counted.error();
    return *rebuilt;
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
  if (!has_status_branch())
    if (auto remembered = trust_.remember_own(*commits); !remembered) return remembered.error();
  auto expected = sending.target.empty() ? std::nullopt : std::optional(sending.target);
  if (auto pushed = remote_.push(*io_, sending.ours, target().ref->text(), expected); !pushed) return pushed.error();
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
  // A full object cache keeps what nobody asks for any more (git/history.cpp), which a cold start leaves behind.
  if (cached_commits_ >= cached_commits_max) {
    git_repository__cleanup(&local());
    cached_commits_ = 0;
  }
  auto batch = CommitBatch::on(local(), branches_.ours, identity_);
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
  cached_commits_ += batch->commits();
  loose_written_ += batch->commits() * loose_objects_per_commit;
  return {};
}

Result<std::vector<std::string>> Libgit2Repository::Clone::drop_outdated() {
  std::lock_guard lock(mutex_);
  auto rebuilt = rebuild(local(), branches_, options_.status_directory, identity_, OnForeignChange::Drop);
  if (!rebuilt) return rebuilt.error();
  if (auto replaced = replace_branches(rebuilt->branches); !replaced) return replaced.error();
  if (auto counted = recount(local()); !counted) return counted.error();
  return rebuilt->dropped;
}

std::vector<std::string> refs_of_interest(const GitOptions& options) {
  auto watched = WatchedRef::parse(options.watched);
  auto refs = watched ? watched->refs_of_interest() : std::vector<std::string>();
  if (auto status = full_branch_name(options.status_branch); status) refs.push_back(*status);
  return refs;
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
  auto commit = clone_->in_force();
  return commit.empty() ? std::nullopt : std::optional(commit);
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

Result<std::optional<std::string>> Libgit2Repository::file(const std::string& commit, const std::string& path,
                                                           size_t bytes_max) {
  auto tree = tree_of(clone_->local(), commit);
  if (!tree) return tree.error();
  auto entry = entry_at(**tree, path);
  if (!entry) return entry.error();
  if (!*entry) return std::optional<std::string>();
  if ((*entry)->kind != EntryKind::File) return invalid(format("{}: is no regular file", path));
  auto content = read_blob(clone_->local(), (*entry)->blob, bytes_max);
  if (!content) return content.error();
  return std::optional(*std::move(content));
}

Result<Provenance> Libgit2Repository::provenance(const std::string& commit, const std::string& path) {
  return clone_->provenance(commit, path);
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
