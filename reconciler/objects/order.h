#pragma once

#include "base/object_key.h"

namespace reconciler {

/// The place of an object in the order of apply (spec/gitops.md 6): lower ranks first, and what has the same rank may
/// go side by side. Removal goes the other way round.
int apply_rank(const ObjectKey& key);

/// Is it a CustomResourceDefinition?
bool is_definition(const ObjectKey& key);

}  // namespace reconciler
