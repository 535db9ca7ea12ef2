#include "rollout/weighted_list.h"

#include "base/format.h"

namespace reconciler {
namespace {

struct ListSides {
  std::optional<size_t> stable, canary;
  int64_t others = 0;
};

int64_t item_weight(const Json& item, const WeightedListForm& form) {
  return reckoned_weight(integer_at(item, {"weight"}), form.absent_weight);
}

ListSides sides_in(const Json& list, const WeightedListForm& form, const Traffic& sides) {
  ListSides out;
  for (size_t i = 0; list.is_array() && i < list.size(); ++i) {
    const std::string name = text_at(list[i], {form.name_field});
    if (name == sides.stable.service && !out.stable) {
      out.stable = i;
    } else if (name == sides.canary.service && !out.canary) {
      out.canary = i;
    } else {
      out.others += item_weight(list[i], form);
    }
  }
  return out;
}

Result<ListSides> both_sides_of(const Json& list, const WeightedListForm& form, const Traffic& sides,
                                const std::string& place) {
  ListSides out = sides_in(list, form, sides);
  if (!out.stable) return invalid(format("{} has no destination {}", place, sides.stable.service));
  if (!out.canary) return invalid(format("{} has no destination {}", place, sides.canary.service));
  return out;
}

}  // namespace

bool leads_to(const Json& list, const WeightedListForm& form, const std::string& service) {
  for (size_t i = 0; list.is_array() && i < list.size(); ++i)
    if (text_at(list[i], {form.name_field}) == service) return true;
  return false;
}

Result<Split> split_of(const Json& list, const WeightedListForm& form, const Traffic& sides, const std::string& place) {
  auto at = both_sides_of(list, form, sides, place);
  if (!at) return at.error();
  return Split{item_weight(list[*at->stable], form), item_weight(list[*at->canary], form), at->others};
}

Result<Json> with_split(Json list, const WeightedListForm& form, const Rollout& rollout, const Traffic& traffic,
                        const std::string& place) {
  auto at = both_sides_of(list, form, traffic, place);
  if (!at) return at.error();
  if (rollout.routing.max_weight) at->others = 0;
  if (traffic.stable_weight() < at->others)
    return invalid(format("{}: other destinations weigh {}, which leaves no room for {} % canary", place, at->others,
                          traffic.whole - traffic.stable_weight()));
  for (const auto& [index, weight] : {std::pair<size_t, int64_t>(*at->stable, traffic.stable_weight() - at->others),
                                      std::pair<size_t, int64_t>(*at->canary, traffic.weight)})
    if (item_weight(list[index], form) != weight) list[index]["weight"] = weight;
  return list;
}

}  // namespace reconciler
