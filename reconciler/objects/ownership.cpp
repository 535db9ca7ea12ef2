#include "objects/ownership.h"

#include "base/format.h"
#include "base/labels.h"

namespace reconciler {

std::string owner_of(const Json& live) { return text_at(live, {"metadata", "labels", kOwnerLabel}); }

std::string claimed_by_another(const Json& live, std::string_view owner) {
  const std::string theirs = owner_of(live);
  if (theirs.empty() || theirs == owner) return "";
  return format(
      "it belongs to the owner {}, and this one is {}: take it out of one repository, or hand it over with "
      "`kubectl label --overwrite ... {}={}`",
      theirs, owner, kOwnerLabel, owner);
}

}  // namespace reconciler
