#include "objects/refusal.h"

#include <algorithm>
#include <array>

#include "base/format.h"
#include "objects/marks.h"

namespace reconciler {

bool is_immutable_refusal(std::string_view words) {
  static constexpr std::array<std::string_view, 6> kSigns{
      "field is immutable",      "is immutable",          "are immutable",
      "may not change once set", "cannot change roleRef", "updates to statefulset spec for fields other than"};
  return std::any_of(kSigns.begin(), kSigns.end(), [&](auto sign) { return words.find(sign) != words.npos; });
}

std::string immutable_advice(std::string_view words, std::string_view kind) {
  if (is_irreplaceable(kind))
    return format("{}; a {} is never deleted to be made anew: do that by hand, or take the change back", words, kind);
  return format("{}; take the change back, or allow to delete it and make it anew with serin.dev/force: enabled",
                words);
}

}  // namespace reconciler
