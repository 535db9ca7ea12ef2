// serin audit: every deployment within a time, and the four figures of delivery, from Git alone.
#include <algorithm>
#include <iostream>

#include "base/format.h"
#include "cli/audit_text.h"
#include "cli/commands.h"
#include "cli/git_view.h"
#include "cli/moment.h"
#include "daemon/system_clock.h"

namespace reconciler {
namespace {

Syntax audit_syntax() {
  Syntax out{.usage = "serin audit [OPTIONS]",
             .summary = "Every deployment that began within a time: who, how long, how it ended; from Git alone.",
             .options = git_view_options()};
  for (Option& option : out.options)
    if (option.name == "output") {
      option.help = "text, csv or json";
      option.type = ChoiceOption{{"text", "csv", "json"}};
    }
  out.options.push_back({.name = "since", .operand = "TIME", .help = "such as 2026-11-01; else from the beginning"});
  out.options.push_back({.name = "until", .operand = "TIME", .help = "else until now"});
  return out;
}

/// Of a rollout's transitions only those in mid-canary can bring an approval; then the status file tells of it.
Result<void> add_transition(const GitView& view, const CommitInfo& commit, DeploymentLog& log) {
  std::optional<Recorded> transition = read_recorded(commit);
  if (!transition || (!view.cluster.empty() && transition->cluster != view.cluster)) return {};
  const std::string path = status_path(view, {.cluster = transition->cluster, .rollout = transition->rollout});
  // A file that somebody damaged hides who decided, and nothing else.
  if (auto status = status_at(view, commit.id, path)) transition->status = std::move(*status);
  log.add(*transition);
  return {};
}

void fill_in_requests(const GitView& view, std::vector<Deployment>& deployments) {
  for (Deployment& d : deployments) {
    if (d.commit.empty()) continue;
    Result<CommitInfo> request = view.git.commit(d.commit);
    if (!request) continue;  // not in this clone
    d.author = request->author;
    d.committed = request->time;
  }
}

Result<Audit> read_audit(const GitView& view, std::optional<TimePoint> since, TimePoint until) {
  auto commits = view.git.log(view.status_directory, "", view.status_tip, SIZE_MAX);
  if (!commits) return commits.error();
  DeploymentLog log;
  for (auto commit = commits->rbegin(); commit != commits->rend(); ++commit)
    if (auto added = add_transition(view, *commit, log); !added) return added.error();
  Audit audit{.deployments = log.take(), .figures = {}};
  std::erase_if(audit.deployments, [&](const Deployment& d) { return d.began > until || (since && d.began < *since); });
  fill_in_requests(view, audit.deployments);
  const TimePoint from = since ? *since : audit.deployments.empty() ? until : audit.deployments.front().began;
  audit.figures = figures_of(audit.deployments, from, until);
  return audit;
}

int print_audit(const Options& options) {
  std::optional<TimePoint> since, until = SystemClock().now();
  for (auto [name, time] : {std::pair("since", &since), std::pair("until", &until)}) {
    if (!options.has(name)) continue;
    *time = parse_moment(options.text(name));
    if (!*time)
      return usage_error(format("--{} '{}' is no time; write it as 2026-11-22T10:00:00Z", name, options.text(name)));
  }
  Result<GitView> view = open_git_view(options);
  if (!view) return failed(view.error());
  Result<Audit> audit = read_audit(*view, since, *until);
  if (!audit) return failed(audit.error());
  const std::string output = options.text("output");
  if (output == "json") {
    std::cout << audit_json(*audit).dump(2) << "\n";
  } else {
    std::cout << (output == "csv" ? audit_csv(*audit) : audit_text(*audit));
  }
  return 0;
}

}  // namespace

int audit(const std::vector<std::string>& arguments) { return with_options(audit_syntax(), arguments, print_audit); }

}  // namespace reconciler
