// `--dry-run` as decorators over the ports: what would be recorded and done is printed, and nothing is.
#pragma once

#include <map>
#include <mutex>
#include <set>

#include "ports.h"

namespace reconciler {

class DryRunGit : public GitRepository {
 public:
  explicit DryRunGit(GitRepository& git) : git_(git) {}
  Result<Head> poll() override { return git_.poll(); }
  std::optional<std::string> head() override { return git_.head(); }
  Result<std::vector<TreeChange>> changes(const std::string& from, const std::string& to,
                                          const std::string& directory) override {
    return git_.changes(from, to, directory);
  }
  Result<std::string> read(const std::string& blob, size_t bytes_max) override { return git_.read(blob, bytes_max); }
  Result<std::vector<CommitInfo>> commits_touching(const std::string& path, const std::string& from,
                                                   const std::string& to, size_t limit) override {
    return git_.commits_touching(path, from, to, limit);
  }
  Result<std::optional<std::string>> file(const std::string& commit, const std::string& path,
                                          size_t bytes_max) override {
    return git_.file(commit, path, bytes_max);
  }
  Result<Provenance> provenance(const std::string& commit, const std::string& path) override {
    return git_.provenance(commit, path);
  }
  Result<std::vector<std::pair<std::string, std::string>>> recorded(const std::string& directory) override {
    return git_.recorded(directory);
  }
  Result<void> record(const std::vector<StatusWrite>& writes) override;
  Result<PushReport> push() override { return PushReport{}; }
  size_t unpushed() override { return 0; }
  Result<std::vector<std::string>> drop_outdated() override { return std::vector<std::string>{}; }

 private:
  GitRepository& git_;
};

/// Remembers what would have been applied, so that the rollouts that need it can be planned as well.
class DryRunCluster : public Cluster {
 public:
  explicit DryRunCluster(Cluster& cluster) : cluster_(cluster) {}
  Result<void> ready() override { return cluster_.ready(); }
  void follow(const std::set<FollowedKind>& kinds) override { cluster_.follow(kinds); }
  Result<Observed> observe(const Rollout& rollout, TimePoint now) override;
  Result<void> carry_out(const RolloutKey& rollout, const Action& action) override;
  Result<std::optional<Json>> read(const Json& manifest, ReadMode mode) override {
    return cluster_.read(manifest, mode);
  }
  /// What would be taken over shows in the object that would be applied after it.
  Result<void> patch(const Json&, const Json&) override { return {}; }
  Result<Json> apply(const Json& object, ApplyMode mode) override;
  Result<void> remove(const Json& live) override;
  Result<void> ensure_namespace(const std::string& name) override;
  std::vector<ClusterChange> take_changes() override { return cluster_.take_changes(); }
  void on_change(std::function<void()> wake) override { cluster_.on_change(std::move(wake)); }

 private:
  Cluster& cluster_;
  std::mutex mutex_;
  std::map<ObjectKey, Json> imagined_;
  std::set<std::string> imagined_namespaces_;
};

class DryRunInventory : public InventoryStore {
 public:
  explicit DryRunInventory(InventoryStore& inventory) : inventory_(inventory) {}
  Result<std::vector<InventoryChunk>> load() override { return inventory_.load(); }
  Result<void> save(const ChunkChange&, const std::string&) override { return {}; }

 private:
  InventoryStore& inventory_;
};

}  // namespace reconciler
