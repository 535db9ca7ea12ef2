#include "sim/mischief.h"

#include "base/format.h"
#include "rollout/action.h"

namespace reconciler {
namespace {

const WriteOptions kByHand = {.manager = "kubectl"};

}  // namespace

Mischief::Mischief(World& world, Random random, std::function<void(const RolloutKey&, const std::string&)> say)
    : world_(world), random_(random), say_(std::move(say)) {
  for (Deed deed : {&Mischief::lose_pod, &Mischief::lose_all_pods, &Mischief::scale_set, &Mischief::delete_set,
                    &Mischief::move_weights, &Mischief::move_service, &Mischief::edit_port, &Mischief::take_label})
    if (random_.chance(0.5)) deeds_.push_back(deed);
}

void Mischief::act(const App& app) {
  if (deeds_.empty()) return;
  Deed deed = random_.pick(deeds_);
  (this->*deed)(app);
}

std::vector<Object> Mischief::sets_of(const App& app) const {
  std::vector<Object> out;
  for (const Object& set : world_.store().list(*world_.catalogue().by_kind("apps/v1", "ReplicaSet"), app.key.ns))
    if (text_at(*set, {"metadata", "name"}).starts_with(app.key.name + "-")) out.push_back(set);
  return out;
}

void Mischief::remove_pods(const Json& set, int count) {
  const ResourceType* pods = world_.catalogue().by_kind("v1", "Pod");
  for (const ObjectRef& ref : world_.store().dependents(text_at(set, {"metadata", "uid"}))) {
    if (ref.type != pods || count-- <= 0) continue;
    (void)world_.remove({.type = pods, .ns = ref.ns, .name = ref.name});  // gone already is as good
  }
}

void Mischief::lose_pod(const App& app) {
  auto sets = sets_of(app);
  if (sets.empty()) return;
  Object set = random_.pick(sets);
  say_(app.key, "a pod of " + text_at(*set, {"metadata", "name"}) + " is lost");
  remove_pods(*set, 1);
}

void Mischief::lose_all_pods(const App& app) {
  auto sets = sets_of(app);
  if (sets.empty()) return;
  Object set = random_.pick(sets);
  say_(app.key, "all pods of " + text_at(*set, {"metadata", "name"}) + " are lost");
  remove_pods(*set, 1000);
}

void Mischief::scale_set(const App& app) {
  auto sets = sets_of(app);
  if (sets.empty()) return;
  Object set = random_.pick(sets);
  const std::string name = text_at(*set, {"metadata", "name"});
  const int replicas = random_.between(0, 5);
  say_(app.key, format("somebody scales {} to {}", name, replicas));
  (void)world_.patch({.type = world_.catalogue().by_kind("apps/v1", "ReplicaSet"), .ns = app.key.ns, .name = name},
                     PatchKind::Merge, {{"spec", {{"replicas", replicas}}}}, kByHand);
}

void Mischief::delete_set(const App& app) {
  auto sets = sets_of(app);
  if (sets.empty()) return;
  Object set = random_.pick(sets);
  const std::string name = text_at(*set, {"metadata", "name"});
  say_(app.key, format("somebody deletes {}", name));
  (void)world_.remove({.type = world_.catalogue().by_kind("apps/v1", "ReplicaSet"), .ns = app.key.ns, .name = name});
}

void Mischief::move_weights(const App& app) {
  const ResourcePath path{.type = world_.catalogue().by_kind("networking.istio.io/v1", "VirtualService"),
                          .ns = app.key.ns,
                          .name = app.key.name};
  auto live = world_.get(path);
  const bool has_http = app.router == AppRouter::Istio || app.router == AppRouter::TwoServices;
  if (!live || !has_http) return;
  const int weight = random_.between(0, 100);
  Json changed = **live;
  for (Json& route : changed["spec"]["http"]) {
    if (text_at(route, {"name"}) != "primary") continue;
    for (Json& destination : route["route"]) {
      const bool canary = text_at(destination, {"destination", "host"}) == app.canary_service();
      destination["weight"] = canary ? weight : 100 - weight;
    }
  }
  say_(app.key, format("somebody moves {}% to the canary", weight));
  (void)world_.update(path, changed, kByHand);
}

void Mischief::move_service(const App& app) {
  auto sets = sets_of(app);
  const std::string name = random_.chance(0.5) ? app.stable_service() : app.canary_service();
  const ResourcePath path{.type = world_.catalogue().by_kind("v1", "Service"), .ns = app.key.ns, .name = name};
  if (sets.empty() || !world_.get(path)) return;
  Json hash;
  if (random_.chance(0.8)) hash = text_at(*random_.pick(sets), {"metadata", "labels", kHashLabel});
  say_(app.key, format("somebody lets Service {} select {}", name, hash.is_null() ? "every revision" : dump(hash)));
  (void)world_.patch(path, PatchKind::Merge, {{"spec", {{"selector", {{std::string(kHashLabel), hash}}}}}}, kByHand);
}

/// Drift of what Git alone decides about.
void Mischief::edit_port(const App& app) {
  const std::string name = random_.chance(0.5) ? app.stable_service() : app.canary_service();
  const ResourcePath path{.type = world_.catalogue().by_kind("v1", "Service"), .ns = app.key.ns, .name = name};
  if (!world_.get(path)) return;
  say_(app.key, format("somebody edits the port of Service {}", name));
  const Json ports = Json::array({{{"port", 80}, {"protocol", "TCP"}, {"targetPort", 9090}}});
  (void)world_.patch(path, PatchKind::Merge, {{"spec", {{"ports", ports}}}}, kByHand);
}

void Mischief::take_label(const App& app) {
  const std::vector<Json> routes = app.routed ? route_manifests(app) : std::vector<Json>{};
  if (routes.empty()) return;
  const std::string kind = text_at(routes.front(), {"kind"});
  const ResourcePath path{.type = world_.catalogue().by_kind(text_at(routes.front(), {"apiVersion"}), kind),
                          .ns = app.key.ns,
                          .name = app.key.name};
  if (!world_.get(path)) return;
  say_(app.key, format("somebody takes our label from the {}", kind));
  (void)world_.patch(path, PatchKind::Merge, {{"metadata", {{"labels", {{std::string(kOwnerLabel), nullptr}}}}}},
                     kByHand);
}

}  // namespace reconciler
