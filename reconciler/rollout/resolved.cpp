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

/// What this template is called after collisions of names, the newest last.
std::vector<std::string> other_hashes(const Rollout& desired, const std::optional<Status>& status) {
  std::vector<std::string> out;
  auto pod_template = parse_json(desired.pod_template);
  for (int count = 1; pod_template && status && status->collisions && count <= *status->collisions; ++count)
    if (auto hash = pod_template_hash(*pod_template, count)) out.push_back(*hash);
  return out;
}

}  // namespace

Rollout resolved(Rollout desired, const Observed& live, const std::optional<Status>& status) {
  if (desired.standalone) return desired;
  // The usual case costs no second look at the template.
  if (is_known(desired.hash, live, status) && !name_is_taken(desired, live)) return desired;
  const auto others = other_hashes(desired, status);
  auto known = std::find_if(others.begin(), others.end(), [&](auto& hash) { return is_known(hash, live, status); });
  if (known != others.end())
    desired.hash = *known;
  else if (!others.empty())
    desired.hash = others.back();
  return desired;
}

bool name_is_taken(const Rollout& desired, const Observed& live) {
  const std::string name = replica_set_name(desired, desired.hash);
  return std::find(live.taken_names.begin(), live.taken_names.end(), name) != live.taken_names.end();
}

}  // namespace reconciler
