// serin history: every transition of one rollout, from the status commits.
#include <algorithm>
#include <iostream>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/git_view.h"
#include "cli/history_text.h"
#include "daemon/system_clock.h"

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

/// The rollout that is meant, also when it was removed.
Result<StatusPlace> place_of(const GitView& view, const std::string& name) {
  auto places = places_at(view, view.status_tip);
  if (!places) return places.error();
  auto found = named(std::move(*places), name);
  if (found && found->size() == 1) return found->front();
  if (found) return invalid(format("{} is on several clusters: say which with --cluster-name", name));
  size_t slash = name.find('/');
  if (slash == name.npos) return found.error();
  return StatusPlace{.cluster = view.cluster.empty() ? "default" : view.cluster,
                     .rollout = {.ns = name.substr(0, slash), .name = name.substr(slash + 1)}};
}

/// Its newest transitions, oldest first. Most commits are about others, which their messages tell.
Result<std::vector<Recorded>> transitions_of(const GitView& view, const StatusPlace& place, size_t limit) {
  const std::string trailer = format("\nRollout: {}\n", place.rollout.text());
  std::vector<Recorded> out;
  CommitWalk walk = view.git.walk(view.status_tip);
  while (out.size() < limit) {
    auto commit = walk.next();
    if (!commit) return commit.error();
    if (!*commit) break;
    if ((*commit)->message.find(trailer) == std::string::npos) continue;
    auto transition = transition_in(view, **commit);
    if (!transition) return transition.error();
    if (*transition && (*transition)->rollout == place.rollout && (*transition)->cluster == place.cluster)
      out.push_back(std::move(**transition));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

/// Who asked for something, as far as the clone has it.
std::optional<Request> request_in(const GitView& view, const std::string& commit, MainLine& main_line) {
  auto request = view.git.commit(commit);
  auto people = view.git.people(commit, main_line);
  if (!request || !people) return std::nullopt;
  Request out{.author = request->author, .subject = subject_of(request->message), .authors = people->authors};
  if (people->committer != out.author) out.committer = people->committer;
  return out;
}

Result<History> read_history(const GitView& view, const std::string& name, size_t limit) {
  Result<StatusPlace> place = place_of(view, name);
  if (!place) return place.error();
  auto transitions = transitions_of(view, *place, limit);
  if (!transitions) return transitions.error();
  History history{.transitions = std::move(*transitions), .requests = {}};
  MainLine main_line = view.git.main_line(view.branch);
  for (Recorded& transition : history.transitions) {
    // A file that somebody damaged hides who decided, and nothing else.
    if (auto status = status_at(view, transition.commit.id, status_path(view, *place)))
      transition.status = std::move(*status);
    if (!transition.requested.empty() && !history.requests.contains(transition.requested))
      if (auto request = request_in(view, transition.requested, main_line))
        history.requests[transition.requested] = std::move(*request);
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
