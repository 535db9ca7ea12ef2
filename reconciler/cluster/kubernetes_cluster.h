// The `Cluster` port over a Kubernetes API server: caches kept by watches, writes as calls.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/client.h"
#include "objects/managers.h"
#include "ports.h"

namespace reconciler {

struct KubernetesClusterSettings {
  HttpClientSettings http;
  std::string owner = "serin";      ///< value of the label serin.dev/owner
  std::string inventory = "serin";  ///< names the inventory: the owner, and the shard if there are several
  std::string field_manager{kFieldManager};
  std::string default_namespace = "default";
  int calls_per_second = 0;  ///< a limit of our own; none when zero
  /// Wraps the client that all requests go through; for measuring them.
  std::function<std::unique_ptr<HttpClient>(std::unique_ptr<HttpClient>)> around_http = nullptr;
};

class KubernetesCluster : public Cluster {
 public:
  /// Starts the watches; `Invalid` when the settings cannot be used. Whether the server can be reached shows in
  /// `ready`.
  static Result<std::unique_ptr<KubernetesCluster>> open(KubernetesClusterSettings settings);
  ~KubernetesCluster() override;

  Result<void> ready() override;
  void follow(const std::set<FollowedKind>& kinds) override;
  Result<Observed> observe(const Rollout& rollout, TimePoint now) override;
  Result<void> carry_out(const RolloutKey& rollout, const Action& action) override;
  Result<std::optional<Json>> read(const Json& manifest, ReadMode mode) override;
  Result<Json> apply(const Json& object, ApplyMode mode) override;
  Result<void> patch(const Json& manifest, const Json& patch) override;
  Result<void> remove(const Json& live) override;
  Result<void> ensure_namespace(const std::string& name) override;
  std::vector<ClusterChange> take_changes() override;
  void on_change(std::function<void()> wake) override;

  /// The inventory in the default namespace; it lives as long as this.
  InventoryStore& inventory();

  struct Parts;
  explicit KubernetesCluster(std::unique_ptr<Parts> parts);  ///< for `open`

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace reconciler
