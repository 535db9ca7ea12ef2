// serin validate, apart from its output: which files there are, and what is wrong with them.
#pragma once

#include <string>
#include <vector>

#include "manifest/manifest.h"

namespace reconciler {

struct CheckReport {
  size_t files = 0;
  size_t objects = 0;
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
};

/// Checks files and, recursively, directories by the rules of the daemon: names that start with a dot are skipped,
/// symlinks too with a warning. Below `status/` and `decisions/` of the repository (the nearest folder above that
/// has `.git`, else the directory named) lie records. An object that stands in two files is a problem of the later.
CheckReport check_paths(const std::vector<std::string>& paths, const std::string& default_namespace);

}  // namespace reconciler
