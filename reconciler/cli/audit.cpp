// serin audit: every deployment within a time, and the four figures of delivery, from Git alone.
#include <algorithm>
#include <iostream>

#include "base/format.h"
#include "base/text.h"
#include "cli/audit_text.h"
#include "cli/commands.h"
#include "cli/git_view.h"
#include "cli/moment.h"
#include "daemon/system_clock.h"
#include "manifest/status_file.h"

namespace reconciler {
namespace {

/// How the reason of a transition begins that carries out an approval.
constexpr std::string_view kApproved = "promoted ";

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

/// Takes up every transition, oldest first. That its commit changed something below the status directory is all that is
/// asked of it here: whether each message is true is for `serin verify` to say, at several times the cost.
Result<void> add_transitions(const GitView& view, DeploymentLog& log) {
  auto walk = view.git.walk_from_root(view.status_tip);
  if (!walk) return walk.error();
  while (true) {
    auto commit = walk->next();
    if (!commit) return commit.error();
    if (!*commit) return {};
    std::optional<Recorded> transition = read_recorded(**commit);
    if (!transition || (!view.cluster.empty() && transition->cluster != view.cluster)) continue;
    auto changed = view.git.changed((*commit)->id, view.status_directory);
    if (!changed) return changed.error();
    if (!*changed) continue;
    // Who approved stands in the file. One that somebody damaged hides that, and nothing else.
    const std::string path = record_path(view.status_directory, transition->cluster, transition->rollout);
    if (transition->why.starts_with(kApproved))
      if (auto status = status_at(view, (*commit)->id, path)) transition->status = std::move(*status);
    log.add(*transition);
  }
}

/// Of a merge it is the authors of what was merged, and when the first of it was written, that count.
void fill_in_requests(const GitView& view, std::vector<Deployment>& deployments) {
  MainLine main_line = view.git.main_line(view.branch);
  for (Deployment& d : deployments) {
    if (d.commit.empty()) continue;
    auto request = view.git.commit(d.commit);
    auto people = view.git.people(d.commit, main_line);
    if (!request || !people) continue;  // not in this clone
    d.author = request->author;
    d.committed = people->first;
    if (people->authors.empty()) continue;
    d.merged_by = d.author;
    d.author = joined(people->authors, ", ");
  }
}

Result<Audit> read_audit(const GitView& view, std::optional<TimePoint> since, TimePoint until) {
  DeploymentLog log;
  if (auto added = add_transitions(view, log); !added) return added.error();
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
