#include "git/shared_branch.h"

#include <git2.h>

#include <memory>
#include <utility>

#include "base/format.h"
#include "git/library.h"
#include "git/status_commits.h"

namespace reconciler {
namespace {

constexpr int kPushTries = 10;

/// `git@host:path`, as Git writes ssh addresses for short; other texts come back as they are.
std::string spelled_out(const std::string& url) {
  const size_t colon = url.find(':'), at = url.find('@'), slash = url.find('/');
  const bool is_short = at != url.npos && colon != url.npos && at < colon && (slash == url.npos || colon < slash);
  return is_short ? "ssh://" + url.substr(0, colon) + "/" + url.substr(colon + 1) : url;
}

/// A clone should know at once what it pushed, as `git push` would tell it.
void note_pushed(git_repository& repository, const std::string& branch, const std::string& commit) {
  const std::string ref = "refs/remotes/origin/" + branch;
  git_oid present{};
  if (git_reference_name_to_id(&present, &repository, ref.c_str()) < 0) return;  // not such a clone
  const git_oid id = id_from(commit);
  Owned<git_reference> moved;
  // Only a convenience: the next fetch sets it anyway.
  git_reference_create(fill(moved), &repository, ref.c_str(), &id, 1, "serin: push");
}

}  // namespace

SharedBranch::SharedBranch(const GitHistory& history, Remote remote, std::string branch)
    : history_(history), remote_(std::move(remote)), ref_("refs/heads/" + branch), branch_(std::move(branch)) {}

Result<std::string> SharedBranch::url_of(const GitHistory& history) {
  git_repository& repository = history.repository();
  // Not by git_remote_lookup: its look-up of url.insteadOf leaks in libgit2 1.5.
  git_config* config = nullptr;
  if (git_repository_config_snapshot(&config, &repository) < 0) return library_error("the repository's configuration");
  const std::unique_ptr<git_config, decltype(&git_config_free)> held(config, &git_config_free);
  const char* origin = nullptr;
  if (git_config_get_string(&origin, config, "remote.origin.url") == 0) return spelled_out(origin);
  return std::string(git_repository_path(&repository));
}

Result<SharedBranch> SharedBranch::of(const GitHistory& history, const std::string& url, const std::string& branch,
                                      PlainHttp plain_http, const RemoteOptions& options) {
  auto address = parse_address(url, plain_http);
  if (!address) return address.error();
  return SharedBranch(history, Remote(*address, options), branch);
}

Result<std::string> SharedBranch::commit(const NewCommit& commit, const CommitSigner* signer) {
  git_repository& repository = history_.repository();
  auto identity = parse_identity(commit.author);
  if (!identity) return identity.error();
  auto updates = store_files(repository, commit.files);
  if (!updates) return updates.error();
  for (int tries = 0; tries < kPushTries; ++tries) {
    std::string tip;
    {
      auto session = remote_.open(repository);
      if (!session) return session.error();
      auto ref = session->refs().find(ref_);
      if (ref == session->refs().end())
        return invalid(format("{} has no branch {} (say which with --branch)", remote_.address().url, branch_));
      tip = ref->second;
      if (auto fetched = session->fetch({ref_}); !fetched) return fetched.error();
    }
    auto made = commit_updates(repository, tip, *updates, *identity, commit.time, commit.message, signer);
    if (!made || *made == tip) return made;
    auto pushed = remote_.push(repository, *made, ref_, tip);
    if (pushed) {
      note_pushed(repository, branch_, *made);
      return made;
    }
    if (pushed.error().kind != ErrorKind::Conflict) return pushed.error();
  }
  return conflict(format("{} was moved by others again and again: try once more", branch_));
}

Result<std::string> configured_identity(const GitHistory& history) {
  Owned<git_signature> signature;
  if (git_signature_default(fill(signature), &history.repository()) < 0)
    return invalid("git does not know who you are: set user.name and user.email with git config, or give --author");
  return format("{} <{}>", signature.get()->name, signature.get()->email);
}

}  // namespace reconciler
