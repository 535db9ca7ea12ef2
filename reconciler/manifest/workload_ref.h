// spec.workloadRef: template and selector come from another object, in Git or in the cluster.
#pragma once

#include "base/json.h"
#include "base/object_key.h"
#include "base/result.h"
#include "manifest/field.h"
#include "rollout/rollout.h"

namespace reconciler {

/// Reads spec.workloadRef and reports what is wrong with it.
WorkloadRef read_workload_ref(const Field& ref);

/// Reads template and selector into `rollout`, and reports what is wrong with them.
void read_pod_template(const Field& pod_template, const Field& selector, Rollout& rollout);

/// The object that workloadRef names.
ObjectKey workload_key(const Rollout& rollout);

/// The same as a manifest with no more than its identity.
Json workload_identity(const Rollout& rollout);

/// `rollout` with the template and the selector of `workload`; `Invalid` when they make no valid pod template.
Result<Rollout> with_workload(Rollout rollout, const Json& workload);

}  // namespace reconciler
