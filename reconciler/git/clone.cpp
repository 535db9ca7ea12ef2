#include "git/clone.h"

#include <git2.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/format.h"
#include "base/log.h"
#include "git/durable.h"
#include "git/library.h"

namespace reconciler {
namespace {

namespace fs = std::filesystem;

constexpr const char* url_file = "serin-url";  // beside HEAD; written last, so that it also marks a complete clone

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

bool starts_with(const std::string& text, std::string_view start) { return text.rfind(start, 0) == 0; }

/// A killed process leaves lock files and temporary packs; a power cut leaves empty objects, which would hide the
/// content that is written again under the same id.
bool is_leftover(const fs::directory_entry& entry) {
  std::error_code ignored;
  if (!entry.is_regular_file(ignored) || entry.is_symlink(ignored)) return false;
  auto name = entry.path().filename().string();
  if (entry.path().extension() == ".lock") return true;
  if (starts_with(name, "pack_git2_") || starts_with(name, "tmp_")) return true;
  bool is_loose_object = name.size() == 38 && entry.path().parent_path().filename().string().size() == 2;
  return is_loose_object && entry.file_size(ignored) == 0;
}

Result<void> remove_leftovers(const fs::path& clone) {
  std::error_code error;
  for (fs::recursive_directory_iterator entry(clone, error), end; !error && entry != end; entry.increment(error)) {
    if (!is_leftover(*entry)) continue;
    log_info("removed a leftover of a killed process", {{"file", entry->path().string()}});
    std::error_code removal;
    fs::remove(entry->path(), removal);
    if (removal) return transient(format("cannot remove {}: {}", entry->path().string(), removal.message()));
  }
  if (error) return transient(format("cannot read {}: {}", clone.string(), error.message()));
  return {};
}

Result<void> set_aside(const fs::path& clone, const std::string& url) {
  fs::path aside;
  for (int number = 1;; number++) {
    aside = clone.string() + format(".aside-{}", number);
    if (!fs::exists(fs::symlink_status(aside))) break;
  }
  std::error_code error;
  fs::rename(clone, aside, error);
  if (error) return transient(format("cannot set {} aside: {}", clone.string(), error.message()));
  log_warn("the clone is of another repository; it was set aside and a new one begun",
           {{"kept", aside.string()}, {"was", first_line(aside / url_file)}, {"now", url}});
  return {};
}

Result<void> make_clone(const fs::path& clone, const std::string& url) {
  fs::path fresh = clone.string() + ".new";
  std::error_code error;
  fs::remove_all(fresh, error);
  if (::mkdir(fresh.c_str(), 0700) != 0)
    return transient(format("cannot make {}: {}", fresh.string(), strerror(errno)));
  Owned<git_repository> made;
  if (git_repository_init(fill(made), fresh.c_str(), 1) < 0)
    return library_error(format("cannot make {}", fresh.string()));
  fs::create_directories(fresh / "refs" / "serin", error);
  if (error) return transient(format("cannot make {}: {}", fresh.string(), error.message()));
  if (auto written = replace_file(fresh / url_file, url + "\n"); !written) return written;
  fs::rename(fresh, clone, error);
  if (error) return transient(format("cannot make {}: {}", clone.string(), error.message()));
  return sync_to_disk(clone.parent_path());
}

}  // namespace

Result<std::string> prepare_clone(const std::string& state_directory, const std::string& url) {
  std::error_code error;
  fs::path state(state_directory);
  if (!fs::exists(state, error)) {
    fs::create_directories(state.parent_path(), error);
    if (::mkdir(state.c_str(), 0700) != 0 && errno != EEXIST)
      return transient(format("cannot make {}: {}", state_directory, strerror(errno)));
  }
  fs::path clone = state / "repository.git";
  if (fs::exists(clone, error)) {
    if (first_line(clone / url_file) == url) {
      if (auto removed = remove_leftovers(clone); !removed) return removed.error();
      return clone.string();
    }
    if (auto moved = set_aside(clone, url); !moved) return moved.error();
  }
  if (auto made = make_clone(clone, url); !made) return made.error();
  return clone.string();
}

Result<Owned<git_repository>> open_clone(const std::string& path) {
  Owned<git_repository> repository;
  if (git_repository_open_bare(fill(repository), path.c_str()) < 0)
    return library_error(format("cannot open {}", path));
  return repository;
}

Result<std::string> read_own_ref(git_repository& repository, const std::string& name) {
  git_oid id;
  int code = git_reference_name_to_id(&id, &repository, ("refs/serin/" + name).c_str());
  if (code == GIT_ENOTFOUND) return std::string();
  Owned<git_commit> commit;
  Owned<git_tree> tree;
  if (code < 0 || git_commit_lookup(fill(commit), &repository, &id) < 0 ||
      git_commit_tree(fill(tree), commit.get()) < 0)
    return invalid(format("{} is damaged: refs/serin/{} cannot be read ({}); move the directory away to clone anew",
                          git_repository_path(&repository), name, last_git_error("unknown error")));
  return id_text(id);
}

Result<void> write_own_ref(const std::string& clone, const std::string& name, const std::string& commit) {
  auto path = clone + "/refs/serin/" + name;
  if (!commit.empty()) return replace_file(path, commit + "\n");
  std::error_code error;
  fs::remove(path, error);
  if (error) return transient(format("cannot remove {}: {}", path, error.message()));
  return {};
}

}  // namespace reconciler
