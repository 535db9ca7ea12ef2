#include "daemon/leader_ports.h"

namespace reconciler {

Result<void> LeaderGit::record(const std::vector<StatusWrite>& writes) {
  if (auto permitted = leadership_.permits(); !permitted) return permitted;
  return git_.record(writes);
}

Result<PushReport> LeaderGit::push() {
  if (auto permitted = leadership_.permits(); !permitted) return permitted.error();
  return git_.push();
}

Result<void> LeaderCluster::carry_out(const RolloutKey& rollout, const Action& action) {
  if (auto permitted = leadership_.permits(); !permitted) return permitted;
  return cluster_.carry_out(rollout, action);
}

Result<Json> LeaderCluster::apply(const Json& object, ApplyMode mode) {
  if (mode == ApplyMode::DryRun) return cluster_.apply(object, mode);
  if (auto permitted = leadership_.permits(); !permitted) return permitted.error();
  return cluster_.apply(object, mode);
}

Result<void> LeaderCluster::patch(const Json& manifest, const Json& patch) {
  if (auto permitted = leadership_.permits(); !permitted) return permitted;
  return cluster_.patch(manifest, patch);
}

Result<void> LeaderCluster::remove(const Json& live) {
  if (auto permitted = leadership_.permits(); !permitted) return permitted;
  return cluster_.remove(live);
}

Result<void> LeaderCluster::ensure_namespace(const std::string& name) {
  if (auto permitted = leadership_.permits(); !permitted) return permitted;
  return cluster_.ensure_namespace(name);
}

Result<void> LeaderInventory::save(const ChunkChange& change, const std::string& commit) {
  if (auto permitted = leadership_.permits(); !permitted) return permitted;
  return inventory_.save(change, commit);
}

}  // namespace reconciler
