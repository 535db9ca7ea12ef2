// Label and field selectors as they stand in a query and in objects.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace reconciler {

/// `app=web,tier in (a,b),!legacy`, or a LabelSelector of an object.
struct LabelRequirement {
  enum class Is { In, NotIn, Exists, Absent };
  std::string key = {};
  Is is = Is::Exists;
  std::vector<std::string> values = {};
};
using LabelSelector = std::vector<LabelRequirement>;

Result<LabelSelector> parse_label_selector(std::string_view text);
/// `{matchLabels, matchExpressions}`; nothing selected differs from everything: an absent selector is an empty one
/// here.
LabelSelector label_selector_of(const Json& selector);
/// `{app: web}`, as in a Service.
LabelSelector label_selector_of_map(const Json& labels);
/// `labels` may be null.
bool matches(const LabelSelector& selector, const Json* labels);
bool matches_object(const LabelSelector& selector, const Json& object);

/// `metadata.name=a,status.phase!=Running`.
struct FieldRequirement {
  std::string path;
  bool equal = true;
  std::string value;
};
using FieldSelector = std::vector<FieldRequirement>;

Result<FieldSelector> parse_field_selector(std::string_view text);
bool matches_fields(const FieldSelector& selector, const Json& object);

}  // namespace reconciler
