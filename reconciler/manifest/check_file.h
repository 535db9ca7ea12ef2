// What `serin validate` says of one file: all that the readers find, and what the schemas add.
#pragma once

#include <utility>

#include "manifest/manifest.h"

namespace reconciler {

/// What a file is read as, which its place in the repository tells.
enum class FileRole { Manifests, Status, Decision, Policy };

struct FileCheck {
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
  std::vector<std::pair<ObjectKey, int>> objects;  ///< with the line each begins at
};

FileCheck check_file(const std::string& path, std::string_view text, FileRole role,
                     const std::string& default_namespace);

}  // namespace reconciler
