#pragma once

#include "ports.h"
#include "sim/faults.h"

namespace reconciler {

/// A cluster whose calls go wrong.
class FaultyCluster : public Cluster {
 public:
  FaultyCluster(Cluster& inner, Faults& faults) : inner_(inner), faults_(faults) {}

  Result<void> ready() override { return inner_.ready(); }
  void follow(const std::set<FollowedKind>& kinds) override { inner_.follow(kinds); }
  Result<Observed> observe(const Rollout& rollout, TimePoint now) override;
  Result<void> carry_out(const RolloutKey& rollout, const Action& action) override;
  Result<std::optional<Json>> read(const Json& manifest, ReadMode mode) override;
  Result<Json> apply(const Json& object, ApplyMode mode) override;
  Result<void> patch(const Json& manifest, const Json& patch) override;
  Result<void> remove(const Json& live) override;
  Result<void> ensure_namespace(const std::string& name) override;
  std::vector<ClusterChange> take_changes() override { return inner_.take_changes(); }
  void on_change(std::function<void()> wake) override { inner_.on_change(std::move(wake)); }

 private:
  Cluster& inner_;
  Faults& faults_;
};

}  // namespace reconciler
