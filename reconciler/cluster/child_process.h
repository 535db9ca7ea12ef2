#pragma once

#include <map>
#include <string>
#include <vector>

#include "ports.h"

namespace reconciler {

struct ChildProcess {
  std::vector<std::string> command;                ///< the program, then its arguments; without a slash: from PATH
  std::map<std::string, std::string> environment;  ///< beside our own
};

/// Runs it and returns what it prints. It has no standard input and none of our files; its standard error is ours.
/// `Transient` when it cannot be started, fails, prints more than 1 MiB, or takes longer than `limit`: then it is
/// ended, with what it has started itself.
Result<std::string> output_of(const ChildProcess& child, Clock& clock, Duration limit);

}  // namespace reconciler
