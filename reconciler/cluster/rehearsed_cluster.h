// A cluster that is asked and never written to: reads, and dry runs of what would be applied. It keeps no caches, so a
// few rights and a few calls are enough to learn what a handful of manifests would do.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "cluster/api.h"
#include "ports.h"

namespace reconciler {

class RehearsedCluster : public Cluster {
 public:
  static Result<std::unique_ptr<RehearsedCluster>> open(const HttpClientSettings& http, std::string owner,
                                                        std::string default_namespace);
  RehearsedCluster(std::unique_ptr<HttpClient> http, std::string owner, std::string default_namespace);  ///< for `open`

  /// Of a rollout only what is shared with manifests: its Services, its routes, and the replicas of its workload.
  Result<Observed> observe(const Rollout& rollout, TimePoint now) override;
  Result<std::optional<Json>> read(const Json& manifest, ReadMode mode) override;
  /// A dry run, whatever the mode. What was removed before, or whose namespace is not there, is taken as it is.
  Result<Json> apply(const Json& object, ApplyMode mode) override;
  /// What would be taken over shows in the object that would be applied after it.
  Result<void> patch(const Json&, const Json&) override { return {}; }
  Result<void> remove(const Json& live) override;
  /// Only finds out whether it is there.
  Result<void> ensure_namespace(const std::string& name) override;

  Result<void> ready() override { return {}; }
  void follow(const std::set<FollowedKind>&) override {}
  Result<void> carry_out(const RolloutKey&, const Action&) override { return invalid("a rehearsal"); }
  std::vector<ClusterChange> take_changes() override { return {}; }
  void on_change(std::function<void()>) override {}

  /// Does the cluster know the kind of this object?
  Result<bool> knows(const Json& manifest);
  bool is_missing(const std::string& ns) const { return missing_.contains(ns); }
  /// What the last apply of the object would have made of it; nothing when there was none.
  std::optional<Json> outcome(const ObjectKey& key) const;

 private:
  KubernetesApi api_;
  const std::string owner_;
  const std::string default_namespace_;
  std::set<std::string> namespaces_;  ///< those that are there
  std::set<std::string> missing_;
  std::set<ObjectKey> removed_;
  std::map<ObjectKey, Json> outcomes_;
};

}  // namespace reconciler
