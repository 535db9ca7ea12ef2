// Which fields of an object a manager owns, in the form of managedFields (`fieldsV1`), and the operations that
// server-side apply is made of. Steps of a path are written as Kubernetes writes them: `f:spec`, `k:{"name":"app"}`,
// `v:"finalizer"`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "sim/shape.h"

namespace reconciler {

struct FieldSet {
  bool owned = false;  ///< the value at this place itself
  std::map<std::string, FieldSet> below = {};

  bool operator==(const FieldSet&) const = default;
  bool empty() const;
};

FieldSet parse_field_set(const Json& fields_v1);
Json to_fields_v1(const FieldSet& set);

FieldSet unite(FieldSet a, const FieldSet& b);
FieldSet subtract(const FieldSet& a, const FieldSet& b);
FieldSet intersect(const FieldSet& a, const FieldSet& b);

/// Takes away everything at and below a path of `f:` steps.
void cut(FieldSet& set, const std::vector<std::string>& path);

/// The fields in the words of a conflict: `.spec.template.spec.containers[name="app"].image`.
std::vector<std::string> field_paths(const FieldSet& set);

/// The fields that applying `value` asks for.
FieldSet fields_of(const Json& value, const Shape& shape);

struct FieldComparison {
  FieldSet changed;  ///< added or modified
  FieldSet removed;
};

FieldComparison compare_fields(const Json& before, const Json& after, const Shape& shape);

/// `live` with what `config` asks for.
Json merge_applied(const Json& live, const Json& config, const Shape& shape);

/// `value` without the fields in `set`; a place under which `keep` owns something stays.
Json remove_fields(const Json& value, const FieldSet& set, const FieldSet& keep, const Shape& shape);

}  // namespace reconciler
