// serin at: what served which share of the traffic at a time. The author date of a status commit is the moment of its
// decision, so the newest transition before that time says what was in force.
#include <iostream>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/git_view.h"
#include "cli/moment.h"
#include "manifest/status_file.h"

namespace reconciler {
namespace {

constexpr size_t kCommitsAtOnce = 500;

Syntax at_syntax() {
  return {.usage = "serin at TIME [[NAMESPACE/]NAME] [OPTIONS]",
          .summary = "What served at a time (such as 2026-11-22T10:00Z), from Git alone.",
          .options = git_view_options(),
          .operands_least = 1,
          .operands_most = 2};
}

/// The newest commit about `path` that was decided at `time` or before; nothing when there is none.
Result<std::optional<CommitInfo>> newest_before(const GitView& view, const std::string& path, const std::string& tip,
                                                TimePoint time) {
  std::string from_here = tip;
  while (true) {
    auto commits = view.git.log(path, "", from_here, kCommitsAtOnce);
    if (!commits) return commits.error();
    for (const CommitInfo& commit : *commits)
      if (commit.time <= time && read_recorded(commit)) return std::optional(commit);
    if (commits->size() < kCommitsAtOnce) return std::optional<CommitInfo>();
    Result<std::string> parent = view.git.resolve(commits->back().id + "~1");
    if (!parent) return std::optional<CommitInfo>();  // the root
    from_here = *parent;
  }
}

/// What was in force then. The newest commit of all before `time` has every rollout's file; daemons of several clusters
/// may have pushed out of order, so each rollout is then looked up by itself.
Result<std::vector<StatusEntry>> in_force(const GitView& view, TimePoint time) {
  auto newest = newest_before(view, view.status_directory, view.status_tip, time);
  if (!newest) return newest.error();
  if (!*newest) return std::vector<StatusEntry>();
  auto entries = statuses_at(view, (*newest)->id);
  if (!entries) return entries.error();
  std::vector<StatusEntry> out;
  for (StatusEntry& entry : *entries) {
    std::string path = status_path(view, entry);
    auto commit = newest_before(view, path, (*newest)->id, time);
    if (!commit) return commit.error();
    if (!*commit) continue;
    auto status = status_at(view, (*commit)->id, path);
    if (!status) return status.error();
    if (!*status) continue;  // it was being removed
    entry.status = std::move(**status);
    entry.last = read_recorded(**commit);
    out.push_back(std::move(entry));
  }
  return out;
}

int show(const Options& options, TimePoint time) {
  Result<GitView> view = open_git_view(options);
  if (!view) return failed(view.error());
  auto entries = in_force(*view, time);
  if (entries && options.operands().size() == 2) entries = named(std::move(*entries), options.operands()[1]);
  if (!entries) return failed(entries.error());
  if (options.text("output") == "json") {
    std::cout << serving_json(*entries, time).dump(2) << "\n";
  } else {
    std::cout << (entries->empty() ? format("nothing was recorded before {}\n", format_time(time))
                                   : serving_table(*entries));
  }
  return 0;
}

}  // namespace

int at(const std::vector<std::string>& arguments) {
  return with_options(at_syntax(), arguments, [](const Options& options) {
    const std::string& text = options.operands().front();
    std::optional<TimePoint> time = parse_moment(text);
    if (!time) return usage_error(format("'{}' is no time; write it as 2026-11-22T10:00:00Z", text));
    return show(options, *time);
  });
}

}  // namespace reconciler
