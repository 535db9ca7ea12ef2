#include "git/watched_ref.h"

#include <git2.h>

#include "base/format.h"
#include "git/library.h"

namespace reconciler {
namespace {

constexpr std::string_view kTags = "refs/tags/";
constexpr std::string_view kPeeled = "^{}";

bool is_valid_name(const std::string& name) {
  int valid = 0;
  return git_reference_name_is_valid(&valid, name.c_str()) == 0 && valid;
}

/// The commit behind a ref: what an annotated tag is about, not the tag itself.
std::optional<std::string> peeled(const RefListing& refs, const std::string& name) {
  auto found = refs.find(name + std::string(kPeeled));
  if (found == refs.end()) found = refs.find(name);
  return found == refs.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Version> version_of_tag(const std::string& ref) {
  if (!ref.starts_with(kTags) || ref.ends_with(kPeeled)) return std::nullopt;
  return parse_version(std::string_view(ref).substr(kTags.size()));
}

}  // namespace

Result<std::string> full_branch_name(const std::string& branch) {
  std::string name = branch.starts_with("refs/") ? branch : "refs/heads/" + branch;
  if (branch.empty() || !is_valid_name(name) || !name.starts_with("refs/heads/"))
    return invalid(format("branch {}: not a valid branch name", branch));
  return name;
}

Result<WatchedRef> WatchedRef::parse(const RefName& watched) {
  WatchedRef ref;
  ref.watched_ = watched;
  switch (watched.kind) {
    case RefKind::Branch: {
      auto name = full_branch_name(watched.name);
      if (!name) return name.error();
      ref.text_ = *name;
      return ref;
    }
    case RefKind::Tag:
      ref.text_ = watched.name.starts_with(kTags) ? watched.name : std::string(kTags) + watched.name;
      if (watched.name.empty() || !is_valid_name(ref.text_))
        return invalid(format("tag {}: not a valid tag name", watched.name));
      return ref;
    case RefKind::TagRange: {
      auto range = VersionRange::parse(watched.name);
      if (!range) return range.error();
      ref.range_ = *range;
      ref.text_ = "tags in " + watched.name;
      return ref;
    }
    case RefKind::Commit:
      if (!is_full_id(watched.name))
        return invalid(format("commit {}: must be a full id of 40 hex digits", watched.name));
      ref.text_ = watched.name;
      return ref;
  }
  unreachable();
}

std::optional<WatchedRef::Choice> WatchedRef::choose(const RefListing& refs) const {
  switch (watched_.kind) {
    case RefKind::Branch:
    case RefKind::Tag: {
      auto commit = peeled(refs, text_);
      if (!commit) return std::nullopt;
      return Choice{{text_}, *commit};
    }
    case RefKind::TagRange: return highest(refs);
    case RefKind::Commit: {
      // Servers hand out what refs reach, not any id; which ref reaches this one nobody knows.
      Choice choice{{}, watched_.name};
      for (const auto& [name, id] : refs)
        if ((name.starts_with("refs/heads/") || name.starts_with(kTags)) && !name.ends_with(kPeeled))
          choice.fetch.push_back(name);
      return choice;
    }
  }
  unreachable();
}

/// Of two names for one version (`1.2.0` and `v1.2.0`) the later in the alphabet, so that the choice is always the
/// same.
std::optional<WatchedRef::Choice> WatchedRef::highest(const RefListing& refs) const {
  std::optional<Version> best;
  std::string name;
  for (const auto& [ref, id] : refs) {
    auto version = version_of_tag(ref);
    if (!version || !range_->contains(*version) || (best && compare(*version, *best) < 0)) continue;
    best = version;
    name = ref;
  }
  if (!best) return std::nullopt;
  return Choice{{name}, *peeled(refs, name)};
}

bool WatchedRef::may_leave(const RefListing& refs, const std::string& from) const {
  if (watched_.kind != RefKind::TagRange) return watched_.kind == RefKind::Commit;
  for (const auto& [ref, id] : refs)
    if (auto version = version_of_tag(ref); version && range_->contains(*version) && peeled(refs, ref) == from)
      return true;
  return false;  // the tag that we followed was moved or deleted
}

std::vector<std::string> WatchedRef::refs_of_interest() const {
  switch (watched_.kind) {
    case RefKind::Branch:
    case RefKind::Tag: return {text_};
    case RefKind::TagRange: return {std::string(kTags)};
    case RefKind::Commit: return {"refs/"};
  }
  unreachable();
}

}  // namespace reconciler
