#include "cli/git_view.h"

#include <algorithm>
#include <set>

#include "base/format.h"
#include "base/text.h"
#include "cli/git_credentials.h"
#include "manifest/status_file.h"

namespace reconciler {

namespace {

constexpr size_t kStatusBytesMax = size_t(1) << 20;

/// In a clone of one's own the remote's branch counts, since that is what Serin follows and pushes to.
Result<std::string> tip_of(const GitHistory& git, const std::string& branch) {
  if (Result<std::string> remote = git.resolve("refs/remotes/origin/" + branch)) return remote;
  if (Result<std::string> local = git.resolve("refs/heads/" + branch)) return local;
  return invalid(format("there is no branch {} here (say which with --branch)", branch));
}

/// Entries or places, whatever has a rollout.
template <class T>
Result<std::vector<T>> only_named(std::vector<T> all, const std::string& name) {
  std::erase_if(all, [&](const T& one) {
    return one.rollout.text() != name && (name.find('/') != name.npos || one.rollout.name != name);
  });
  if (all.empty()) return invalid(format("no rollout {} is recorded here (see: serin status)", name));
  std::set<std::string> texts;
  for (const T& one : all) texts.insert(one.rollout.text());
  if (texts.size() == 1) return all;
  return invalid(format("{} could be {}: say which", name, joined(texts, " or ")));
}

std::string status_root(const GitView& view) {
  return view.cluster.empty() ? view.status_directory : view.status_directory + "/" + view.cluster;
}

}  // namespace

std::vector<Option> git_view_options() {
  std::vector<Option> options = {
      {.name = "repo", .operand = "URL", .help = "the repository; else the one around the current folder"},
      {.name = "branch", .operand = "NAME", .help = "the watched branch", .otherwise = "main"},
      {.name = "status-branch", .operand = "NAME", .help = "where status is, when not on the watched branch"},
      {.name = "status-directory", .operand = "DIR", .help = "where status files lie", .otherwise = "status"},
      {.name = "cluster-name", .operand = "NAME", .help = "only this cluster; else all of them"},
      {.name = "output",
       .operand = "FORMAT",
       .help = "text or json",
       .type = ChoiceOption{{"text", "json"}},
       .otherwise = "text"}};
  for (Option& option : git_access_options()) options.push_back(std::move(option));
  return options;
}

Result<GitView> open_git_view(const Options& options) {
  Result<RemoteOptions> access = remote_options(options);
  if (!access) return access.error();
  Result<GitHistory> git = options.has("repo") ? GitHistory::of(options.text("repo"), PlainHttp::LoopbackOnly, *access)
                                               : GitHistory::around(".");
  if (!git) return git.error();
  GitView view{.git = std::move(*git),
               .branch = {},
               .status_tip = {},
               .status_directory = options.text("status-directory"),
               .cluster = options.text("cluster-name")};
  Result<std::string> tip = tip_of(view.git, options.text("branch"));
  if (!tip) return tip.error();
  view.branch = view.status_tip = *tip;
  if (!options.has("status-branch")) return view;
  Result<std::string> status = tip_of(view.git, options.text("status-branch"));
  if (!status) return status.error();
  view.status_tip = *status;
  return view;
}

std::optional<StatusPlace> status_place(const std::string& directory, const std::string& path) {
  if (!path.starts_with(directory + "/")) return std::nullopt;
  size_t start = directory.size() + 1;
  size_t slash = path.find('/', start);
  if (slash == path.npos) return std::nullopt;
  std::string cluster = path.substr(start, slash - start);
  std::optional<RolloutKey> key = key_of_record_path(directory, cluster, path);
  if (!key) return std::nullopt;
  return StatusPlace{.cluster = std::move(cluster), .rollout = std::move(*key)};
}

Result<std::vector<StatusEntry>> statuses_at(const GitView& view, const std::string& commit) {
  auto files = view.git.files(commit, status_root(view), kStatusBytesMax);
  if (!files) return files.error();
  std::vector<StatusEntry> entries;
  for (const HistoryFile& file : *files) {
    std::optional<StatusPlace> place = status_place(view.status_directory, file.path);
    if (!place) continue;
    Result<Status> status = read_status(file.path, file.content);
    if (!status) return status.error();
    entries.push_back({.cluster = place->cluster, .rollout = place->rollout, .status = std::move(*status)});
  }
  std::sort(entries.begin(), entries.end(), [](const StatusEntry& a, const StatusEntry& b) {
    return std::tie(a.cluster, a.rollout) < std::tie(b.cluster, b.rollout);
  });
  return entries;
}

Result<std::optional<Status>> status_at(const GitView& view, const std::string& commit, const std::string& path) {
  auto text = view.git.file(commit, path, kStatusBytesMax);
  if (!text) return text.error();
  if (!*text) return std::optional<Status>();
  Result<Status> status = read_status(path, **text);
  if (!status) return status.error();
  return std::optional(std::move(*status));
}

Result<std::vector<StatusEntry>> named(std::vector<StatusEntry> entries, const std::string& name) {
  return only_named(std::move(entries), name);
}

Result<std::vector<StatusPlace>> places_at(const GitView& view, const std::string& commit) {
  auto paths = view.git.paths(commit, status_root(view));
  if (!paths) return paths.error();
  std::vector<StatusPlace> places;
  for (const std::string& path : *paths)
    if (auto place = status_place(view.status_directory, path)) places.push_back(std::move(*place));
  return places;
}

Result<std::vector<StatusPlace>> named(std::vector<StatusPlace> places, const std::string& name) {
  return only_named(std::move(places), name);
}

std::string status_path(const GitView& view, const StatusEntry& entry) {
  return record_path(view.status_directory, entry.cluster, entry.rollout);
}

std::string status_path(const GitView& view, const StatusPlace& place) {
  return record_path(view.status_directory, place.cluster, place.rollout);
}

Result<std::optional<Recorded>> transition_in(const GitView& view, const CommitInfo& commit) {
  std::optional<Recorded> transition = read_recorded(commit);
  if (!transition || (!view.cluster.empty() && transition->cluster != view.cluster)) return std::optional<Recorded>();
  auto changed =
      view.git.changed(commit.id, record_path(view.status_directory, transition->cluster, transition->rollout));
  if (!changed) return changed.error();
  if (!*changed) return std::optional<Recorded>();
  return transition;
}

}  // namespace reconciler
