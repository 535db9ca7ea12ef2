#include "rollout/managed_routes.h"

#include <algorithm>

namespace reconciler {
namespace {

bool has_matches(const ManagedRoute& route) {
  return std::visit([](const auto& r) { return !r.matches.empty(); }, route);
}

bool is_promoted_at_once(const Status& status) {
  return status.decision && status.decision->verb == Verb::PromoteFull &&
         status.decision->revision == status.canary->hash;
}

/// The last thing that steps before `index` say about the route of that name; nothing when they say nothing.
std::optional<ManagedRoute> last_word(const Rollout& desired, int index, const std::string& name) {
  for (int i = std::min(index, int(desired.steps.size())) - 1; i >= 0; --i) {
    const Step& step = desired.steps[size_t(i)];
    if (const auto* header = std::get_if<SetHeaderRoute>(&step); header && header->name == name) return *header;
    if (const auto* mirror = std::get_if<SetMirrorRoute>(&step); mirror && mirror->name == name) return *mirror;
  }
  return std::nullopt;
}

}  // namespace

std::vector<ManagedRoute> managed_routes(const Rollout& desired, const Status& status) {
  std::vector<ManagedRoute> out;
  if (!status.canary || !status.step || is_promoted_at_once(status)) return out;
  for (const std::string& name : desired.routing.managed_routes)
    if (auto route = last_word(desired, status.step->index, name); route && has_matches(*route))
      out.push_back(*std::move(route));
  return out;
}

}  // namespace reconciler
