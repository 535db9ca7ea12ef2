// serin plan: what merging a revision would change, for reviewers and pull requests.
#include <algorithm>
#include <iostream>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/git_view.h"
#include "cli/prune_forecast.h"
#include "cli/revision_files.h"
#include "daemon/system_clock.h"

namespace reconciler {
namespace {

constexpr size_t kFileBytesMax = size_t(1) << 20;
constexpr size_t kCommitsMax = 20000;

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

bool is_record(const GitView& view, const Options& options, const std::string& path) {
  return path.starts_with(view.status_directory + "/") || path.starts_with(options.text("decisions-directory") + "/");
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
  Sides sides;
  for (const TreeChange& change : *changes) {
    if (!is_manifest_path(change.path) || is_record(view, options, change.path)) continue;
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

/// Everything that a revision names and that a daemon would hold in its inventory.
Result<std::set<ObjectKey>> names_at(const GitView& view, const Options& options, const std::string& revision) {
  const std::string directory = options.text("path") == "." ? "" : options.text("path");
  auto files = view.git.files(revision, directory, kFileBytesMax);
  if (!files) return files.error();
  std::set<ObjectKey> out;
  for (const HistoryFile& each : *files) {
    if (!is_manifest_path(each.path) || is_record(view, options, each.path)) continue;
    const ManifestFile file = read_manifests(each.path, each.content, options.text("namespace"));
    for (const PlainObject& object : file.objects) out.insert(object.key);
    for (const RolloutAt& rollout : file.rollout_lines)
      out.insert({"argoproj.io", "Rollout", rollout.key.ns, rollout.key.name});
  }
  return out;
}

/// What would be held of the objects that the plan deletes.
Result<std::map<ObjectKey, std::string>> holds(const GitView& view, const Options& options, const RevisionPlan& plan,
                                               const RevisionManifests& changed, const std::string& base,
                                               const std::string& revision) {
  const bool deletes = std::any_of(plan.objects.begin(), plan.objects.end(),
                                   [](const ObjectChange& change) { return change.fate == Fate::Deleted; });
  if (!deletes) return std::map<ObjectKey, std::string>();
  auto all = names_at(view, options, base);
  if (!all) return all.error();
  auto commits = view.git.log("", base, revision, kCommitsMax);
  if (!commits) return commits.error();
  std::vector<std::string> messages;
  for (const CommitInfo& commit : *commits) messages.push_back(commit.message);
  return expected_holds(plan, *all, changed, messages);
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
  const RevisionManifests before = read_revision(sides->before, ns);
  RevisionPlan plan = compare_revisions(before, read_revision(sides->after, ns), *recorded, SystemClock().now());
  auto held = holds(*view, options, plan, before, *base, *revision);
  if (!held) return failed(held.error());
  for (ObjectChange& change : plan.objects)
    if (auto why = held->find(change.key); why != held->end()) change.held = why->second;
  const std::string against = options.has("against") ? options.text("against") : options.text("branch");
  return show(plan,
              {.before = format("{} ({})", against, base->substr(0, 12)),
               .after = format("{} ({})", options.text("revision"), revision->substr(0, 12))},
              options.text("output"));
}

}  // namespace

int plan(const std::vector<std::string>& arguments) { return with_options(plan_syntax(), arguments, work); }

}  // namespace reconciler
