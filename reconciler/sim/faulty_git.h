#pragma once

#include "ports.h"
#include "sim/faults.h"

namespace reconciler {

/// A repository whose calls go wrong.
class FaultyGit : public GitRepository {
 public:
  FaultyGit(GitRepository& inner, Faults& faults) : inner_(inner), faults_(faults) {}

  Result<Head> poll() override;
  std::optional<std::string> head() override { return inner_.head(); }
  Result<std::vector<TreeChange>> changes(const std::string& from, const std::string& to,
                                          const std::string& directory) override {
    return inner_.changes(from, to, directory);
  }
  Result<std::string> read(const std::string& blob, size_t bytes_max) override { return inner_.read(blob, bytes_max); }
  Result<std::vector<CommitInfo>> commits_touching(const std::string& path, const std::string& from,
                                                   const std::string& to, size_t limit) override {
    return inner_.commits_touching(path, from, to, limit);
  }
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
  Faults& faults_;
};

}  // namespace reconciler
