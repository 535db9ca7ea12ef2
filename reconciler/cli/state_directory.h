#pragma once

#include <string>

#include "base/result.h"

namespace reconciler {

/// The folder that one process keeps its clone in, locked until this value goes.
class StateDirectory {
 public:
  /// `path` empty: `$STATE_DIRECTORY`, else `~/.local/state/serin`. Made with mode 0700 when missing; `Invalid` when
  /// another process holds it or it is open to others.
  static Result<StateDirectory> lock(const std::string& path);
  StateDirectory(StateDirectory&& other) noexcept;
  StateDirectory& operator=(StateDirectory&&) = delete;
  ~StateDirectory();

  const std::string& path() const { return path_; }

 private:
  StateDirectory(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_;
};

}  // namespace reconciler
