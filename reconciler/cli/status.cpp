// serin status: where every rollout is, as recorded in Git.
#include <unistd.h>

#include <iostream>
#include <thread>

#include "cli/commands.h"
#include "cli/git_view.h"
#include "daemon/system_clock.h"

namespace reconciler {
namespace {

Syntax status_syntax() {
  Syntax out{.usage = "serin status [[NAMESPACE/]NAME] [OPTIONS]",
             .summary = "All rollouts as a table, or one as a tree, as recorded in Git.",
             .options = git_view_options(),
             .operands_most = 1};
  out.options.push_back({.name = "watch", .help = "show it again whenever it changes", .type = FlagOption{}});
  out.options.push_back({.name = "interval",
                         .operand = "TIME",
                         .help = "between two looks with --watch",
                         .type = DurationOption{.least = 100ms, .most = 1h},
                         .otherwise = "2s"});
  return out;
}

/// The transition that brought each entry where it is.
Result<void> add_last_transitions(const GitView& view, std::vector<StatusEntry>& entries) {
  for (StatusEntry& entry : entries) {
    auto commits = view.git.log(status_path(view, entry), "", view.status_tip, 1);
    if (!commits) return commits.error();
    if (!commits->empty()) entry.last = read_recorded(commits->front());
  }
  return {};
}

Result<std::string> look(const Options& options) {
  Result<GitView> view = open_git_view(options);
  if (!view) return view.error();
  auto entries = statuses_at(*view, view->status_tip);
  if (!entries) return entries.error();
  bool one = !options.operands().empty();
  if (one) {
    entries = named(std::move(*entries), options.operands().front());
    if (!entries) return entries.error();
    if (auto added = add_last_transitions(*view, *entries); !added) return added.error();
  }
  if (options.text("output") == "json") return status_json(*entries).dump(2) + "\n";
  TimePoint now = SystemClock().now();
  if (!one) return entries->empty() ? "no rollout is recorded yet\n" : status_table(*entries, now);
  std::string out;
  for (const StatusEntry& entry : *entries) out += status_tree(entry, now);
  return out;
}

/// Until the person has seen enough. A look that fails is shown and tried again: a repository may come back.
int watch(const Options& options) {
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  std::string shown;
  while (std::cout) {
    Result<std::string> text = look(options);
    std::string now = text ? *text : "serin: " + text.error().message + "\n";
    if (now != shown) std::cout << (terminal ? "\033[H\033[2J" : shown.empty() ? "" : "\n") << now << std::flush;
    shown = now;
    std::this_thread::sleep_for(options.duration("interval"));
  }
  return 1;
}

}  // namespace

int status(const std::vector<std::string>& arguments) {
  return with_options(status_syntax(), arguments, [](const Options& options) {
    if (options.flag("watch")) return watch(options);
    Result<std::string> text = look(options);
    if (!text) return failed(text.error());
    std::cout << *text;
    return 0;
  });
}

}  // namespace reconciler
