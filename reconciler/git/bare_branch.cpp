#include "git/bare_branch.h"

#include <git2.h>

#include "base/format.h"
#include "git/handle.h"
#include "git/library.h"
#include "git/status_commits.h"

namespace reconciler {
namespace {

/// Somebody else may commit at the same time; then ours is made again on theirs.
constexpr int kTries = 20;

}  // namespace

struct BareBranch::Parts {
  Owned<git_repository> repository;
  std::string ref;
};

BareBranch::BareBranch(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
BareBranch::BareBranch(BareBranch&&) noexcept = default;
BareBranch::~BareBranch() = default;

Result<BareBranch> BareBranch::create(const std::string& path, const std::string& branch) {
  set_up_git_library();
  auto parts = std::make_unique<Parts>();
  git_repository_init_options options = GIT_REPOSITORY_INIT_OPTIONS_INIT;
  options.flags = GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_NO_REINIT | GIT_REPOSITORY_INIT_MKPATH;
  options.initial_head = branch.c_str();
  if (git_repository_init_ext(fill(parts->repository), path.c_str(), &options) < 0)
    return library_error(format("cannot make a repository at {}", path));
  parts->ref = "refs/heads/" + branch;
  return BareBranch(std::move(parts));
}

Result<std::string> BareBranch::commit(const std::map<std::string, std::optional<std::string>>& files,
                                       const std::string& message, const std::string& author, TimePoint time) {
  git_repository& repository = *parts_->repository;
  auto identity = parse_identity(author);
  if (!identity) return identity.error();
  auto updates = store_files(repository, files);
  if (!updates) return updates.error();
  for (int tries = 0; tries < kTries; ++tries) {
    git_oid tip{};
    const bool exists = git_reference_name_to_id(&tip, &repository, parts_->ref.c_str()) == 0;
    auto made = commit_updates(repository, exists ? id_text(tip) : "", *updates, *identity, time, message);
    if (!made) return made.error();
    const git_oid id = id_from(*made), none{};
    Owned<git_reference> moved;
    const int code = git_reference_create_matching(fill(moved), &repository, parts_->ref.c_str(), &id, 1,
                                                   exists ? &tip : &none, message.c_str());
    if (code == 0) return *made;
    if (code != GIT_EMODIFIED && code != GIT_ELOCKED) return library_error(format("cannot move {}", parts_->ref));
  }
  return conflict(format("{} was moved by others again and again", parts_->ref));
}

}  // namespace reconciler
