// The step that runs an experiment (spec 1.3).
#pragma once

#include <set>
#include <string>

#include "manifest/field.h"
#include "rollout/rollout.h"

namespace reconciler {

Experiment read_experiment(const Field& experiment);

/// What only the whole Rollout tells: whether there is a router for the weights, and room for them beside the canary's;
/// and whether the names of Services are not too long.
void check_experiments(const Field& canary, const Rollout& rollout);

/// The name of one of its templates.
std::string read_template_name(const Field& item);

/// The name in `service`; empty when it has none.
std::string read_service_name(const Field& service);

/// Reports a name that another one has; objects have them, so they must differ.
void refuse_twice(std::set<std::string>& names, const std::string& name, const Field& field);

PodMetadata read_pod_metadata(const Field& metadata);

}  // namespace reconciler
