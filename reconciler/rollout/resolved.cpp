#include "rollout/resolved.h"

#include <algorithm>

#include "base/json.h"
#include "rollout/pod_template_hash.h"
#include "rollout/replica_set.h"

namespace reconciler {
namespace {

bool is_known(const std::string& hash, const Observed& live, const std::optional<Status>& status) {
  if (live.workload(hash)) return true;
  if (!status) return false;
  auto names = [&](const Revision& revision) { return revision.hash == hash; };
  return (status->stable && names(*status->stable)) || (status->canary && names(*status->canary)) ||
         std::any_of(status->previous.begin(), status->previous.end(), names) ||
         std::any_of(status->rejected.begin(), status->rejected.end(), [&](auto& r) { return r.hash == hash; });
}

/// A controller that had the rollout before may have counted this many collisions of names, and remembered them itself.
constexpr int kForeignCollisionsMax = 3;

/// Empty when the template does not have the types of the pod API.
std::string hash_after(int collisions, const Json& pod_template) {
  auto hash = pod_template_hash(pod_template, collisions);
  return hash ? *std::move(hash) : "";
}

}  // namespace

Rollout resolved(Rollout desired, const Observed& live, const std::optional<Status>& status) {
  if (desired.standalone) return desired;
  // The usual case costs no second look at the template.
  if (is_known(desired.hash, live, status) && !name_is_taken(desired, live)) return desired;
  const auto pod_template = parse_json(desired.pod_template);
  if (!pod_template) return desired;
  const int ours = status ? status->collisions.value_or(0) : 0;
  for (int count = 0; count <= std::max(ours, kForeignCollisionsMax); ++count) {
    std::string hash = hash_after(count, *pod_template);
    if (hash.empty() || !is_known(hash, live, status)) continue;
    desired.hash = std::move(hash);
    return desired;
  }
  if (ours > 0) desired.hash = hash_after(ours, *pod_template);
  return desired;
}

bool name_is_taken(const Rollout& desired, const Observed& live) {
  const std::string name = replica_set_name(desired, desired.hash);
  return std::find(live.taken_names.begin(), live.taken_names.end(), name) != live.taken_names.end();
}

}  // namespace reconciler
