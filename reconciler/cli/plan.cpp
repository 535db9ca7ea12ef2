// serin plan: what merging a revision would change, for reviewers and pull requests.
#include <algorithm>
#include <iostream>
#include <memory>

#include "base/format.h"
#include "cli/cluster_plan.h"
#include "cli/commands.h"
#include "cli/git_view.h"
#include "cli/prune_forecast.h"
#include "cli/revision_files.h"
#include "cluster/kubeconfig.h"
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
      {.name = "namespace", .operand = "NAME", .help = "for objects that name none (default: the context's)"});
  out.options.push_back(
      {.name = "decisions-directory", .operand = "DIR", .help = "where decisions lie", .otherwise = "decisions"});
  out.options.push_back({.name = "kubeconfig",
                         .operand = "FILE",
                         .help = "ask this cluster, by reads and dry runs, what would become of its objects"});
  out.options.push_back(
      {.name = "context", .operand = "NAME", .help = "the same, by a context of $KUBECONFIG or ~/.kube/config"});
  out.options.push_back({.name = "allow-exec-plugin",
                         .help = "run the program that the kubeconfig names to get a token",
                         .type = FlagOption{}});
  out.options.push_back(
      {.name = "owner", .operand = "NAME", .help = "of the daemon that is planned for", .otherwise = "serin"});
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

/// Every manifest of a revision, by path.
Result<std::map<std::string, ManifestFile>> manifests_at(const GitView& view, const Options& options,
                                                         const std::string& revision, const std::string& ns) {
  const std::string directory = options.text("path") == "." ? "" : options.text("path");
  auto files = view.git.files(revision, directory, kFileBytesMax);
  if (!files) return files.error();
  std::map<std::string, ManifestFile> out;
  for (const HistoryFile& each : *files)
    if (is_manifest_path(each.path) && !is_record(view, options, each.path))
      out.emplace(each.path, read_manifests(each.path, each.content, ns));
  return out;
}

/// Everything that a revision names and that a daemon would hold in its inventory.
std::set<ObjectKey> names_in(const std::map<std::string, ManifestFile>& files) {
  std::set<ObjectKey> out;
  for (const auto& [path, file] : files) {
    for (const PlainObject& object : file.objects) out.insert(object.key);
    for (const RolloutAt& rollout : file.rollout_lines)
      out.insert({"argoproj.io", rollout.kind, rollout.key.ns, rollout.key.name});
  }
  return out;
}

/// The cluster that was asked for, and where it was found.
struct Asked {
  std::unique_ptr<RehearsedCluster> cluster;
  std::string from;
  std::string default_namespace = "default";
};

/// Without being told to, no cluster is asked.
Result<Asked> open_cluster(const Options& options, Clock& clock) {
  if (!options.has("kubeconfig") && !options.has("context"))
    return Asked{.default_namespace = options.has("namespace") ? options.text("namespace") : "default"};
  auto access =
      find_cluster({.kubeconfig = options.text("kubeconfig"),
                    .context = options.text("context"),
                    .exec_plugins = options.flag("allow-exec-plugin") ? ExecPlugins::Allowed : ExecPlugins::Refused});
  if (!access) return access.error();
  access->http.user_agent = std::string("serin/") + SERIN_VERSION;
  if (access->exec) access->http.tokens = std::make_shared<ExecTokens>(*access->exec, clock);
  const std::string ns = options.has("namespace") ? options.text("namespace") : access->default_namespace;
  auto cluster = RehearsedCluster::open(access->http, options.text("owner"), ns);
  if (!cluster) return cluster.error();
  return Asked{.cluster = *std::move(cluster), .from = access->from, .default_namespace = ns};
}

/// The two revisions that are compared.
struct Compared {
  std::string base;
  std::string revision;
  RevisionManifests before;  ///< of the files that differ
  RevisionManifests after;
};

