// serin approve, abort, retry, pause, resume: what a person decides, written as a decision file, committed and pushed.
// Whether it still applies is the daemon's to say; the file is bound to the revision, and where it matters to the step,
// that the person saw.
#include <iostream>

#include "base/format.h"
#include "cli/commands.h"
#include "cli/decision.h"
#include "cli/git_credentials.h"
#include "cli/git_view.h"
#include "daemon/system_clock.h"
#include "git/shared_branch.h"
#include "manifest/policy_file.h"
#include "manifest/status_file.h"
#include "rollout/decisions.h"
#include "rollout/policy.h"

namespace reconciler {
namespace {

struct DecisionCommand {
  std::string_view name;
  Verb verb;
  std::string_view summary;
};

Syntax decision_syntax(const DecisionCommand& command) {
  Syntax out{.usage = format("serin {} [NAMESPACE/]NAME [OPTIONS]", command.name),
             .summary = std::string(command.summary),
             .operands_least = 1,
             .operands_most = 1};
  for (Option& option : git_view_options())
    if (option.name != "output") out.options.push_back(std::move(option));
  out.options.push_back({.name = "reason", .operand = "TEXT", .help = "why, for the record"});
  out.options.push_back({.name = "author", .operand = "NAME", .help = "`Name <email>`; else as Git is configured"});
  out.options.push_back(
      {.name = "decisions-directory", .operand = "DIR", .help = "where decisions lie", .otherwise = "decisions"});
  out.options.push_back({.name = "signing-key-file",
                         .operand = "FILE",
                         .help = "ssh key to sign the commit with, as git commit -S would"});
  if (command.verb == Verb::Promote)
    out.options.push_back(
        {.name = "full", .help = "skip all that is left, not only the present step", .type = FlagOption{}});
  return out;
}

Result<StatusEntry> entry_named(const GitView& view, const std::string& name) {
  auto entries = statuses_at(view, view.status_tip);
  if (entries) entries = named(std::move(*entries), name);
  if (!entries) return entries.error();
  if (entries->size() > 1) return invalid(format("{} is on several clusters: say which with --cluster-name", name));
  return std::move(entries->front());
}

/// Who made the change, as far as the status tells: the author of the commit that asked for it.
std::vector<Person> change_of(const GitView& view, const Status& status) {
  auto commit = view.git.commit(status.commit);
  return commit ? std::vector<Person>{{.author = commit->author}} : std::vector<Person>{};
}

/// Why the daemon would ignore this decision, by the policy on the branch as it is known here; empty when it would not.
/// Whose key signs is not known here, so a key is taken for any of the signers.
std::string foreseen_refusal(const GitView& view, const Options& options, const StatusEntry& entry,
                             const RolloutDecision& decision, const std::string& author) {
  const std::string path = policy_path(options.text("decisions-directory"));
  auto text = view.git.file(view.branch, path, kPolicyBytesMax);
  if (!text) return text.error().message;
  if (!*text) return "";
  const PolicyFile file = read_policy(path, **text);
  if (!file.problems.empty()) return "the policy cannot be read: " + file.problems.front().text();
  const bool is_signed = options.has("signing-key-file");
  std::vector<std::string> signers = {""};
  for (const PolicyRule& rule : file.policy.rules)
    if (is_signed) signers.insert(signers.end(), rule.signers.begin(), rule.signers.end());
  std::string why;
  for (const std::string& signer : signers) {
    why = refusal(file.policy, {.rollout = entry.rollout,
                                .verb = decision.verb,
                                .by = {.author = author, .signer = signer},
                                .unsigned_because = "give --signing-key-file",
                                .change = change_of(view, entry.status)});
    if (why.empty()) break;
  }
  const auto freeze = open_freeze(file.policy.freezes, entry.rollout, SystemClock().now());
  if (!why.empty() || !freeze || !goes_forward(decision.verb) || is_signed) return why;
  return frozen_text(*freeze) + "; only a signed decision passes: give --signing-key-file";
}

/// Done, in words; or what went wrong.
Result<std::string> decide(const DecisionCommand& command, const Options& options) {
  Result<GitView> view = open_git_view(options);
  if (!view) return view.error();
  Result<StatusEntry> entry = entry_named(*view, options.operands().front());
  if (!entry) return entry.error();
  const Verb verb = command.verb == Verb::Promote && options.flag("full") ? Verb::PromoteFull : command.verb;
  Result<RolloutDecision> decision = decision_about(*entry, verb, options.text("reason"));
  if (!decision) return decision.error();

  Result<RemoteOptions> access = remote_options(options);
  if (!access) return access.error();
  Result<std::string> url =
      options.has("repo") ? Result<std::string>(options.text("repo")) : SharedBranch::url_of(view->git);
  if (!url) return url.error();
  Result<std::string> author =
      options.has("author") ? Result<std::string>(options.text("author")) : configured_identity(view->git);
  if (!author) return author.error();
  auto branch = SharedBranch::of(view->git, *url, options.text("branch"), PlainHttp::LoopbackOnly, *access);
  if (!branch) return branch.error();
  std::optional<CommitSigner> signer;
  if (options.has("signing-key-file")) signer.emplace(options.text("signing-key-file"));
  const std::string foreseen = foreseen_refusal(*view, options, *entry, *decision, *author);
  if (!foreseen.empty()) std::cerr << "warning: the daemon will ignore this: " << foreseen << "\n";
  const std::string path = record_path(options.text("decisions-directory"), entry->cluster, entry->rollout);
  auto made = branch->commit({.files = {{path, write_decision(entry->rollout, *decision)}},
                              .message = decision_message(*entry, *decision),
                              .author = *author,
                              .time = SystemClock().now()},
                             signer ? &*signer : nullptr);
  if (!made) return made.error();
  return format("{}\ncommitted {} to {}; the daemon acts on it at its next poll\n", decision_subject(*entry, *decision),
                made->substr(0, 8), options.text("branch"));
}

int run_decision(const DecisionCommand& command, const std::vector<std::string>& arguments) {
  return with_options(decision_syntax(command), arguments, [&](const Options& options) {
    Result<std::string> done = decide(command, options);
    if (!done) return failed(done.error());
    std::cout << *done;
    return 0;
  });
}

}  // namespace

int approve(const std::vector<std::string>& arguments) {
  return run_decision(
      {"approve", Verb::Promote, "Lets a canary go on from the step where it is, or ends an experiment: promote."},
      arguments);
}
int abort(const std::vector<std::string>& arguments) {
  return run_decision({"abort", Verb::Abort,
                       "Takes the traffic from a canary and rejects its revision, or ends an experiment as failed."},
                      arguments);
}
int retry(const std::vector<std::string>& arguments) {
  return run_decision({"retry", Verb::Retry, "Starts a revision again that was rejected or is stuck."}, arguments);
}
int pause(const std::vector<std::string>& arguments) {
  return run_decision({"pause", Verb::Pause, "Holds a canary where it is until it is resumed."}, arguments);
}
int resume(const std::vector<std::string>& arguments) {
  return run_decision({"resume", Verb::Resume, "Lets a paused canary go on."}, arguments);
}

}  // namespace reconciler
