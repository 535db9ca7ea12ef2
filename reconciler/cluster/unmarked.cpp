#include "cluster/unmarked.h"

#include "rollout/action.h"

namespace reconciler {

namespace {

/// The labels that a selector asks for, but for the hash, each as `key=value`.
std::vector<std::string> selected_labels(const std::string& selector) {
  std::vector<std::string> labels;
  auto parsed = parse_json(selector);
  const Json* match = parsed ? find(*parsed, {"matchLabels"}) : nullptr;
  if (match == nullptr || !match->is_object()) return labels;
  for (const auto& [key, value] : match->items())
    if (key != kHashLabel && value.is_string()) labels.push_back(key + "=" + value.get<std::string>());
  return labels;
}

bool is_unmarked(const ReplicaSetSummary& replica_set) {
  return replica_set.rollout.empty() && !replica_set.controlled;
}

}  // namespace

void UnmarkedIndex::add(const ReplicaSetSummary& replica_set) {
  if (!is_unmarked(replica_set)) return;
  for (const std::string& label : selected_labels(replica_set.selector))
    names_[{replica_set.ns, label}].insert(replica_set.workload.name);
}

void UnmarkedIndex::remove(const ReplicaSetSummary& replica_set) {
  if (!is_unmarked(replica_set)) return;
  for (const std::string& label : selected_labels(replica_set.selector)) {
    auto place = names_.find({replica_set.ns, label});
    if (place == names_.end()) continue;
    place->second.erase(replica_set.workload.name);
    if (place->second.empty()) names_.erase(place);
  }
}

std::set<std::string> UnmarkedIndex::candidates(const Rollout& rollout) const {
  if (names_.empty()) return {};
  const std::set<std::string>* fewest = nullptr;
  for (const std::string& label : selected_labels(rollout.selector)) {
    auto names = names_.find({rollout.key.ns, label});
    if (names == names_.end()) return {};
    if (fewest == nullptr || names->second.size() < fewest->size()) fewest = &names->second;
  }
  return fewest == nullptr ? std::set<std::string>() : *fewest;
}

}  // namespace reconciler
