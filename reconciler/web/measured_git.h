#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "ports.h"
#include "web/measurements.h"
#include "web/reachability.h"

namespace reconciler {

/// A repository whose polls, records and pushes are counted and timed.
class MeasuredGit : public GitRepository {
 public:
  /// Labels: where the repository is, without user info, and the ref that is watched.
  struct Names {
    std::string repo;
    std::string ref;
  };
  MeasuredGit(GitRepository& inner, Clock& clock, Measurements& measurements, Reachability& health, Names names)
      : inner_(inner), clock_(clock), measurements_(measurements), health_(health), names_(std::move(names)) {}

  /// When this commit was made, as far as it was looked at lately; for the time from a commit to its effect.
  std::optional<TimePoint> time_of(const std::string& commit) const;
  /// Since when something recorded waits to be pushed; nothing when all is pushed.
  std::optional<TimePoint> unpushed_since() const;
  const Names& names() const { return names_; }
  /// A hook asks for a poll: the next one that begins is timed from here.
  void hook_came(std::string_view provider);

  Result<Head> poll() override;
  std::optional<std::string> head() override { return inner_.head(); }
  Result<std::vector<TreeChange>> changes(const std::string& from, const std::string& to,
                                          const std::string& directory) override {
    return inner_.changes(from, to, directory);
  }
  Result<std::string> read(const std::string& blob, size_t bytes_max) override { return inner_.read(blob, bytes_max); }
  Result<std::vector<CommitInfo>> commits_touching(const std::string& path, const std::string& from,
                                                   const std::string& to, size_t limit) override;
  Result<std::optional<std::string>> file(const std::string& commit, const std::string& path,
                                          size_t bytes_max) override {
    return inner_.file(commit, path, bytes_max);
  }
  Result<Provenance> provenance(const std::string& commit, const std::string& path) override {
    return inner_.provenance(commit, path);
  }
  Result<std::vector<std::pair<std::string, std::string>>> recorded(const std::string& directory) override {
    return inner_.recorded(directory);
  }
  Result<void> record(const std::vector<StatusWrite>& writes) override;
  Result<PushReport> push() override;
  size_t unpushed() override { return inner_.unpushed(); }
  Result<std::vector<std::string>> drop_outdated() override { return inner_.drop_outdated(); }

 private:
  GitRepository& inner_;
  Clock& clock_;
  Measurements& measurements_;
  Reachability& health_;
  const Names names_;

  mutable std::mutex mutex_;
  std::map<std::string, TimePoint> commit_times_;
  std::optional<TimePoint> unpushed_since_;
  int failed_pushes_ = 0;
  std::map<std::string, Duration> hooks_;  ///< of each provider, when the first came that no poll has heeded yet
};

}  // namespace reconciler
