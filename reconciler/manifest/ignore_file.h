#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest/manifest.h"
#include "objects/ignore_rules.h"

namespace reconciler {

struct IgnoreFile {
  std::vector<IgnoreRule> rules;
  std::vector<Problem> problems;  ///< none: every rule is as it stands in the file
};

/// Reads rules of the form
/// `ignore: [{target: {group: apps, kind: Deployment, namespace: shop, name: web-*, labels: {team: a}}, paths:
/// [/spec/replicas]}]`. What a target leaves out fits anything; `*` in a value stands for anything.
IgnoreFile read_ignore_file(const std::string& path, std::string_view text);

}  // namespace reconciler
