// serin plan: what merging a revision would change, for reviewers and pull requests.
#include <iostream>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/git_view.h"
#include "cli/revision_files.h"
#include "daemon/system_clock.h"

namespace reconciler {
namespace {

constexpr size_t kFileBytesMax = size_t(1) << 20;

Syntax plan_syntax() {
  Syntax out{.usage = "serin plan [OPTIONS]",
             .summary = "What a revision would change: objects with their fields, and the canary steps that would run.",
             .options = git_view_options()};
  for (Option& option : out.options) {
    if (option.name == "cluster-name")
      option = {.name = "cluster-name", .operand = "NAME", .help = "whose status counts", .otherwise = "default"};
    if (option.name == "output")
      option = {.name = "output",
                .operand = "FORMAT",
                .help = "text, json or markdown",
                .type = ChoiceOption{{"text", "json", "markdown"}},
                .otherwise = "text"};
  }
  out.options.push_back({.name = "revision", .operand = "REF", .help = "what would be merged", .otherwise = "HEAD"});
  out.options.push_back({.name = "against", .operand = "REF", .help = "what is in force; else the watched branch"});
  out.options.push_back({.name = "path", .operand = "DIR", .help = "where manifests lie", .otherwise = "."});
  out.options.push_back(
      {.name = "namespace", .operand = "NAME", .help = "for objects that name none", .otherwise = "default"});
  out.options.push_back(
      {.name = "decisions-directory", .operand = "DIR", .help = "where decisions lie", .otherwise = "decisions"});
  return out;
}

struct Sides {
  std::vector<std::pair<std::string, std::string>> before;
  std::vector<std::pair<std::string, std::string>> after;
};

/// The manifests that differ, as both revisions have them.
Result<Sides> changed_files(const GitView& view, const Options& options, const std::string& base,
                            const std::string& revision) {
  std::string directory = options.text("path") == "." ? "" : options.text("path");
  auto changes = view.git.changes(base, revision, directory);
  if (!changes) return changes.error();
  auto is_record = [&](const std::string& path) {
    return path.starts_with(view.status_directory + "/") || path.starts_with(options.text("decisions-directory") + "/");
  };
  Sides sides;
  for (const TreeChange& change : *changes) {
    if (!is_manifest_path(change.path) || is_record(change.path)) continue;
    for (const auto& [entry, files] : {std::pair(&change.before, &sides.before), {&change.after, &sides.after}}) {
      if (!*entry || (*entry)->kind != EntryKind::File) continue;
      Result<std::string> text = view.git.read((*entry)->blob, kFileBytesMax);
      if (!text) return invalid(format("{}: {}", change.path, text.error().message));
      files->emplace_back(change.path, std::move(*text));
    }
  }
  return sides;
}

Result<std::map<RolloutKey, Status>> recorded_statuses(const GitView& view) {
  auto entries = statuses_at(view, view.status_tip);
  if (!entries) return entries.error();
  std::map<RolloutKey, Status> recorded;
  for (StatusEntry& entry : *entries) recorded.emplace(entry.rollout, std::move(entry.status));
  return recorded;
}

int show(const RevisionPlan& plan, const RevisionNames& names, const std::string& form) {
  if (form == "json") {
    std::cout << plan_json(plan, names).dump(2) << "\n";
  } else {
    std::cout << (form == "markdown" ? plan_markdown(plan, names) : plan_text(plan, names));
  }
  return plan.problems.empty() ? 0 : 1;
}

int work(const Options& options) {
  Result<GitView> view = open_git_view(options);
  if (!view) return failed(view.error());
  Result<std::string> revision = view->git.resolve(options.text("revision"));
  if (!revision) return failed(revision.error());
  Result<std::string> base = options.has("against") ? view->git.resolve(options.text("against")) : view->branch;
  if (!base) return failed(base.error());
  Result<Sides> sides = changed_files(*view, options, *base, *revision);
  if (!sides) return failed(sides.error());
  auto recorded = recorded_statuses(*view);
  if (!recorded) return failed(recorded.error());
  const std::string ns = options.text("namespace");
  RevisionPlan plan = compare_revisions(read_revision(sides->before, ns), read_revision(sides->after, ns), *recorded,
                                        SystemClock().now());
  const std::string against = options.has("against") ? options.text("against") : options.text("branch");
  return show(plan,
              {.before = format("{} ({})", against, base->substr(0, 12)),
               .after = format("{} ({})", options.text("revision"), revision->substr(0, 12))},
              options.text("output"));
}

}  // namespace

int plan(const std::vector<std::string>& arguments) { return with_options(plan_syntax(), arguments, work); }

}  // namespace reconciler
