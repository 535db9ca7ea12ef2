// The files that Serin writes (`RolloutStatus`) and people write (`RolloutDecision`).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "manifest/manifest.h"
#include "rollout/rollout.h"
#include "rollout/status.h"

namespace reconciler {

/// `status/<cluster>/<namespace>/<name>.yaml`; `directory` is `status` or `decisions`.
std::string record_path(std::string_view directory, std::string_view cluster, const RolloutKey& key);

/// The key a path of that form stands for; nothing when it has another form.
std::optional<RolloutKey> key_of_record_path(std::string_view directory, std::string_view cluster,
                                             std::string_view path);

/// Canonical bytes: same status, same text (design.md 5).
std::string write_status(const RolloutKey& key, const Status& status);

/// Reads what `write_status` wrote, or a person edited; `Invalid` with file, line and column.
Result<Status> read_status(const std::string& path, std::string_view text);

/// Everything that is wrong with a status or decision file, for `serin validate`; `read_status` and `read_decision`
/// name only the first.
std::vector<Problem> check_status(const std::string& path, std::string_view text);
std::vector<Problem> check_decision(const std::string& path, std::string_view text);

/// Reads a decision file; author and commit are left to the caller.
Result<RolloutDecision> read_decision(const std::string& path, std::string_view text);

/// The bytes of a decision file for `serin approve` and its like.
std::string write_decision(const RolloutKey& key, const RolloutDecision& decision);

}  // namespace reconciler
