// The one place where child processes are started: `ssh-keygen` and `gpgv` for signatures, a kubeconfig's exec plugin.
// Without a shell, with a time limit and a bounded output.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace reconciler {

enum class Surroundings {
  Bare,  ///< nothing of our environment; the program is looked for in the system's folders only
  Ours,  ///< our environment; the program may be a path, and is looked for in our PATH
};

struct ChildCommand {
  std::string program;
  std::vector<std::string> arguments = {};
  std::string input = {};
  Surroundings surroundings = Surroundings::Bare;
  std::map<std::string, std::string> environment = {};  ///< added to it
  Duration time_limit = 10s;                            ///< then it is killed, and those it started
  size_t output_bytes_max = 64 << 10;                   ///< of either stream; more is an error
};

struct ChildResult {
  int exit_code = 0;  ///< 128 and its number when a signal ended it
  std::string output;
  std::string complaint;  ///< what it said on standard error
};

/// Runs it to its end. `Transient` when it cannot be started, does not end in time, or says too much.
Result<ChildResult> run_child(const ChildCommand& command);

}  // namespace reconciler
