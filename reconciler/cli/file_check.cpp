#include "cli/file_check.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "base/format.h"
#include "manifest/check_file.h"
#include "manifest/policy_file.h"

namespace reconciler {
namespace {

namespace fs = std::filesystem;

constexpr size_t kReadMax = (size_t(1) << 20) + 1;  // one more than a file may have, so that a longer one is noticed

/// The nearest folder at or above `start` that is a work tree of Git; nothing when there is none.
std::optional<fs::path> repository_of(const fs::path& start) {
  std::error_code ignored;  // a folder that cannot be looked into is none
  for (fs::path folder = start;; folder = folder.parent_path()) {
    if (fs::exists(folder / ".git", ignored)) return folder;
    if (folder == folder.parent_path()) return std::nullopt;
  }
}

FileRole role_of(const fs::path& file, const fs::path& root) {
  fs::path relative = file.lexically_relative(root);
  if (relative.empty()) return FileRole::Manifests;
  if (*relative.begin() == "status") return FileRole::Status;
  if (relative == policy_path("decisions")) return FileRole::Policy;
  if (*relative.begin() == "decisions") return FileRole::Decision;
  return FileRole::Manifests;
}

std::optional<std::string> read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string text(kReadMax, '\0');
  in.read(text.data(), std::streamsize(text.size()));
  if (in.bad()) return std::nullopt;
  text.resize(size_t(in.gcount()));
  return text;
}

class Checker {
 public:
  explicit Checker(const std::string& default_namespace) : default_namespace_(default_namespace) {}

  void check(const std::string& path) {
    std::error_code error;
    fs::path whole = fs::canonical(path, error);
    if (error) return problem(path, error.message());
    bool folder = fs::is_directory(whole, error);
    fs::path above = folder ? whole : whole.parent_path();
    fs::path root = repository_of(above).value_or(above);
    size_t before = report_.files;
    if (folder)
      walk(path, whole, root);
    else
      check_one(path, whole, root);
    if (folder && report_.files == before && !checked_any(whole)) warning(path, "there is no manifest here");
  }

  CheckReport take() { return std::move(report_); }

 private:
  void problem(const std::string& path, std::string message) {
    report_.problems.push_back({path, 0, 0, std::move(message)});
  }
  void warning(const std::string& path, std::string message) {
    report_.warnings.push_back({path, 0, 0, std::move(message)});
  }

  bool checked_any(const fs::path& folder) const {
    std::string front = folder.string() + "/";
    auto found = checked_.lower_bound(front);
    return found != checked_.end() && found->starts_with(front);
  }

  /// `shown` is how the person names the folder, `whole` where it really is.
  void walk(const fs::path& shown, const fs::path& whole, const fs::path& root) {
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator at(whole, error), end; !error && at != end; at.increment(error)) entries.push_back(*at);
    if (error) problem(shown.string(), error.message());
    std::sort(entries.begin(), entries.end());
    for (const fs::directory_entry& entry : entries) {
      std::string name = entry.path().filename().string();
      if (name.starts_with('.')) continue;
      std::string path = (shown / name).lexically_normal().string();
      if (entry.is_symlink(error)) {
        if (is_manifest_path(name) || fs::is_directory(entry.path(), error)) warning(path, "symlinks are skipped");
      } else if (entry.is_directory(error)) {
        walk(path, entry.path(), root);
      } else if (is_manifest_path(name)) {
        check_one(path, entry.path(), root);
      }
    }
  }

  void check_one(const std::string& shown, const fs::path& whole, const fs::path& root) {
    if (!checked_.insert(whole.string()).second) return;
    ++report_.files;
    auto text = read_file(whole);
    if (!text) return problem(shown, "cannot be read");
    FileCheck check = check_file(shown, *text, role_of(whole, root), default_namespace_);
    std::move(check.problems.begin(), check.problems.end(), std::back_inserter(report_.problems));
    std::move(check.warnings.begin(), check.warnings.end(), std::back_inserter(report_.warnings));
    for (auto& [key, line] : check.objects) note_object(key, shown, line);
  }

  void note_object(const ObjectKey& key, const std::string& file, int line) {
    ++report_.objects;
    ObjectKey name_of_its_own = key;
    if (key.group == "argoproj.io" && key.kind == "Experiment") name_of_its_own.kind = "Rollout";
    auto [first, fresh] = places_.try_emplace(name_of_its_own, Problem{file, line, 0, ""});
    if (fresh || first->second.file == file) return;
    report_.problems.push_back({file, line, 1,
                                format("{} stands in two files, also at {}:{}; keep one", key.text(),
                                       first->second.file, first->second.line)});
  }

  std::string default_namespace_;
  CheckReport report_;
  std::set<std::string> checked_;
  std::map<ObjectKey, Problem> places_;
};

}  // namespace

CheckReport check_paths(const std::vector<std::string>& paths, const std::string& default_namespace) {
  Checker checker(default_namespace);
  for (const std::string& path : paths) checker.check(path);
  return checker.take();
}

}  // namespace reconciler
