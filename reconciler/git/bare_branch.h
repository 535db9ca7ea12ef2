// A bare repository that this process makes and commits to as a person would: for `serin demo`.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace reconciler {

class BareBranch {
 public:
  /// Makes an empty bare repository at `path`, which must not exist, with HEAD on `branch`.
  static Result<BareBranch> create(const std::string& path, const std::string& branch);
  BareBranch(BareBranch&&) noexcept;
  ~BareBranch();

  /// One commit on the branch as it is now: files written (or removed, without content) by path. Returns its id.
  Result<std::string> commit(const std::map<std::string, std::optional<std::string>>& files, const std::string& message,
                             const std::string& author, TimePoint time);

 private:
  struct Parts;
  explicit BareBranch(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace reconciler
