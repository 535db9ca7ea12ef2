#include "cli/dry_run.h"

#include <iostream>
#include <mutex>

#include "base/format.h"
#include "rollout/routing.h"

namespace reconciler {
namespace {

/// Calls come from several threads; a line stays whole.
void print(const std::string& line) {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  std::cout << line << std::endl;
}

}  // namespace

Result<void> DryRunGit::record(const std::vector<StatusWrite>& writes) {
  for (const StatusWrite& write : writes) print("would commit: " + write.message.substr(0, write.message.find('\n')));
  return {};
}

Result<void> DryRunCluster::carry_out(const RolloutKey& rollout, const Action& action) {
  print(format("would act: {}: {}", rollout.text(), describe(action)));
  // Nothing follows from an action that was not done, so the plan ends here.
  return invalid("dry run");
}

Result<void> DryRunCluster::remove(const Json& live) {
  print("would delete: " + key_of(live).text());
  return {};
}

Result<void> DryRunCluster::ensure_namespace(const std::string& name) {
  auto live =
      cluster_.read({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}}, ReadMode::Known);
  if (!live) return live.error();
  std::lock_guard lock(mutex_);
  if (!*live && imagined_namespaces_.insert(name).second) print("would create: Namespace " + name);
  return {};
}

Result<Json> DryRunCluster::apply(const Json& object, ApplyMode mode) {
  const ObjectKey key = key_of(object);
  if (mode == ApplyMode::Status) return object;
  // In a namespace that is not there the API server cannot say more.
  const bool homeless = [&] {
    std::lock_guard lock(mutex_);
    return imagined_namespaces_.contains(key.ns);
  }();
  auto answer = homeless ? Result<Json>(object) : cluster_.apply(object, ApplyMode::DryRun);
  if (mode == ApplyMode::DryRun || !answer) return answer;
  print("would apply: " + key.text());
  std::lock_guard lock(mutex_);
  imagined_[key] = *answer;
  return answer;
}

Result<Observed> DryRunCluster::observe(const Rollout& rollout, TimePoint now) {
  auto live = cluster_.observe(rollout, now);
  if (!live) return live;
  std::lock_guard lock(mutex_);
  for (const std::string& name : {rollout.stable_service, rollout.canary_service}) {
    auto service = imagined_.find({"", "Service", rollout.key.ns, name});
    if (service == imagined_.end() || live->services.contains(name)) continue;
    live->services[name].hash = text_at(service->second, {"spec", "selector", kHashLabel});
  }
  for (const RouteObject& object : route_objects(rollout))
    if (auto imagined = imagined_.find(object.key); imagined != imagined_.end())
      live->routes.emplace(object.key, imagined->second);
  return live;
}

}  // namespace reconciler
