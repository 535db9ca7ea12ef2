#include "cluster/watched_kind.h"

#include "base/check.h"
#include "cluster/writes.h"
#include "rollout/action.h"

namespace reconciler {

WatchedKind deleted_kind(const KubernetesWrite& write) {
  if (write.kind == kReplicaSets.kind) return kReplicaSets;
  return {.group = std::string(group_of(write.api_version)), .kind = write.kind};
}

ObjectKey key_for(const WatchedKind& kind, const std::string& ns, const std::string& name) {
  return {.group = kind.group, .kind = kind.kind, .ns = ns, .name = name};
}

std::string label_selector(Selection selection, std::string_view owner) {
  switch (selection) {
    case Selection::All: return "";
    case Selection::Hashed: return std::string(kHashLabel);
    case Selection::Ours:
      return std::string(kOwnerLabel) + "=" + std::string(owner) + ",!" + std::string(kRolloutLabel);
  }
  unreachable();
}

bool is_selected(Selection selection, std::string_view owner, const Json& object) {
  switch (selection) {
    case Selection::All: return true;
    case Selection::Hashed: return find(object, {"metadata", "labels", kHashLabel}) != nullptr;
    case Selection::Ours:
      return text_at(object, {"metadata", "labels", kOwnerLabel}) == owner &&
             find(object, {"metadata", "labels", kRolloutLabel}) == nullptr;
  }
  unreachable();
}

Selection selection_of(Follow follow) {
  switch (follow) {
    case Follow::Ours: return Selection::Ours;
    case Follow::All: return Selection::All;
  }
  unreachable();
}

}  // namespace reconciler
