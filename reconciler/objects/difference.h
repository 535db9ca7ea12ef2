// What changed between two versions of an object, field by field, fit to be shown: the values of Secrets are masked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace reconciler {

/// One field that differs. Whole subtrees that came or went are one change.
struct FieldChange {
  std::string path;            ///< `spec.template.spec.containers[checkout].image`
  std::optional<Json> before;  ///< nothing: the field is new
  std::optional<Json> after;   ///< nothing: the field is gone
  bool operator==(const FieldChange&) const = default;
};

/// The fields that differ, in the order of their paths; empty when the objects are equal. List items that have a name
/// (or another key as Kubernetes uses them) are matched by it, others by position. Both objects are masked first.
std::vector<FieldChange> differences(const Json& before, const Json& after);

/// The object as it may be shown: in a Secret every value of `data` and `stringData` is replaced by its size and the
/// start of its digest, so that a change is visible and the value is not. Other objects are returned as they are.
Json masked(Json object);

}  // namespace reconciler
