// What of the remote is watched: a branch, a tag, the highest tag of a range, or one fixed commit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "git/remote.h"
#include "git/semver.h"

namespace reconciler {

enum class RefKind { Branch, Tag, TagRange, Commit };

/// As a person says it: `main`, `v1.2.3`, `>=1.2 <2`, 40 hex digits.
struct RefName {
  RefKind kind = RefKind::Branch;
  std::string name = "main";
};

/// The full name of a branch; `Invalid` when no branch can have it.
Result<std::string> full_branch_name(const std::string& branch);

class WatchedRef {
 public:
  static Result<WatchedRef> parse(const RefName& watched);

  RefKind kind() const { return watched_.kind; }
  /// `refs/heads/main`; for a range `tags in >=1.2 <2`; for a commit its id: how messages name it.
  const std::string& text() const { return text_; }

  struct Choice {
    std::vector<std::string> fetch;  ///< the refs that bring the commit
    std::string commit;
  };
  /// What it stands for in this listing; nothing when it is not there.
  std::optional<Choice> choose(const RefListing& refs) const;

  /// Whether leaving `from` for what was chosen is what is expected of this kind without any look at the history: for a
  /// range, another tag than the one before is chosen all the time.
  bool may_leave(const RefListing& refs, const std::string& from) const;

  /// What a push must have touched to concern us: full names, or, with / at their end, all below.
  std::vector<std::string> refs_of_interest() const;

 private:
  std::optional<Choice> highest(const RefListing& refs) const;

  RefName watched_;
  std::string text_;
  std::optional<VersionRange> range_;
};

}  // namespace reconciler
