// Which hooks are answered, as a person wrote it down: one a line, `provider id secret [former-secret]`.
//
//   # openssl rand -hex 16 makes an id, openssl rand -hex 32 a secret
//   github  0b7e5f0a1c2d3e4f5a6b7c8d9e0f1a2b  6f1c...
//
// The former secret stays valid beside the new one while it is being replaced.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace reconciler {

enum class HookProvider { GitHub, GitLab, Gitea, Bitbucket, Generic };

struct Hook {
  HookProvider provider = HookProvider::Generic;
  std::string id;                    ///< the last part of its path; hard to guess
  std::vector<std::string> secrets;  ///< any of them counts; none: whoever knows the id is believed
};

enum class HooksWithoutSecret { Refused, Allowed };

/// `github`, `gitlab`, `gitea` (or `forgejo`), `bitbucket`, `generic`; nothing for others.
std::optional<HookProvider> hook_provider(std::string_view name);
std::string_view name_of(HookProvider provider);

/// `Invalid`, with the line but never what stands there, for anything that is not as above, an id that could be guessed
/// or stands twice, and a secret that is too short.
Result<std::vector<Hook>> parse_hooks(std::string_view text, HooksWithoutSecret without_secret);

}  // namespace reconciler
