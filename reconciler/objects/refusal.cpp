#include "objects/refusal.h"

#include <algorithm>
#include <array>

#include "base/format.h"

namespace reconciler {

bool is_immutable_refusal(std::string_view words) {
  static constexpr std::array<std::string_view, 6> kSigns{
      "field is immutable",      "is immutable",          "are immutable",
      "may not change once set", "cannot change roleRef", "updates to statefulset spec for fields other than"};
  return std::any_of(kSigns.begin(), kSigns.end(), [&](auto sign) { return words.find(sign) != words.npos; });
}

std::string immutable_advice(std::string_view words) {
  return format("{}; take the change back, or delete the live object: then it is made anew", words);
}

}  // namespace reconciler
