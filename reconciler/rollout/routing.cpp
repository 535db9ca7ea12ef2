#include "rollout/routing.h"

#include <algorithm>

#include "base/text.h"
#include "rollout/action.h"
#include "rollout/gateway_managed_rules.h"
#include "rollout/routers.h"

namespace reconciler {
namespace {

bool carries_mark(RouteUse use) { return use == RouteUse::Weights || use == RouteUse::Made; }

/// The object that carries the mark: the first whose weights are written.
std::optional<ObjectKey> marked_object(const Rollout& rollout, const RouteObjects& live) {
  for (const RouteObject& object : route_objects(rollout))
    if (carries_mark(object.use) && live.contains(object.key)) return object.key;
  return std::nullopt;
}

/// `object` with that annotation; an empty `value` takes it away.
Json with_annotation(const Json& object, std::string_view name, const std::string& value) {
  if (value == text_at(object, {"metadata", "annotations", name})) return object;
  Json out = object;
  Json& metadata = out["metadata"];
  if (!value.empty()) {
    metadata["annotations"][std::string(name)] = value;
  } else {
    metadata["annotations"].erase(std::string(name));
    if (metadata["annotations"].empty()) metadata.erase("annotations");
  }
  return out;
}

std::string rejected_mark_of(const Json& object) {
  return text_at(object, {"metadata", "annotations", kRejectedAnnotation});
}

}  // namespace

int64_t reckoned_weight(std::optional<int64_t> weight, int64_t absent) {
  return std::clamp<int64_t>(weight.value_or(absent), 0, 1'000'000);
}

int64_t whole_of(const Rollout& rollout, const Split& split) {
  return rollout.routing.max_weight ? split.ours() : split.stable + split.canary + split.others;
}

std::vector<RouteObject> route_objects(const Rollout& rollout) {
  std::vector<RouteObject> out;
  for (const Router& router : rollout.routing.routers) {
    auto objects = std::visit([&](const auto& r) { return objects_of(r, rollout); }, router);
    for (RouteObject& object : objects)
      if (std::find(out.begin(), out.end(), object) == out.end()) out.push_back(std::move(object));
  }
  return out;
}

std::string missing_route_object(const Rollout& rollout, const RouteObjects& live) {
  for (const RouteObject& object : route_objects(rollout))
    if (object.use != RouteUse::Made && !live.contains(object.key))
      return object.key.kind + " " + object.key.ns + "/" + object.key.name + " is missing";
  return "";
}

Result<RouteObjects> with_weights(const Rollout& rollout, const RouteObjects& live, const Traffic& traffic) {
  RouteObjects out = live;
  for (const Router& router : rollout.routing.routers) {
    auto written = std::visit([&](const auto& r) { return write_weights(r, rollout, out, traffic); }, router);
    if (!written) return written.error();
    out = *std::move(written);
  }
  if (auto marked = marked_object(rollout, out)) out[*marked] = with_rejected_mark(out[*marked], traffic.rejected);
  return out;
}

Result<RouteObjects> with_revisions(const Rollout& rollout, const RouteObjects& live, const SubsetRevisions& wanted) {
  RouteObjects out = live;
  for (const Router& router : rollout.routing.routers)
    if (const auto* istio = std::get_if<IstioRouting>(&router)) {
      auto written = write_revisions(*istio, rollout, out, wanted);
      if (!written) return written.error();
      out = *std::move(written);
    }
  return out;
}

std::optional<SubsetRevisions> subset_revisions(const Rollout& rollout, const RouteObjects& live) {
  for (const Router& router : rollout.routing.routers)
    if (const auto* istio = std::get_if<IstioRouting>(&router))
      if (auto found = read_revisions(*istio, rollout, live)) return found;
  return std::nullopt;
}

Result<std::vector<Split>> splits(const Rollout& rollout, const RouteObjects& live, const Traffic& sides) {
  std::vector<Split> out;
  for (const Router& router : rollout.routing.routers) {
    auto found = std::visit([&](const auto& r) { return read_splits(r, rollout, live, sides); }, router);
    if (!found) return found.error();
    out.insert(out.end(), found->begin(), found->end());
  }
  return out;
}

Result<int> canary_weight(const Rollout& rollout, const RouteObjects& live, const Traffic& sides) {
  auto all = splits(rollout, live, sides);
  if (!all) return all.error();
  int highest = 0;
  for (const Split& split : *all)
    if (const int64_t whole = whole_of(rollout, split); whole > 0)
      highest = std::max(highest, rescaled_up(split.canary, whole, rollout.whole()));
  return highest;
}

Result<std::map<std::string, int>> experiment_weights(const Rollout& rollout, const RouteObjects& live,
                                                      const Traffic& sides) {
  auto all = splits(rollout, live, sides);
  if (!all) return all.error();
  std::map<std::string, int> out;
  for (const Split& split : *all)
    for (const auto& [name, weight] : split.experiments) {
      const int64_t whole = whole_of(rollout, split);
      if (whole > 0) out[name] = std::max(out[name], rescaled_up(weight, whole, rollout.whole()));
    }
  return out;
}

std::set<std::string> experiment_names(const Json& object) {
  std::set<std::string> out;
  const std::string text = text_at(object, {"metadata", "annotations", kExperimentsAnnotation});
  for (std::string_view name : split(text, ','))
    if (!name.empty()) out.emplace(name);
  return out;
}

Json with_experiment_names(const Json& object, const std::set<std::string>& names) {
  return with_annotation(object, kExperimentsAnnotation, joined(names, ","));
}

bool has_managed_route(const Rollout& rollout, const RouteObjects& live) {
  const auto& routers = rollout.routing.routers;
  auto has_one = [&](const auto& router) {
    if constexpr (requires { has_managed_route(router, rollout, live); })
      return has_managed_route(router, rollout, live);
    return false;
  };
  return std::any_of(routers.begin(), routers.end(), [&](const Router& router) { return std::visit(has_one, router); });
}

Result<Json> with_live_routes(const Rollout& rollout, const RouteObjects& live, const Json& manifest,
                              const Traffic& wanted) {
  const ObjectKey key = key_of(manifest);
  const auto current = live.find(key);
  // The other objects of a use stay out of it: what is wrong with them must not keep this one from its weights.
  RouteObjects one{{key, manifest}};
  for (const RouteObject& object : route_objects(rollout))
    if (auto found = live.find(object.key); object.use == RouteUse::Revisions && found != live.end())
      one.insert(*found);
  Traffic traffic = wanted;
  traffic.rejected.clear();
  traffic.experiments.clear();
  if (current == live.end()) {
    auto written = with_weights(rollout, one, traffic);
    return written ? Result<Json>(written->at(key)) : written.error();
  }
  auto weight = canary_weight(rollout, {*current}, traffic);
  if (!weight) return weight.error();
  auto experiments = experiment_weights(rollout, {*current}, traffic);
  if (!experiments) return experiments.error();
  traffic.weight = *weight;
  for (const auto& [name, share] : *experiments) traffic.experiments.push_back({name, "", share});
  traffic.managed.clear();
  auto written = with_weights(rollout, one, traffic);
  if (!written) return written.error();
  for (const Router& router : rollout.routing.routers)
    if (const auto* alb = std::get_if<AlbRouting>(&router); alb && key.kind == "Ingress")
      return with_managed_paths_of(*alb, rollout, current->second, written->at(key));
  if (key.kind == "HTTPRoute" || key.kind == "GRPCRoute")
    return with_managed_rules_of(rollout, current->second, written->at(key));
  if (key.kind != "VirtualService") return written->at(key);
  return with_managed_routes_of(rollout, current->second, written->at(key));
}

Json with_rejected_mark(const Json& object, const std::string& hash) {
  return with_annotation(object, kRejectedAnnotation, hash);
}

std::string rejected_mark(const Rollout& rollout, const RouteObjects& live) {
  auto marked = marked_object(rollout, live);
  return marked ? rejected_mark_of(live.at(*marked)) : "";
}

}  // namespace reconciler
