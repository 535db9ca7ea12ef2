#include "sim/faulty_cluster.h"

namespace reconciler {
namespace {

Error unreachable_server() { return transient("the API server cannot be reached"); }

}  // namespace

Result<Observed> FaultyCluster::observe(const Rollout& rollout, TimePoint now) {
  if (faults_.strikes(faults_.mix().observe_fails)) return transient("observe: no answer");
  return inner_.observe(rollout, now);
}

Result<void> FaultyCluster::carry_out(const RolloutKey& rollout, const Action& action) {
  if (faults_.cluster_down) return unreachable_server();
  const std::string what = describe(action);
  if (faults_.strikes(faults_.mix().refused)) return invalid(what + ": admission webhook denied the request");
  return faults_.around<void>(faults_.mix().act, what, [&] { return inner_.carry_out(rollout, action); });
}

Result<std::optional<Json>> FaultyCluster::read(const Json& manifest, ReadMode mode) {
  if (faults_.cluster_down) return unreachable_server();
  if (faults_.strikes(faults_.mix().apply.fails)) return transient("read: connection refused");
  return inner_.read(manifest, mode);
}

Result<Json> FaultyCluster::apply(const Json& object, ApplyMode mode) {
  if (faults_.cluster_down) return unreachable_server();
  if (faults_.strikes(faults_.mix().refused)) return invalid("apply: admission webhook denied the request");
  return faults_.around<Json>(faults_.mix().apply, "apply", [&] { return inner_.apply(object, mode); });
}

Result<void> FaultyCluster::patch(const Json& manifest, const Json& patch) {
  if (faults_.cluster_down) return unreachable_server();
  return faults_.around<void>(faults_.mix().apply, "patch", [&] { return inner_.patch(manifest, patch); });
}

Result<void> FaultyCluster::remove(const Json& live) {
  if (faults_.cluster_down) return unreachable_server();
  const std::string what = "remove " + key_of(live).text();
  if (faults_.strikes(faults_.mix().refused)) return invalid(what + ": admission webhook denied the request");
  return faults_.around<void>(faults_.mix().apply, what, [&] { return inner_.remove(live); });
}

Result<void> FaultyCluster::ensure_namespace(const std::string& name) {
  if (faults_.cluster_down) return unreachable_server();
  return inner_.ensure_namespace(name);
}

}  // namespace reconciler
