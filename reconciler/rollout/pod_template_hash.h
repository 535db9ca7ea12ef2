#pragma once

#include <optional>

#include "rollout/typed_encoding.h"

namespace reconciler {

/// The value of the hash label for `spec.template` as written in Git (no defaulting), with the number of name
/// collisions so far when there were any. `Invalid` when the template does not have the types of the pod API.
Result<std::string> pod_template_hash(const Json& pod_template, std::optional<int> collisions);

/// The same as controllers built with client libraries before 0.34 compute it, for taking over what they left.
Result<std::string> older_pod_template_hash(const Json& pod_template, std::optional<int> collisions);

/// The typed encoding behind it: names each member that does not fit, and each one that is unknown.
TypedEncoding encode_pod_template(const Json& pod_template);

}  // namespace reconciler
