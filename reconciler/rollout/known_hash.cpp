#include "rollout/known_hash.h"

#include <algorithm>

namespace reconciler {
namespace {

bool mentions(const Status& status, const std::string& hash) {
  auto is_it = [&](const auto& revision) { return revision.hash == hash; };
  return (status.stable && is_it(*status.stable)) || (status.canary && is_it(*status.canary)) ||
         std::any_of(status.previous.begin(), status.previous.end(), is_it) ||
         std::any_of(status.rejected.begin(), status.rejected.end(), is_it);
}

bool is_known(const Observed& live, const std::optional<Status>& status, const std::string& hash) {
  return live.workload(hash) || (status && mentions(*status, hash));
}

}  // namespace

Rollout with_known_hash(Rollout desired, const Observed& live, const std::optional<Status>& status) {
  if (desired.older_hash.empty() || is_known(live, status, desired.hash)) return desired;
  if (is_known(live, status, desired.older_hash)) desired.hash = desired.older_hash;
  return desired;
}

}  // namespace reconciler
