// What most routers have in common: a list of destinations, each with a name and a weight.
#pragma once

#include <string>
#include <string_view>

#include "rollout/routing.h"

namespace reconciler {

/// Where such a list keeps its names, and what a destination without a weight has.
struct WeightedListForm {
  std::string_view name_field;
  int64_t absent_weight = 1;
};

/// Does the list lead to this Service?
bool leads_to(const Json& list, const WeightedListForm& form, const std::string& service);

/// How the list shares traffic; `Invalid`, beginning with `place`, when a side is missing.
Result<Split> split_of(const Json& list, const WeightedListForm& form, const Traffic& sides, const std::string& place);

/// `list` with the wanted weights of the two sides; the others keep theirs, as parts of the whole or, with
/// maxTrafficWeight, beside it. `Invalid` when they leave no room.
Result<Json> with_split(Json list, const WeightedListForm& form, const Rollout& rollout, const Traffic& traffic,
                        const std::string& place);

}  // namespace reconciler
