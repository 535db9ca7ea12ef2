#pragma once

#include "ports.h"
#include "web/measurements.h"

namespace reconciler {

/// A cluster whose writes of objects from Git are counted.
class MeasuredCluster : public Cluster {
 public:
  MeasuredCluster(Cluster& inner, Measurements& measurements) : inner_(inner), measurements_(measurements) {}

  Result<void> ready() override { return inner_.ready(); }
  void follow(const std::set<FollowedKind>& kinds) override { inner_.follow(kinds); }
  Result<Observed> observe(const Rollout& rollout, TimePoint now) override { return inner_.observe(rollout, now); }
  Result<void> carry_out(const RolloutKey& rollout, const Action& action) override {
    return inner_.carry_out(rollout, action);
  }
  Result<std::optional<Json>> read(const Json& manifest, ReadMode mode) override { return inner_.read(manifest, mode); }
  Result<void> patch(const Json& manifest, const Json& patch) override { return inner_.patch(manifest, patch); }
  Result<Json> apply(const Json& object, ApplyMode mode) override;
  Result<void> remove(const Json& live) override { return inner_.remove(live); }
  Result<void> ensure_namespace(const std::string& name) override { return inner_.ensure_namespace(name); }
  std::vector<ClusterChange> take_changes() override { return inner_.take_changes(); }
  void on_change(std::function<void()> wake) override { inner_.on_change(std::move(wake)); }

 private:
  Cluster& inner_;
  Measurements& measurements_;
};

}  // namespace reconciler
