#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace reconciler {

/// One departure from a schema, at the deepest place that names it.
struct SchemaFinding {
  std::string pointer;
  std::string message;
  bool operator==(const SchemaFinding&) const = default;
};

enum class SchemaKind { Rollout, Experiment, Status, Decision, Policy };

/// Everything in which `document` departs from the JSON Schema of its kind (manifests-schema/). Null members count as
/// absent, as in Kubernetes. Lengths and patterns of text are left to hand-written checks.
std::vector<SchemaFinding> check_schema(SchemaKind kind, const Json& document);

}  // namespace reconciler
