#include "git/git_history.h"

#include <git2.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "base/format.h"
#include "git/library.h"
#include "git/provenance.h"
#include "git/revision.h"
#include "git/tree.h"

namespace reconciler {
namespace {

constexpr size_t fetched_refs_max = 10'000;
constexpr size_t cache_bytes_max = 16 << 20;

/// A command that walks a history and ends may remember more objects than a daemon (`keep_cache_small` counts on it).
void set_up_for_walks() {
  set_up_git_library();
  git_libgit2_opts(GIT_OPT_SET_CACHE_MAX_SIZE, static_cast<ssize_t>(cache_bytes_max));
}

bool starts_with(const std::string& text, const char* start) { return text.rfind(start, 0) == 0; }

/// Fetches every branch and tag and points refs of the same names to them.
Result<void> fetch_everything(Remote& remote, git_repository& repository) {
  auto session = remote.open(repository);
  if (!session) return session.error();
  std::vector<std::string> wanted;
  for (const auto& [ref, id] : session->refs()) {
    bool is_peeled_twin = ref.size() > 3 && ref.compare(ref.size() - 3, 3, "^{}") == 0;
    if (!is_peeled_twin && (starts_with(ref, "refs/heads/") || starts_with(ref, "refs/tags/"))) wanted.push_back(ref);
  }
  if (wanted.empty()) return invalid(format("{} is empty", remote.address().url));
  if (wanted.size() > fetched_refs_max)
    return invalid(format("{} has more than {} branches and tags", remote.address().url, fetched_refs_max));
  if (auto fetched = session->fetch(wanted); !fetched) return fetched;
  for (const auto& ref : wanted) {
    auto id = id_from(session->refs().at(ref));
    Owned<git_reference> made;
    if (git_reference_create(fill(made), &repository, ref.c_str(), &id, 1, nullptr) < 0) return library_error(ref);
  }
  if (auto head = session->refs().find("HEAD"); head != session->refs().end()) {
    auto id = id_from(head->second);
    if (git_repository_set_head_detached(&repository, &id) < 0) return library_error("HEAD");
  }
  return {};
}

}  // namespace

class GitHistory::TemporaryClone {
 public:
  TemporaryClone() {
    std::error_code error;
    auto name = (std::filesystem::temp_directory_path(error) / "serin-XXXXXX").string();
    if (!error && mkdtemp(name.data())) path_ = name;
  }
  ~TemporaryClone() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryClone(const TemporaryClone&) = delete;
  TemporaryClone& operator=(const TemporaryClone&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

GitHistory::GitHistory(std::unique_ptr<TemporaryClone> clone, Owned<git_repository> repository)
    : clone_(std::move(clone)), repository_(std::move(repository)) {}
GitHistory::GitHistory(GitHistory&&) noexcept = default;
GitHistory& GitHistory::operator=(GitHistory&&) noexcept = default;
GitHistory::~GitHistory() = default;

Result<GitHistory> GitHistory::around(const std::string& folder) {
  set_up_for_walks();
  Owned<git_repository> repository;
  if (git_repository_open_ext(fill(repository), folder.c_str(), 0, nullptr) < 0)
    return invalid(format("{}: not in a git repository; name one with --repo", folder));
  return GitHistory(nullptr, std::move(repository));
}

Result<GitHistory> GitHistory::of(const std::string& url, PlainHttp plain_http, const RemoteOptions& options) {
  set_up_for_walks();
  auto address = parse_address(url, plain_http);
  if (!address) return address.error();
  Owned<git_repository> repository;
  if (address->transport == Transport::File) {
    if (git_repository_open_ext(fill(repository), address->url.c_str(), GIT_REPOSITORY_OPEN_NO_SEARCH, nullptr) < 0)
      return invalid(format("{}: not a git repository", address->url));
    return GitHistory(nullptr, std::move(repository));
  }
  auto clone = std::make_unique<TemporaryClone>();
  if (clone->path().empty() || git_repository_init(fill(repository), clone->path().c_str(), 1) < 0)
    return transient("cannot make a temporary folder for the clone");
  Remote remote(*address, options);
  if (auto fetched = fetch_everything(remote, *repository); !fetched) return fetched.error();
  return GitHistory(std::move(clone), std::move(repository));
}

Result<std::string> GitHistory::resolve(const std::string& name) const { return resolve_revision(*repository_, name); }

Result<CommitInfo> GitHistory::commit(const std::string& id) const { return commit_info(*repository_, id); }

Result<std::vector<HistoryFile>> GitHistory::files(const std::string& commit, const std::string& directory,
                                                   size_t file_bytes_max) const {
  auto entries = list_directory(*repository_, commit, plain_directory(directory));
  if (!entries) return entries.error();
  std::vector<HistoryFile> files;
  for (const auto& entry : *entries) {
    if (entry.after->kind != EntryKind::File) continue;
    auto content = read_blob(*repository_, entry.after->blob, file_bytes_max);
    if (!content) return invalid(format("{}: {}", entry.path, content.error().message));
    files.push_back({entry.path, entry.after->blob, *std::move(content)});
  }
  return files;
}

Result<std::vector<std::string>> GitHistory::paths(const std::string& commit, const std::string& directory) const {
  auto entries = list_directory(*repository_, commit, plain_directory(directory));
  if (!entries) return entries.error();
  std::vector<std::string> paths;
  for (const auto& entry : *entries)
    if (entry.after->kind == EntryKind::File) paths.push_back(entry.path);
  return paths;
}

Result<std::optional<std::string>> GitHistory::file(const std::string& commit, const std::string& path,
                                                    size_t bytes_max) const {
  auto tree = tree_of(*repository_, commit);
  if (!tree) return tree.error();
  auto entry = entry_at(**tree, plain_directory(path));
  if (!entry) return entry.error();
  if (!*entry || (*entry)->kind != EntryKind::File) return std::optional<std::string>();
  auto content = read_blob(*repository_, (*entry)->blob, bytes_max);
  if (!content) return invalid(format("{}: {}", path, content.error().message));
  return std::optional(*std::move(content));
}

Result<std::vector<CommitInfo>> GitHistory::log(const std::string& path, const std::string& from, const std::string& to,
                                                size_t limit) const {
  return commits_touching_path(*repository_, path, from, to, limit);
}

CommitWalk GitHistory::walk(const std::string& tip) const { return CommitWalk::from_tip(*repository_, tip); }

Result<CommitWalk> GitHistory::walk_from_root(const std::string& tip) const {
  return CommitWalk::from_root(*repository_, tip);
}

Result<bool> GitHistory::changed(const std::string& commit, const std::string& path) const {
  return changes_path(*repository_, commit, path);
}

MainLine GitHistory::main_line(const std::string& tip) const { return MainLine(*repository_, tip); }

Result<CommitPeople> GitHistory::people(const std::string& commit, MainLine& main_line) const {
  return people_of(*repository_, commit, main_line);
}

Result<std::vector<TreeChange>> GitHistory::changes(const std::string& from, const std::string& to,
                                                    const std::string& directory) const {
  return compare_commits(*repository_, from, to, plain_directory(directory));
}

Result<std::string> GitHistory::read(const std::string& blob, size_t bytes_max) const {
  return read_blob(*repository_, blob, bytes_max);
}

Result<std::string> GitHistory::check_signature(const std::string& commit, const SignerFiles& signers) const {
  TemporaryClone folder;  // a signature lies there while it is looked at
  if (folder.path().empty()) return transient("cannot make a temporary folder");
  return reconciler::check_signature(*repository_, commit, signers, folder.path());
}

Result<Provenance> GitHistory::provenance(const std::string& commit, const std::string& path,
                                          const SignerFiles& signers) const {
  TemporaryClone folder;
  if (folder.path().empty()) return transient("cannot make a temporary folder");
  return provenance_of(*repository_, commit, path, signers, folder.path());
}

}  // namespace reconciler
