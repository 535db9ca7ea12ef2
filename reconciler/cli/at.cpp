// serin at: what served which share of the traffic at a time. The author date of a status commit is the moment of its
// decision, so the newest transition before that time says what was in force.
#include <algorithm>
#include <iostream>
#include <map>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/git_view.h"
#include "cli/moment.h"
#include "manifest/status_file.h"

namespace reconciler {
namespace {

Syntax at_syntax() {
  return {.usage = "serin at TIME [[NAMESPACE/]NAME] [OPTIONS]",
          .summary = "What served at a time (such as 2026-11-22T10:00Z), from Git alone.",
          .options = git_view_options(),
          .operands_least = 1,
          .operands_most = 2};
}

/// The transitions until a time, newest first.
class TransitionsUntil {
 public:
  TransitionsUntil(const GitView& view, TimePoint time)
      : view_(view), time_(time), walk_(view.git.walk(view.status_tip)) {}

  /// Nothing when there are no more.
  Result<std::optional<Recorded>> next() {
    while (true) {
      auto commit = walk_.next();
      if (!commit) return commit.error();
      if (!*commit) return std::optional<Recorded>();
      if ((*commit)->time > time_) continue;
      auto transition = transition_in(view_, **commit);
      if (!transition || *transition) return transition;
    }
  }

 private:
  const GitView& view_;
  const TimePoint time_;
  CommitWalk walk_;
};

/// The rollouts of interest that had a status file as of a commit, by path.
Result<std::map<std::string, StatusPlace>> wanted_at(const GitView& view, const std::string& commit,
                                                     const std::string& name) {
  auto places = places_at(view, commit);
  if (places && !name.empty()) places = named(std::move(*places), name);
  if (!places) return places.error();
  std::map<std::string, StatusPlace> wanted;
  for (StatusPlace& place : *places) wanted.emplace(status_path(view, place), std::move(place));
  return wanted;
}

/// What was in force then, of all rollouts or of those with a name. The newest transition of all before `time` has
/// every rollout's file; daemons of several clusters may have pushed out of order, so each rollout's own newest one
/// counts. The walk ends when all are found.
Result<std::vector<StatusEntry>> in_force(const GitView& view, TimePoint time, const std::string& name) {
  TransitionsUntil transitions(view, time);
  std::vector<StatusEntry> out;
  auto transition = transitions.next();
  if (!transition) return transition.error();
  if (!*transition) return out;
  auto wanted = wanted_at(view, (*transition)->commit.id, name);
  if (!wanted) return wanted.error();
  while (transition && *transition && !wanted->empty()) {
    Recorded& found = **transition;
    const std::string path = record_path(view.status_directory, found.cluster, found.rollout);
    if (wanted->erase(path) > 0) {
      auto status = status_at(view, found.commit.id, path);
      if (!status) return status.error();
      if (*status)  // else it was being removed
        out.push_back({.cluster = found.cluster, .rollout = found.rollout, .status = **status, .last = found});
    }
    transition = transitions.next();
  }
  if (!transition) return transition.error();
  std::sort(out.begin(), out.end(), [](const StatusEntry& a, const StatusEntry& b) {
    return std::tie(a.cluster, a.rollout) < std::tie(b.cluster, b.rollout);
  });
  return out;
}

int show(const Options& options, TimePoint time) {
  Result<GitView> view = open_git_view(options);
  if (!view) return failed(view.error());
  auto entries = in_force(*view, time, options.operands().size() == 2 ? options.operands()[1] : "");
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
