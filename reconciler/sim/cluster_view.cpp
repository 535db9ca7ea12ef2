#include "sim/cluster_view.h"

#include <algorithm>
#include <tuple>

#include "rollout/action.h"
#include "sim/route_view.h"

namespace reconciler {
namespace {

Object find_object(const World& world, const char* api_version, const char* kind, const std::string& ns,
                   const std::string& name) {
  return world.store().get({world.catalogue().by_kind(api_version, kind), ns, name});
}

std::string selected_hash(const Json& service) { return text_at(service, {"spec", "selector", kHashLabel}); }

template <class Get>
ExperimentView experiment_view(const Json& set, const Get& get) {
  const std::string hash = text_at(set, {"metadata", "labels", kHashLabel});
  ExperimentView out{.service = text_at(set, {"metadata", "annotations", kExperimentServiceAnnotation}),
                     .replicas = int(integer_at(set, {"spec", "replicas"}).value_or(1))};
  const bool leads = !out.service.empty() && selected_hash(get("v1", "Service", out.service)) == hash;
  out.answers = leads && integer_at(set, {"status", "availableReplicas"}).value_or(0) > 0;
  return out;
}

}  // namespace

std::map<std::string, int> RolloutView::traffic() const {
  std::map<std::string, int> out;
  out[stable_selects] += stable_weight;
  out[canary_selects] += canary_weight;
  return out;
}

int RolloutView::available(const std::string& hash) const {
  auto found = revisions.find(hash);
  return found == revisions.end() ? 0 : found->second.available;
}

RolloutView view_of(const World& world, const RolloutKey& rollout, const Json* replacing) {
  auto is_replaced = [&](const char* kind, const std::string& name) {
    return replacing && text_at(*replacing, {"kind"}) == kind && text_at(*replacing, {"metadata", "name"}) == name;
  };
  auto get = [&](const char* api_version, const char* kind, const std::string& name) -> Json {
    if (is_replaced(kind, name)) return *replacing;
    Object object = find_object(world, api_version, kind, rollout.ns, name);
    return object ? *object : Json();
  };
  RolloutView out;
  const Json stable = get("v1", "Service", rollout.name), canary = get("v1", "Service", rollout.name + "-canary");
  out.stable_selects = selected_hash(stable);
  out.canary_selects = selected_hash(canary);
  bool has_sides = !stable.is_null() && !canary.is_null();
  std::string extra;
  for (const RouteKind& kind : route_kinds_known())
    for (const std::string& name : route_names(rollout)) {
      if (!world.catalogue().by_kind(kind.api_version, kind.kind)) continue;
      const Json object = get(kind.api_version, kind.kind, name);
      if (object.is_null()) continue;
      if (std::string(kind.kind) == "DestinationRule") {
        std::tie(out.stable_selects, out.canary_selects) = subset_hashes(object);
        has_sides = true;
        continue;
      }
      out.routed = true;
      if (const std::string mark = text_at(object, {"metadata", "annotations", kRejectedAnnotation}); !mark.empty())
        out.mark = mark;
      if (const std::string target = extra_route_target(object); !target.empty()) extra = target;
      for (const RouteShare& share : shares_in(object, rollout)) {
        const int sum = share.first + share.second + share.others;
        out.weight_sums.insert(sum);
        if (sum > 0) {
          out.stable_weight = std::min(out.stable_weight, 100 - rescaled_up(share.second + share.others, sum, 100));
          out.canary_weight = std::max(out.canary_weight, rescaled_up(share.second, sum, 100));
        }
        for (const auto& [other, weight] : share.further) out.further[other] = std::max(out.further[other], weight);
      }
    }
  out.complete = has_sides && out.routed;
  if (!extra.empty())
    out.extra_route_leads_to = extra == rollout.name || extra == "stable" ? out.stable_selects : out.canary_selects;
  for (const Object& set : world.store().list(*world.catalogue().by_kind("apps/v1", "ReplicaSet"), rollout.ns)) {
    const std::string name = text_at(*set, {"metadata", "name"});
    const std::string hash = text_at(*set, {"metadata", "labels", kHashLabel});
    if (const std::string label = text_at(*set, {"metadata", "labels", kExperimentLabel}); !label.empty())
      if (text_at(*set, {"metadata", "labels", kRolloutLabel}) == rollout.name)
        out.experiments[name] = experiment_view(*set, get);
    if (name != rollout.name + "-" + hash) continue;
    out.revisions[hash] = {.name = name,
                           .replicas = int(integer_at(*set, {"spec", "replicas"}).value_or(1)),
                           .available = int(integer_at(*set, {"status", "availableReplicas"}).value_or(0)),
                           .owned = text_at(*set, {"metadata", "labels", kOwnerLabel}) == "serin" &&
                                    text_at(*set, {"metadata", "labels", kRolloutLabel}) == rollout.name};
  }
  return out;
}

}  // namespace reconciler
