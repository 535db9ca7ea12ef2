#include "daemon/judge.h"

#include <algorithm>

#include "base/format.h"
#include "base/log.h"
#include "manifest/policy_file.h"

namespace reconciler {
namespace {

constexpr size_t kChangeBytesMax = 1 << 20;
/// How far back the commits of one change, and a policy that could be read, are looked for.
constexpr size_t kCommitsAsked = 100;

Result<Policy> parsed_policy(const std::string& path, const std::string& text) {
  PolicyFile file = read_policy(path, text);
  if (!file.problems.empty()) return invalid(file.problems.front().text());
  return std::move(file.policy);
}

/// Does this file ask for the revision from which a change began?
bool asks_for(const std::string& path, const std::string& text, const RolloutKey& key, const std::string& hash,
              const std::string& default_namespace) {
  const ManifestFile file = read_manifests(path, text, default_namespace);
  return std::any_of(file.rollouts.begin(), file.rollouts.end(), [&](const Rollout& rollout) {
    return rollout.key == key && (rollout.hash == hash || rollout.older_hash == hash);
  });
}

bool names(const std::string& path, const std::string& text, const RolloutKey& key,
           const std::string& default_namespace) {
  const ManifestFile file = read_manifests(path, text, default_namespace);
  return std::any_of(file.rollout_lines.begin(), file.rollout_lines.end(),
                     [&](const RolloutAt& rollout) { return rollout.key == key; });
}

/// Who made it: of a merge, whose work it merged. The signature of a merge says nothing about them.
void add_people(const CommitInfo& commit, const Provenance& provenance, std::vector<Person>& out) {
  for (const std::string& writer : provenance.writers)
    out.push_back({writer, writer == commit.author ? provenance.signer : ""});
}

Result<Verdict> find_out(GitRepository& git, const Judge::Question& question, const Policy& policy,
                         const std::vector<CommitInfo>& change) {
  PolicyQuestion asked{.rollout = question.rollout, .verb = question.verb, .by = {.author = question.commit.author}};
  auto by = git.provenance(question.commit.id, question.manifest_path);
  if (!by) return by.error();
  asked.by.signer = by->signer;
  asked.unsigned_because = by->unsigned_because;
  for (const CommitInfo& commit : change) {
    auto people = git.provenance(commit.id, question.manifest_path);
    if (!people) return people.error();
    add_people(commit, *people, asked.change);
  }
  return Verdict{.refusal = refusal(policy, asked), .signer = by->signer};
}

}  // namespace

Result<Policy> Judge::policy_before(const std::string& parent) const {
  if (parent.empty()) return Policy{};
  const std::string path = policy_path(options_.decisions_directory);
  auto text = git_.file(parent, path, kPolicyBytesMax);
  if (!text) return text.error();
  return *text ? parsed_policy(path, **text) : Policy{};
}

void Judge::take_policy(const std::string& commit) {
  const std::string path = policy_path(options_.decisions_directory);
  auto text = git_.file(commit, path, kPolicyBytesMax);
  PolicyFile file;
  if (!text)
    file.problems.push_back({.file = path, .message = text.error().message});
  else if (*text)
    file = read_policy(path, **text);
  problems_ = std::move(file.problems);
  if (problems_.empty()) {
    policy_ = std::move(file.policy);
    return;
  }
  for (const Problem& problem : problems_)
    log_error("the policy cannot be read, so nobody may decide: " + problem.text());
  // The last good one of the history, which need not be the last one seen: several commits may have come at once, and a
  // process that starts now has seen none.
  auto commits = git_.commits_touching(path, "", commit, kCommitsAsked);
  if (!commits) return;
  for (const CommitInfo& each : *commits)
    if (auto before = policy_before(each.parent)) {
      policy_ = *std::move(before);
      return;
    }
}

/// Which file names the rollout before `commit` and no longer does so, or is gone, after it; empty when none is found.
Result<std::string> Judge::moved_from(const CommitInfo& commit, const RolloutKey& rollout) const {
  auto changes = git_.changes(commit.parent, commit.id, options_.path);
  if (!changes) return changes.error();
  for (const TreeChange& change : *changes) {
    if (!change.before || !is_manifest_path(change.path)) continue;
    auto text = git_.read(change.before->blob, kChangeBytesMax);
    if (!text && text.error().kind != ErrorKind::Invalid) return text.error();
    if (text && names(change.path, *text, rollout, options_.default_namespace)) return change.path;
  }
  return std::string();
}

/// The commits that touched the manifest, newest first, back to the stable revision, also while it was another file.
Result<std::vector<CommitInfo>> Judge::commits_since_stable(const Question& question) const {
  std::vector<CommitInfo> out;
  std::string path = question.manifest_path, newest = question.newest;
  while (out.size() < kCommitsAsked) {
    auto commits = git_.commits_touching(path, "", newest, kCommitsAsked - out.size());
    if (!commits) return commits.error();
    bool moved = false;
    for (const CommitInfo& commit : *commits) {
      out.push_back(commit);
      if (commit.parent.empty()) return out;
      auto before = git_.file(commit.parent, path, kChangeBytesMax);
      moved = before && !*before;
      if (moved) {
        auto former = moved_from(commit, question.rollout);
        if (!former) return former.error();
        if (former->empty()) return out;
        path = *std::move(former);
        newest = commit.parent;
        before = git_.file(newest, path, kChangeBytesMax);
      }
      if (!before && before.error().kind != ErrorKind::Invalid) return before.error();
      const bool is_stable =
          before && *before &&
          asks_for(path, **before, question.rollout, question.stable_hash, options_.default_namespace);
      if (is_stable) return out;
      if (moved) break;
    }
    if (!moved) break;
  }
  return out;
}

/// Of these the ones of the change itself: what came later is not what is decided about.
Result<std::vector<CommitInfo>> Judge::change_of(const Question& question) const {
  if (question.change.empty() || question.manifest_path.empty())
    return invalid("it is not known who made the change, and the policy asks for four eyes");
  auto commits = commits_since_stable(question);
  if (!commits) return commits.error();
  auto change = std::find_if(commits->begin(), commits->end(), [&](auto& each) { return each.id == question.change; });
  if (change != commits->end()) commits->erase(commits->begin(), change);
  return commits;
}

Result<std::optional<Verdict>> Judge::ask(const Question& question, std::function<void(Result<Verdict>)> later) {
  auto policy = policy_before(question.commit.parent);
  if (!policy && policy.error().kind != ErrorKind::Invalid) return policy.error();
  if (!policy) return std::optional(Verdict{.refusal = "the policy cannot be read: " + policy.error().message});
  const bool four_eyes = question.verb && policy->asks_for_four_eyes(question.rollout);
  const bool signer = question.signature == Signature::Wanted || policy->asks_for_signer(question.rollout);
  if (!four_eyes && !signer)
    return std::optional(Verdict{
        .refusal = refusal(
            *policy, {.rollout = question.rollout, .verb = question.verb, .by = {.author = question.commit.author}})});
  std::vector<CommitInfo> change;
  if (four_eyes) {
    auto commits = change_of(question);
    if (!commits && commits.error().kind != ErrorKind::Invalid) return commits.error();
    if (!commits) return std::optional(Verdict{.refusal = commits.error().message});
    change = *std::move(commits);
  }
  ++asked_;
  workers_.run(Lane::Cluster, [this, question, policy = *policy, change, later = std::move(later)]() -> Completion {
    auto verdict = find_out(git_, question, policy, change);
    if (!verdict && verdict.error().kind == ErrorKind::Invalid) verdict = Verdict{.refusal = verdict.error().message};
    return [this, verdict, later] {
      --asked_;
      later(verdict);
    };
  });
  return std::optional<Verdict>();
}

}  // namespace reconciler
