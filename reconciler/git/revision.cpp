#include "git/revision.h"

#include <git2.h>

#include <optional>

#include "base/format.h"
#include "git/library.h"

namespace reconciler {
namespace {

constexpr size_t abbreviation_min = 4;
constexpr size_t generations_digits_max = 6;

struct Revision {
  std::string name;
  unsigned generations = 0;
};

/// `name~N` taken apart; nothing when N is not a small number.
std::optional<Revision> split_generations(const std::string& text) {
  auto tilde = text.find('~');
  if (tilde == text.npos) return Revision{text, 0};
  auto digits = text.substr(tilde + 1);
  if (digits.empty()) return Revision{text.substr(0, tilde), 1};
  if (digits.size() > generations_digits_max || digits.find_first_not_of("0123456789") != digits.npos) return {};
  return Revision{text.substr(0, tilde), static_cast<unsigned>(std::stoul(digits))};
}

Owned<git_commit> find_by_ref(git_repository& repository, const std::string& name) {
  Owned<git_commit> commit;
  for (const char* prefix : {"", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/", "refs/remotes/origin/"}) {
    std::string full = prefix + name;
    int valid = 0;
    if (git_reference_name_is_valid(&valid, full.c_str()) < 0 || !valid) continue;
    if (*prefix == '\0' && name != "HEAD" && name.rfind("refs/", 0) != 0) continue;
    Owned<git_reference> ref;
    if (git_reference_lookup(fill(ref), &repository, full.c_str()) < 0) continue;
    Owned<git_object> object;
    if (git_reference_peel(fill(object), ref.get(), GIT_OBJECT_COMMIT) < 0) continue;
    if (git_commit_lookup(fill(commit), &repository, git_object_id(object.get())) == 0) return commit;
  }
  return commit;
}

Result<Owned<git_commit>> find_by_id(git_repository& repository, const std::string& digits) {
  Owned<git_commit> commit;
  git_oid id{};
  bool is_id = digits.size() >= abbreviation_min && digits.size() <= GIT_OID_HEXSZ &&
               digits.find_first_not_of("0123456789abcdefABCDEF") == digits.npos &&
               git_oid_fromstrn(&id, digits.data(), digits.size()) == 0;
  if (!is_id) return commit;
  int code = git_commit_lookup_prefix(fill(commit), &repository, &id, digits.size());
  if (code == GIT_EAMBIGUOUS) return invalid(format("revision {}: several objects begin with it", digits));
  return commit;  // not found: left to the caller
}

}  // namespace

Result<std::string> resolve_revision(git_repository& repository, const std::string& name) {
  auto revision = split_generations(name);
  if (!revision) return invalid(format("revision {}: not a number after ~", name));
  auto commit = find_by_ref(repository, revision->name);
  if (!commit) {
    auto found = find_by_id(repository, revision->name);
    if (!found) return found.error();
    commit = std::move(*found);
  }
  if (!commit) return invalid(format("revision {}: no such branch, tag or commit", name));
  for (unsigned i = 0; i < revision->generations; i++) {
    Owned<git_commit> parent;
    if (git_commit_parent(fill(parent), commit.get(), 0) < 0)
      return invalid(format("revision {}: the history ends after {} commits", name, i + 1));
    commit = std::move(parent);
  }
  return id_text(*git_commit_id(commit.get()));
}

}  // namespace reconciler
