// serin verify: is the recorded history whole and ours? Reads every commit that touched status files, oldest first.
#include <iostream>
#include <utility>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/git_view.h"
#include "cli/record_check.h"

namespace reconciler {
namespace {

constexpr size_t kStatusFileBytesMax = size_t(1) << 20;

Syntax verify_syntax() {
  Syntax out{
      .usage = "serin verify [OPTIONS]",
      .summary = "Checks that the recorded history has no gap, no edit and no forged commit; exit 1 when it has.",
      .options = git_view_options()};
  out.options.push_back({.name = "author",
                         .operand = "NAME",
                         .help = "who the daemon commits as",
                         .otherwise = "Serin <serin@localhost>"});
  out.options.push_back({.name = "allowed-signers-file",
                         .operand = "FILE",
                         .help = "every status commit must be signed by one of these ssh keys"});
  out.options.push_back(
      {.name = "keyring-file", .operand = "FILE", .help = "or by one of these OpenPGP keys (gpg --export)"});
  return out;
}

/// What a commit did below the status directory, or pretends to have done; nothing for all others.
Result<std::optional<StatusCommit>> read_commit(const GitView& view, CommitInfo info, const std::string& parent) {
  auto changed = view.git.changed(info.id, view.status_directory);
  if (!changed) return changed.error();
  StatusCommit out{.info = std::move(info), .files = {}, .other_paths = {}};
  if (!*changed) return read_recorded(out.info) ? std::optional(std::move(out)) : std::nullopt;
  // Without a parent it is the root, and everything in it is new.
  auto changes = view.git.changes(parent, out.info.id, "");
  if (!changes) return changes.error();
  for (const TreeChange& change : *changes) {
    if (!change.path.starts_with(view.status_directory + "/")) {
      out.other_paths.push_back(change.path);
      continue;
    }
    StatusFileChange file{.path = change.path, .content = {}};
    if (change.after) {
      auto content = view.git.read(change.after->blob, kStatusFileBytesMax);
      if (!content) return content.error();
      file.content = std::move(*content);
    }
    out.files.push_back(std::move(file));
  }
  return std::optional(std::move(out));
}

Json findings_json(const RecordCheck& check, const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings)
    list.push_back({{"commit", finding.commit}, {"about", finding.about}, {"what", finding.what}});
  return {{"commits", check.commits()}, {"rollouts", check.rollouts()}, {"findings", std::move(list)}};
}

int print_findings(const Options& options, const RecordCheck& check, const std::vector<Finding>& findings) {
  if (options.text("output") == "json") {
    std::cout << findings_json(check, findings).dump(2) << "\n";
  } else if (findings.empty()) {
    std::cout << format("{} status commits of {} rollouts: whole and in order\n", check.commits(), check.rollouts());
  } else {
    for (const Finding& finding : findings)
      std::cout << format("{} {}: {}\n", finding.commit.substr(0, 12), finding.about, finding.what);
  }
  return findings.empty() ? 0 : 1;
}

int verify_with(const Options& options) {
  Result<GitView> view = open_git_view(options);
  if (!view) return failed(view.error());
  const SignerFiles signers{.allowed_signers_file = options.text("allowed-signers-file"),
                            .keyring_file = options.text("keyring-file")};
  auto walk = view->git.walk_from_root(view->status_tip);
  if (!walk) return failed(walk.error());
  RecordCheck check(view->status_directory, options.text("author"));
  std::vector<Finding> unsigned_ones;
  std::string parent;
  while (true) {
    auto info = walk->next();
    if (!info) return failed(info.error());
    if (!*info) break;
    const std::string id = (*info)->id;
    auto commit = read_commit(*view, **std::move(info), std::exchange(parent, id));
    if (!commit) return failed(commit.error());
    if (!*commit) continue;
    check.look_at(**commit);
    if (signers.empty()) continue;
    auto good = view->git.check_signature(id, signers);
    if (!good && good.error().kind != ErrorKind::Invalid) return failed(good.error());
    if (!good) unsigned_ones.push_back({id, subject_of((*commit)->info.message), good.error().message});
  }
  std::vector<Finding> findings = check.findings();
  findings.insert(findings.end(), unsigned_ones.begin(), unsigned_ones.end());
  return print_findings(options, check, findings);
}

}  // namespace

int verify(const std::vector<std::string>& arguments) { return with_options(verify_syntax(), arguments, verify_with); }

}  // namespace reconciler
