#include "cluster/owner_check.h"

#include "base/format.h"
#include "base/json.h"

namespace reconciler {

Result<void> check_owner(Cluster& cluster, const RolloutKey& rollout, const Action& action) {
  const auto* adopt = std::get_if<AdoptReplicaSet>(&action);
  if (!adopt || adopt->owner.is_null()) return {};
  auto live = cluster.read({{"apiVersion", text_at(adopt->owner, {"apiVersion"})},
                            {"kind", text_at(adopt->owner, {"kind"})},
                            {"metadata", {{"namespace", rollout.ns}, {"name", text_at(adopt->owner, {"name"})}}}},
                           ReadMode::Fresh);
  if (!live) return live.error();
  const bool stays = *live && text_at(**live, {"metadata", "uid"}) == text_at(adopt->owner, {"uid"}) &&
                     !find(**live, {"metadata", "deletionTimestamp"});
  if (stays) return {};
  return conflict(format("the Rollout object that is to own {} is gone, or about to go", adopt->name));
}

}  // namespace reconciler