/// What would be held of the objects that the plan deletes.
Result<std::map<ObjectKey, std::string>> holds(const GitView& view, const Options& options, const RevisionPlan& plan,
                                               const Compared& compared, const std::map<ObjectKey, Json>& live,
                                               const std::string& ns) {
  const bool deletes = std::any_of(plan.objects.begin(), plan.objects.end(),
                                   [](const ObjectChange& change) { return change.fate == Fate::Deleted; });
  if (!deletes) return std::map<ObjectKey, std::string>();
  auto all = manifests_at(view, options, compared.base, ns);
  if (!all) return all.error();
  auto commits = view.git.log("", compared.base, compared.revision, kCommitsMax);
  if (!commits) return commits.error();
  std::vector<std::string> messages;
  for (const CommitInfo& commit : *commits) messages.push_back(commit.message);
  return expected_holds(plan, names_in(*all), compared.before, messages, live, options.text("owner"));
}

/// The live objects of what would be deleted; none when no cluster is asked.
Result<std::map<ObjectKey, Json>> ask(const Asked& asked, const GitView& view, const Options& options,
                                      const Compared& compared, const std::map<RolloutKey, Status>& recorded,
                                      TimePoint now, RevisionPlan& plan) {
  if (!asked.cluster) return std::map<ObjectKey, Json>();
  auto files = manifests_at(view, options, compared.revision, asked.default_namespace);
  if (!files) return files.error();
  DesiredState desired;
  for (auto& [path, file] : *files) desired.put(path, std::move(file));
  return ask_cluster(*asked.cluster,
                     {.before = compared.before,
                      .after = compared.after,
                      .desired = desired,
                      .recorded = recorded,
                      .owner = options.text("owner"),
                      .now = now},
                     plan);
}

int show(const RevisionPlan& plan, const RevisionNames& names, const std::string& form) {
  if (form == "json") {
    std::cout << plan_json(plan, names).dump(2) << "\n";
  } else {
    std::cout << (form == "markdown" ? plan_markdown(plan, names) : plan_text(plan, names));
  }
  return plan.problems.empty() ? 0 : 1;
}

Result<Compared> compared_revisions(const GitView& view, const Options& options, const std::string& ns) {
  Result<std::string> revision = view.git.resolve(options.text("revision"));
  if (!revision) return revision.error();
  Result<std::string> base = options.has("against") ? view.git.resolve(options.text("against")) : view.branch;
  if (!base) return base.error();
  Result<Sides> sides = changed_files(view, options, *base, *revision);
  if (!sides) return sides.error();
  return Compared{.base = *base,
                  .revision = *revision,
                  .before = read_revision(sides->before, ns),
                  .after = read_revision(sides->after, ns)};
}

int work(const Options& options) {
  SystemClock clock;
  Result<GitView> view = open_git_view(options);
  if (!view) return failed(view.error());
  Result<Asked> asked = open_cluster(options, clock);
  if (!asked) return failed(asked.error());
  const std::string ns = asked->default_namespace;
  Result<Compared> compared = compared_revisions(*view, options, ns);
  if (!compared) return failed(compared.error());
  auto recorded = recorded_statuses(*view);
  if (!recorded) return failed(recorded.error());
  RevisionPlan plan = compare_revisions(compared->before, compared->after, *recorded, clock.now());
  auto live = ask(*asked, *view, options, *compared, *recorded, clock.now(), plan);
  if (!live) return failed(live.error());
  auto held = holds(*view, options, plan, *compared, *live, ns);
  if (!held) return failed(held.error());
  for (ObjectChange& change : plan.objects)
    if (auto why = held->find(change.key); why != held->end()) change.held = why->second;
  const std::string against = options.has("against") ? options.text("against") : options.text("branch");
  return show(plan,
              {.before = format("{} ({})", against, compared->base.substr(0, 12)),
               .after = format("{} ({})", options.text("revision"), compared->revision.substr(0, 12)),
               .cluster = asked->from},
              options.text("output"));
}

}  // namespace

int plan(const std::vector<std::string>& arguments) { return with_options(plan_syntax(), arguments, work); }

}  // namespace reconciler
