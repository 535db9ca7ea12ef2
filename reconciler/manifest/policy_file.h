// `decisions/policy.yaml`: who may decide, and when nothing goes forward.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "manifest/manifest.h"
#include "rollout/policy.h"

namespace reconciler {

/// A larger one is not read.
inline constexpr size_t kPolicyBytesMax = 256 << 10;

struct PolicyFile {
  Policy policy;
  std::vector<Problem> problems;  ///< none: the policy is as it stands in the file
};

/// `decisions/policy.yaml`; `directory` is where decisions lie.
std::string policy_path(std::string_view directory);

PolicyFile read_policy(const std::string& path, std::string_view text);

}  // namespace reconciler
