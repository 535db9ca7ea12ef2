// serin history: every transition of one rollout, from the status commits.
#include <algorithm>
#include <iostream>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/git_view.h"
#include "cli/history_text.h"
#include "daemon/system_clock.h"
#include "manifest/status_file.h"

namespace reconciler {
namespace {

Syntax history_syntax() {
  Syntax out{.usage = "serin history [NAMESPACE/]NAME [OPTIONS]",
             .summary = "Every recorded transition of a rollout: when, how long, why, and who asked.",
             .options = git_view_options(),
             .operands_least = 1,
             .operands_most = 1};
  out.options.push_back({.name = "limit",
                         .operand = "N",
                         .help = "at most so many transitions, the newest",
                         .type = IntegerOption{.least = 1, .most = 1'000'000},
                         .otherwise = "100"});
  return out;
}

/// Where its status file is or, for a rollout that was removed, was.
Result<std::string> path_of(const GitView& view, const std::string& name) {
  auto entries = statuses_at(view, view.status_tip);
  if (!entries) return entries.error();
  auto found = named(std::move(*entries), name);
  if (found && found->size() == 1) return status_path(view, found->front());
  if (found) return invalid(format("{} is on several clusters: say which with --cluster-name", name));
  size_t slash = name.find('/');
  if (slash == name.npos) return found.error();
  RolloutKey key{.ns = name.substr(0, slash), .name = name.substr(slash + 1)};
  return record_path(view.status_directory, view.cluster.empty() ? "default" : view.cluster, key);
}

Result<History> read_history(const GitView& view, const std::string& name, size_t limit) {
  Result<std::string> path = path_of(view, name);
  if (!path) return path.error();
  auto commits = view.git.log(*path, "", view.status_tip, limit);
  if (!commits) return commits.error();
  std::reverse(commits->begin(), commits->end());
  History history;
  for (const CommitInfo& commit : *commits) {
    std::optional<Recorded> transition = read_recorded(commit);
    if (!transition) continue;  // a person's edit of the file
    // A file that somebody damaged hides who decided, and nothing else.
    if (auto status = status_at(view, commit.id, *path)) transition->status = std::move(*status);
    if (!transition->requested.empty() && !history.requests.contains(transition->requested))
      if (Result<CommitInfo> request = view.git.commit(transition->requested))
        history.requests[transition->requested] = {.author = request->author, .subject = subject_of(request->message)};
    history.transitions.push_back(std::move(*transition));
  }
  if (history.transitions.empty()) return invalid(format("nothing is recorded about {}", name));
  return history;
}

}  // namespace

int history(const std::vector<std::string>& arguments) {
  return with_options(history_syntax(), arguments, [](const Options& options) {
    Result<GitView> view = open_git_view(options);
    if (!view) return failed(view.error());
    auto limit = static_cast<size_t>(options.integer("limit"));
    Result<History> read = read_history(*view, options.operands().front(), limit);
    if (!read) return failed(read.error());
    if (options.text("output") == "json") {
      std::cout << history_json(*read).dump(2) << "\n";
    } else {
      std::cout << history_text(*read, SystemClock().now());
    }
    return 0;
  });
}

}  // namespace reconciler
