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

bool may_be_replaced(const ObjectKey& key) {
  static constexpr std::array<std::string_view, 6> kNever{"StatefulSet", "PersistentVolumeClaim",    "PersistentVolume",
                                                          "Namespace",   "CustomResourceDefinition", "Rollout"};
  return std::find(kNever.begin(), kNever.end(), key.kind) == kNever.end();
}

std::string immutable_advice(const ObjectKey& key, std::string_view words) {
  return format("{}; take the change back, or delete the live object{}: then it is made anew", words,
                may_be_replaced(key) ? " (`serin.dev/force: enabled` in the manifest does so)" : "");
}

}  // namespace reconciler
