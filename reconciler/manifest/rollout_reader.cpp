#include "manifest/rollout_reader.h"

#include <algorithm>
#include <charconv>

#include "base/format.h"
#include "manifest/duration_field.h"
#include "manifest/experiment_reader.h"
#include "manifest/labels.h"
#include "manifest/names.h"
#include "manifest/rollout_fields.h"
#include "manifest/route_steps.h"
#include "manifest/routing_check.h"
#include "manifest/routing_reader.h"
#include "manifest/workload_ref.h"
#include "rollout/steps_hash.h"

namespace reconciler {
namespace {

constexpr int kAnyCount = INT32_MAX;
constexpr size_t kStepsMax = 500;

Pause read_pause(const Field& pause) {
  if (!pause.is_map()) return {};
  return {read_duration(pause["duration"])};
}

SetCanaryScale read_canary_scale(const Field& step, int whole) {
  Field scale = step["setCanaryScale"];
  if (!scale.is_map()) return {};
  SetCanaryScale out{scale["replicas"].integer(0, kAnyCount), scale["weight"].integer(0, whole)};
  const bool follows = scale["matchTrafficWeight"].flag().value_or(false);
  const int modes = int(scale["replicas"].present()) + int(scale["weight"].present()) + int(follows);
  if (modes != 1) scale.problem("must have exactly one of replicas, weight and matchTrafficWeight: true");
  return out;
}

/// `whole`: what the weights are parts of.
std::vector<Step> read_steps(const Field& steps, int whole) {
  std::vector<Step> out;
  if (steps.json().size() > kStepsMax) {
    steps.problem(format("must be at most {} steps", kStepsMax));
    return out;
  }
  for (const Field& step : steps.items()) {
    // Of a step with several types, which is refused, each is looked at.
    std::vector<Step> types;
    if (step["setWeight"].present()) types.emplace_back(SetWeight{step["setWeight"].integer(0, whole).value_or(0)});
    if (step["pause"].present()) types.emplace_back(read_pause(step["pause"]));
    if (step["setCanaryScale"].present()) types.emplace_back(read_canary_scale(step, whole));
    if (step["experiment"].present()) types.emplace_back(read_experiment(step["experiment"]));
    if (auto route = read_route_step(step)) std::visit([&](auto& r) { types.emplace_back(std::move(r)); }, *route);
    if (!types.empty()) out.push_back(types.front());
  }
  return out;
}

/// A count, or a share of the replicas: any string is a percentage, with or without `%`.
std::optional<PodCount> read_pod_count(const Field& field, int percent_max) {
  const Json& value = field.json();
  if (!field.present()) return std::nullopt;
  if (!value.is_string()) {
    auto count = field.integer(0, kAnyCount);
    return count ? std::optional(PodCount{*count, PodCount::Unit::Pods}) : std::nullopt;
  }
  std::string_view text = value.get_ref<const std::string&>();
  bool marked = text.ends_with('%');
  if (marked) text.remove_suffix(1);
  int percent = -1;
  auto end = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size() || percent < 0 || percent > percent_max) {
    field.problem(percent_max == 100 ? "must be a count, or a percentage of 0% to 100%"
                                     : "must be a count or a percentage");
    return std::nullopt;
  }
  if (!marked) field.warning(format("\"{}\" is read as {}%; write it so", text, text));
  return PodCount{percent, PodCount::Unit::Percent};
}

void read_surge(const Field& canary, Rollout& rollout) {
  auto surge = read_pod_count(canary["maxSurge"], kAnyCount);
  auto unavailable = read_pod_count(canary["maxUnavailable"], 100);
  // Raw values: a share that only comes to 0 by rounding is no mistake.
  if (surge && surge->number == 0 && unavailable && unavailable->number == 0)
    canary["maxSurge"].problem("maxSurge and maxUnavailable must not both be zero");
  rollout.max_surge = surge.value_or(rollout.max_surge);
  rollout.max_unavailable = unavailable.value_or(rollout.max_unavailable);
}

std::optional<PodCount> read_threshold(const Field& threshold) {
  if (!threshold.present() || !threshold.is_map()) return std::nullopt;
  const std::string type = threshold["type"].text().value_or("");
  const bool percent = type == "Percent";
  if (!percent && type != "Pods") threshold["type"].problem("must be Percent or Pods");
  if (!threshold["value"].present()) threshold.problem("value is required");
  auto value = threshold["value"].integer(0, percent ? 100 : kAnyCount);
  return PodCount{value.value_or(0), percent ? PodCount::Unit::Percent : PodCount::Unit::Pods};
}

std::string read_service(const Field& field) {
  std::string name = field.text().value_or("");
  if (!name.empty())
    if (auto trouble = name_trouble("", name)) field.problem(*trouble);
  return name;
}

void read_services(const Field& canary, Rollout& rollout) {
  rollout.stable_service = read_service(canary["stableService"]);
  rollout.canary_service = read_service(canary["canaryService"]);
  if (!rollout.stable_service.empty() && rollout.stable_service == rollout.canary_service)
    canary["stableService"].problem("must be another Service than canaryService");
}

/// What only means something when a router shifts the traffic.
void refuse_without_routing(const Field& canary) {
  for (std::string_view name : {"scaleDownDelaySeconds", "dynamicStableScale"}) {
    Field field = canary[name];
    if (field.present() && field.json() != false) field.problem("needs trafficRouting");
  }
  for (std::string_view name : {"abortScaleDownDelaySeconds", "minPodsPerReplicaSet", "scaleDownDelayRevisionLimit"})
    if (canary[name].present()) canary[name].warning("has no effect without trafficRouting");
  for (const Field& step : canary["steps"].items())
    if (step["setCanaryScale"].present()) step["setCanaryScale"].problem("needs trafficRouting");
}

std::optional<AntiAffinity> read_anti_affinity(const Field& rule) {
  if (!rule.is_map()) return std::nullopt;
  Field required = rule["requiredDuringSchedulingIgnoredDuringExecution"];
  Field preferred = rule["preferredDuringSchedulingIgnoredDuringExecution"];
  if (required.present() == preferred.present()) {
    rule.problem(
        "must have exactly one of requiredDuringSchedulingIgnoredDuringExecution and "
        "preferredDuringSchedulingIgnoredDuringExecution");
    return std::nullopt;
  }
  if (required.present()) return AntiAffinity{};
  if (!preferred["weight"].present()) preferred.problem("weight is required");
  return AntiAffinity{preferred["weight"].integer(1, 100).value_or(1)};
}

/// The times that pods without traffic are kept.
void read_delays(const Field& strategy, Rollout& rollout) {
  rollout.scale_down_delay = std::chrono::seconds(strategy["scaleDownDelaySeconds"].integer(0, kAnyCount).value_or(30));
  rollout.scale_down_delay_revision_limit = strategy["scaleDownDelayRevisionLimit"].integer(0, kAnyCount);
  rollout.abort_scale_down_delay =
      std::chrono::seconds(strategy["abortScaleDownDelaySeconds"].integer(0, kAnyCount).value_or(30));
}

void read_scaling(const Field& canary, Rollout& rollout) {
  read_delays(canary, rollout);
  rollout.dynamic_stable_scale = canary["dynamicStableScale"].flag().value_or(false);
  if (rollout.dynamic_stable_scale && canary["scaleDownDelaySeconds"].present())
    canary["dynamicStableScale"].problem("cannot be used together with scaleDownDelaySeconds");
  rollout.min_pods_per_replica_set = canary["minPodsPerReplicaSet"].integer(0, kAnyCount);
  rollout.replica_progress_threshold = read_threshold(canary["replicaProgressThreshold"]);
}

void read_routers(const Field& canary, Rollout& rollout) {
  Field routing = canary["trafficRouting"];
  bool any_router = std::any_of(routing.json().items().begin(), routing.json().items().end(), [](const auto& member) {
    return !member.value().is_null() && member.key() != "managedRoutes" && member.key() != "maxTrafficWeight";
  });
  if (!any_router) routing.problem("must name a router, such as istio");
  const auto max_weight = rollout.routing.max_weight;
  rollout.routing = read_routing(routing, rollout.key);
  rollout.routing.max_weight = max_weight;
  check_routing(canary, rollout);
}

void read_canary(const Field& canary, Rollout& rollout) {
  if (!canary.present() || !canary.json().is_object()) return;
  read_surge(canary, rollout);
  rollout.routing.max_weight = read_max_weight(canary["trafficRouting"]);
  rollout.steps = read_steps(canary["steps"], rollout.whole());
  read_scaling(canary, rollout);
  rollout.canary_metadata = read_pod_metadata(canary["canaryMetadata"]);
  rollout.stable_metadata = read_pod_metadata(canary["stableMetadata"]);
  rollout.anti_affinity = read_anti_affinity(canary["antiAffinity"]);
  read_ping_pong(canary, rollout);
  if (!rollout.ping_pong) read_services(canary, rollout);
  for (std::string_view name : {"stableService", "canaryService"})
    if (rollout.ping_pong && canary[name].present() && canary[name].json() != "")
      canary[name].problem("is not supported beside pingPong, whose two Services take its place");
  Field routing = canary["trafficRouting"];
  if (!routing.present()) refuse_without_routing(canary);
  if (routing.json().is_object()) read_routers(canary, rollout);
  check_experiments(canary, rollout);
}

void read_blue_green(const Field& blue_green, Rollout& rollout) {
  if (!blue_green.present() || !blue_green.json().is_object()) return;
  rollout.blue_green = BlueGreen{.preview_replicas = blue_green["previewReplicaCount"].integer(0, kAnyCount),
                                 .auto_promotion = blue_green["autoPromotionEnabled"].flag().value_or(true),
                                 .auto_promotion_after = std::chrono::seconds(
                                     blue_green["autoPromotionSeconds"].integer(0, kAnyCount).value_or(0))};
  read_delays(blue_green, rollout);
  rollout.max_unavailable = read_pod_count(blue_green["maxUnavailable"], 100).value_or(rollout.max_unavailable);
  rollout.canary_metadata = read_pod_metadata(blue_green["previewMetadata"]);
  rollout.stable_metadata = read_pod_metadata(blue_green["activeMetadata"]);
  rollout.anti_affinity = read_anti_affinity(blue_green["antiAffinity"]);
  rollout.stable_service = read_service(blue_green["activeService"]);
  rollout.canary_service = read_service(blue_green["previewService"]);
  if (rollout.stable_service.empty()) blue_green["activeService"].problem("is required");
  if (!rollout.stable_service.empty() && rollout.stable_service == rollout.canary_service)
    blue_green["activeService"].problem("must be another Service than previewService");
  if (rollout.scale_down_delay_revision_limit.value_or(0) > rollout.revision_history_limit)
    blue_green["scaleDownDelayRevisionLimit"].problem(
        format("must be at most revisionHistoryLimit ({})", rollout.revision_history_limit));
}

void read_strategy(const Field& spec, Rollout& rollout) {
  Field strategy = spec["strategy"];
  if (!strategy.present()) return spec["strategy"].problem("is required");
  bool canary = strategy["canary"].present(), blue_green = strategy["blueGreen"].present();
  if (strategy.json().is_object() && !canary && !blue_green) strategy.problem("must have canary or blueGreen");
  if (canary && blue_green) strategy.problem("must have canary or blueGreen, not both");
  read_canary(strategy["canary"], rollout);
  read_blue_green(strategy["blueGreen"], rollout);
}

void read_template(const Field& spec, Rollout& rollout) {
  Field ref = spec["workloadRef"];
  if (!ref.present()) return read_pod_template(spec["template"], spec["selector"], rollout);
  if (spec["template"].present()) spec["template"].problem("must be absent with workloadRef");
  rollout.workload_ref = read_workload_ref(ref);
  if (check_selector(spec["selector"])) rollout.selector = dump(spec["selector"].json());
}

void read_restart(const Field& field, Rollout& rollout) {
  auto text = field.text();
  if (!text) return;
  rollout.restart_at = parse_time(*text);
  if (!rollout.restart_at) field.problem("must be a time such as 2026-11-20T09:14:03Z");
}

void read_numbers(const Field& spec, Rollout& rollout) {
  read_restart(spec["restartAt"], rollout);
  rollout.replicas = spec["replicas"].integer(0, kAnyCount).value_or(1);
  rollout.min_ready_seconds = spec["minReadySeconds"].integer(0, kAnyCount).value_or(0);
  rollout.revision_history_limit = spec["revisionHistoryLimit"].integer(0, kAnyCount).value_or(10);
  rollout.rollback_window = spec["rollbackWindow"]["revisions"].integer(0, 1000).value_or(3);
  auto deadline = spec["progressDeadlineSeconds"].integer(0, kAnyCount);
  rollout.progress_deadline = std::chrono::seconds(deadline.value_or(600));
  rollout.progress_deadline_abort = spec["progressDeadlineAbort"].flag().value_or(false);
  rollout.paused = spec["paused"].flag().value_or(false);
  bool readable = deadline || !spec["progressDeadlineSeconds"].present();
  if (readable && deadline.value_or(600) <= rollout.min_ready_seconds)
    spec["progressDeadlineSeconds"].problem(
        format("must be greater than minReadySeconds ({})", rollout.min_ready_seconds));
}

}  // namespace

Rollout read_rollout(const Field& manifest, RolloutKey key) {
  Rollout rollout;
  rollout.key = std::move(key);
  if (rollout.key.name.size() > 63)
    manifest["metadata"]["name"].problem("must be at most 63 characters, because it becomes a label");
  check_rollout_fields(manifest);
  Field spec = manifest["spec"];
  if (!spec.present()) {
    spec.problem("is required");
    return rollout;
  }
  if (!spec.json().is_object()) return rollout;
  read_numbers(spec, rollout);
  read_template(spec, rollout);
  read_strategy(spec, rollout);
  const Field steps = spec["strategy"]["canary"]["steps"];
  if (auto hash = steps_hash(steps.json()))
    rollout.steps_hash = *hash;
  else if (manifest.findings().problems.empty())
    steps.problem(hash.error().message);
  return rollout;
}

}  // namespace reconciler
