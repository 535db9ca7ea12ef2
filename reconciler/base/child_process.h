// The one place where child processes are started: `ssh-keygen` and `gpgv` for signatures. Without a shell, with an
// environment of its own, a time limit and a bounded output.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace reconciler {

struct ChildCommand {
  std::string program;  ///< looked for in the system's folders only
  std::vector<std::string> arguments = {};
  std::string input = {};
  Duration time_limit = 10s;           ///< then it is killed, and those it started
  size_t output_bytes_max = 64 << 10;  ///< of either stream; more is an error
};

struct ChildResult {
  int exit_code = 0;  ///< 128 and its number when a signal ended it
  std::string output;
  std::string complaint;  ///< what it said on standard error
};

/// Runs it to its end. `Transient` when it cannot be started, does not end in time, or says too much.
Result<ChildResult> run_child(const ChildCommand& command);

}  // namespace reconciler
