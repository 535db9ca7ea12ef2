// The ports of a daemon that may lose the lease: each write asks first whether this daemon still decides.
#pragma once

#include "daemon/leadership.h"
#include "ports.h"

namespace reconciler {

/// Records and pushes only while leading; the rest is everybody's.
class LeaderGit : public GitRepository {
 public:
  LeaderGit(GitRepository& git, const Leadership& leadership) : git_(git), leadership_(leadership) {}

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
  Result<PushReport> push() override;
  size_t unpushed() override { return git_.unpushed(); }
  Result<std::vector<std::string>> drop_outdated() override { return git_.drop_outdated(); }

 private:
  GitRepository& git_;
  const Leadership& leadership_;
};

/// Writes to the cluster only while leading; reading and comparing is everybody's.
class LeaderCluster : public Cluster {
 public:
  LeaderCluster(Cluster& cluster, const Leadership& leadership) : cluster_(cluster), leadership_(leadership) {}

  Result<void> ready() override { return cluster_.ready(); }
  Result<Observed> observe(const Rollout& rollout, TimePoint now) override { return cluster_.observe(rollout, now); }
  Result<void> carry_out(const RolloutKey& rollout, const Action& action) override;
  void follow(const std::set<FollowedKind>& kinds) override { cluster_.follow(kinds); }
  Result<std::optional<Json>> read(const Json& manifest, ReadMode mode) override {
    return cluster_.read(manifest, mode);
  }
  Result<Json> apply(const Json& object, ApplyMode mode) override;
  Result<void> patch(const Json& manifest, const Json& patch) override;
  Result<void> remove(const Json& live) override;
  Result<void> ensure_namespace(const std::string& name) override;
  std::vector<ClusterChange> take_changes() override { return cluster_.take_changes(); }
  void on_change(std::function<void()> wake) override { cluster_.on_change(std::move(wake)); }

 private:
  Cluster& cluster_;
  const Leadership& leadership_;
};

/// Stores the inventory only while leading.
class LeaderInventory : public InventoryStore {
 public:
  LeaderInventory(InventoryStore& inventory, const Leadership& leadership)
      : inventory_(inventory), leadership_(leadership) {}

  Result<std::vector<InventoryChunk>> load() override { return inventory_.load(); }
  Result<void> save(const ChunkChange& change, const std::string& commit) override;

 private:
  InventoryStore& inventory_;
  const Leadership& leadership_;
};

}  // namespace reconciler
