// What Serin writes on objects of the cluster, and what people write there for Serin: labels and annotations.
#pragma once

#include <string_view>

namespace reconciler {

/// Whose object it is: the value is `--owner`.
inline constexpr std::string_view kOwnerLabel = "serin.dev/owner";
/// `disabled`: the object stays when its manifest goes; `allow`: it may go although its kind is held.
inline constexpr std::string_view kPruneMark = "serin.dev/prune";

}  // namespace reconciler
