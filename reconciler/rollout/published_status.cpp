#include "rollout/published_status.h"

#include <algorithm>

#include "base/format.h"
#include "rollout/live_phase.h"
#include "rollout/restart.h"
#include "rollout/route_diff.h"
#include "rollout/target.h"

namespace reconciler {
namespace {

struct Condition {
  std::string_view type;
  std::string_view status;  ///< True, False, Unknown
  std::string_view reason;
  std::string message;
};

std::string_view truth(bool value) { return value ? "True" : "False"; }

const Json* condition_in(const Json& conditions, std::string_view type) {
  if (!conditions.is_array()) return nullptr;
  for (const Json& each : conditions)
    if (text_at(each, {"type"}) == type) return &each;
  return nullptr;
}

/// A condition with equal status and reason is not rewritten; `lastTransitionTime` moves only with the status.
Json written(const Condition& condition, const Json& before, TimePoint now) {
  const Json* old = condition_in(before, condition.type);
  const bool same_status = old && text_at(*old, {"status"}) == condition.status;
  if (same_status && text_at(*old, {"reason"}) == condition.reason) return *old;
  const std::string time = format_time(now);
  return {{"type", condition.type},
          {"status", condition.status},
          {"reason", condition.reason},
          {"message", condition.message},
          {"lastUpdateTime", time},
          {"lastTransitionTime", same_status ? text_at(*old, {"lastTransitionTime"}, time) : time}};
}

/// Everything the status is made of.
class View {
 public:
  View(const Rollout& desired, const Observed& live, const Status& status, TimePoint now)
      : desired_(desired),
        live_(live),
        status_(status),
        now_(now),
        pods_(count_pods(desired, live)),
        phase_(live_phase(desired, live, status, now)) {}

  Json counts() const {
    if (desired_.blue_green) return active_counts();
    return {{"replicas", pods_.replicas},
            {"updatedReplicas", pods_.updated},
            {"readyReplicas", pods_.ready},
            {"availableReplicas", pods_.available},
            {"HPAReplicas", pods_.replicas}};
  }

  Json phase() const {
    Json out = {{"phase", to_text(phase_.phase)}};
    if (!phase_.message.empty()) out["message"] = phase_.message;
    if (phase_.phase == Phase::Paused && !desired_.paused) {
      const TimePoint since = status_.step      ? status_.step->since
                              : status_.preview ? status_.preview->since
                              : status_.canary  ? status_.canary->since
                                                : TimePoint{};
      const char* reason = desired_.blue_green ? "BlueGreenPause" : "CanaryPauseStep";
      out["pauseConditions"] = Json::array({{{"reason", reason}, {"startTime", format_time(since)}}});
      out["controllerPause"] = true;
    }
    const bool restarted =
        desired_.restart_at && *desired_.restart_at <= now_ && !pods_to_restart(desired_, live_, now_);
    if (restarted) out["restartedAt"] = format_time(*desired_.restart_at);
    if (aborted()) out["abort"] = true;
    if (aborted()) out["abortedAt"] = format_time(rejected()->at);
    return out;
  }

  Json revisions() const {
    Json out = {{"currentPodHash", desired_.hash}, {"stableRS", status_.stable ? status_.stable->hash : ""}};
    if (status_.step) out["currentStepIndex"] = aborted() ? 0 : status_.step->index;
    if (status_.step) out["currentStepHash"] = desired_.steps_hash;
    if (status_.collisions) out["collisionCount"] = *status_.collisions;
    if (Json shares = weights(); !shares.is_null()) out["canary"]["weights"] = std::move(shares);
    if (desired_.ping_pong) out["canary"]["stablePingPong"] = status_.pong_is_stable ? "pong" : "ping";
    if (desired_.blue_green) out["blueGreen"] = selectors();
    return out;
  }

  /// How long the last update took and how it ended. What was published before says when it began, once it is over.
  Json duration(const Json& before) const {
    const bool under_way = status_.canary && status_.returning.empty();
    if (under_way) return {{"rolloutStartedAt", format_time(status_.canary->since)}};
    const Json* known = find(before, {"duration"});
    if (!known || status_.canary) return known ? *known : Json();
    Json out = *known;
    if (out.contains("finishedAt") || !out.contains("rolloutStartedAt")) return out;
    const auto began = parse_time(text_at(out, {"rolloutStartedAt"}));
    const bool promoted = status_.stable && began && status_.stable->since >= *began;
    const bool in_full = status_.decision && status_.decision->verb == Verb::PromoteFull && promoted &&
                         status_.decision->revision == status_.stable->hash;
    out["finishedAt"] = format_time(promoted ? status_.stable->since : aborted() ? rejected()->at : now_);
    out["completionStatus"] = in_full ? "FastPromoted" : promoted ? "Promoted" : aborted() ? "Aborted" : "RolledBack";
    return out;
  }

  /// Which pods the scale subresource counts.
  std::string selector() const {
    auto selector = parse_json(desired_.selector);
    if (!selector) return "";
    if (const Workload* active = active_workload()) (*selector)["matchLabels"][std::string(kHashLabel)] = active->hash;
    return selector_text(*selector);
  }

  std::vector<Condition> conditions() const {
    std::vector<Condition> out;
    if (!status_.refused.empty()) out.push_back({"InvalidSpec", "True", "InvalidSpec", status_.refused});
    out.push_back(progressing());
    const bool enough = pods_.available >= desired_.replicas;
    out.push_back({"Available", truth(enough), "AvailableReason",
                   format("{} of {} pods are available", pods_.available, desired_.replicas)});
    const bool paused = phase_.phase == Phase::Paused;
    out.push_back({"Paused", truth(paused), "RolloutPaused", paused ? phase_.message : "not paused"});
    const bool complete = status_.stable && status_.stable->hash == desired_.hash && !status_.canary;
    out.push_back({"Completed", truth(complete), "RolloutCompleted",
                   complete ? "the version in Git is stable" : "the version in Git is not stable yet"});
    const bool healthy = phase_.phase == Phase::Healthy;
    out.push_back({"Healthy", truth(healthy), "RolloutHealthy", healthy ? "healthy" : "not healthy"});
    return out;
  }

 private:
  /// Blue-green: the ReplicaSet that has the traffic; null when there is none, and for a canary.
  const Workload* active_workload() const {
    return desired_.blue_green ? live_.workload(active_revision(desired_, live_)) : nullptr;
  }

  /// Blue-green: what an autoscaler, and whoever asks for availability, means is the version that has the traffic.
  Json active_counts() const {
    const Workload* active = active_workload();
    return {{"replicas", pods_.replicas},
            {"updatedReplicas", pods_.updated},
            {"readyReplicas", active ? active->ready : pods_.ready},
            {"availableReplicas", active ? active->available : pods_.available},
            {"HPAReplicas", active ? active->current : pods_.replicas}};
  }

  Json selectors() const {
    Json out = Json::object();
    if (const std::string active = active_revision(desired_, live_); !active.empty()) out["activeSelector"] = active;
    auto preview = live_.services.find(desired_.canary_service);
    if (preview != live_.services.end() && !preview->second.hash.empty()) out["previewSelector"] = preview->second.hash;
    if (status_.preview && status_.preview->accepted) out["scaleUpPreviewCheckPoint"] = true;
    return out;
  }

  /// The weights as the route has them; null when it cannot be read, or nothing is stable yet.
  Json weights() const {
    if (!status_.stable || desired_.routing.routers.empty()) return nullptr;
    if (!missing_route_object(desired_, live_.routes).empty()) return nullptr;
    const Traffic sides = traffic_of(target(desired_, status_));
    auto weight = canary_weight(desired_, live_.routes, sides);
    const auto experiments = experiment_weights(desired_, live_.routes, sides);
    if (!weight || !experiments) return nullptr;
    int further = 0;
    Json additional = Json::array();
    for (const auto& [service, share] : *experiments) {
      further += share;
      auto leads = [&](const Workload& w) { return w.service == service; };
      const auto pods = std::find_if(live_.experiments.begin(), live_.experiments.end(), leads);
      additional.push_back({{"weight", share},
                            {"serviceName", service},
                            {"podTemplateHash", pods == live_.experiments.end() ? "" : pods->hash}});
    }
    const std::string& canary = status_.canary ? status_.canary->hash : status_.stable->hash;
    Json out = {{"canary", {{"weight", *weight}, {"serviceName", sides.canary.service}, {"podTemplateHash", canary}}},
                {"stable",
                 {{"weight", desired_.whole() - *weight - further},
                  {"serviceName", sides.stable.service},
                  {"podTemplateHash", status_.stable->hash}}}};
    if (!additional.empty()) out["additional"] = std::move(additional);
    return out;
  }

  bool aborted() const { return is_rejected(status_, desired_.hash); }

  const Rejected* rejected() const {
    for (const Rejected& r : status_.rejected)
      if (r.hash == desired_.hash) return &r;
    return nullptr;
  }

  Condition progressing() const {
    if (aborted()) return {"Progressing", "False", "RolloutAborted", rejected()->why};
    if (status_.phase == Phase::Degraded && status_.refused.empty())
      return {"Progressing", "False", "ProgressDeadlineExceeded", phase_.message};
    if (phase_.phase == Phase::Paused) return {"Progressing", "Unknown", "RolloutPaused", phase_.message};
    if (phase_.phase == Phase::Healthy)
      return {"Progressing", "True", "NewReplicaSetAvailable", "all pods are available"};
    return {"Progressing", "True", "ReplicaSetUpdated", phase_.message};
  }

  const Rollout& desired_;
  const Observed& live_;
  const Status& status_;
  const TimePoint now_;
  const PodCounts pods_;
  const LivePhase phase_;
};

std::string expression_text(const Json& expression) {
  const std::string key = text_at(expression, {"key"}), verb = text_at(expression, {"operator"});
  if (verb == "Exists") return key;
  if (verb == "DoesNotExist") return "!" + key;
  std::vector<std::string> values;
  if (const Json* list = find(expression, {"values"}); list && list->is_array())
    for (const Json& value : *list)
      if (value.is_string()) values.push_back(value.get<std::string>());
  std::sort(values.begin(), values.end());
  std::string out = key + (verb == "NotIn" ? " notin (" : " in (");
  for (size_t i = 0; i < values.size(); ++i) out += (i > 0 ? "," : "") + values[i];
  return out + ")";
}

/// Everything that a status of ours may hold.
constexpr std::string_view kMembers[] = {
    "HPAReplicas",        "abort",           "abortedAt",       "availableReplicas", "collisionCount", "conditions",
    "controllerPause",    "currentPodHash",  "currentStepHash", "currentStepIndex",  "duration",       "message",
    "observedGeneration", "pauseConditions", "phase",           "readyReplicas",     "replicas",       "restartedAt",
    "selector",           "stableRS",        "updatedReplicas"};

constexpr std::string_view kCanaryMembers[] = {"weights", "stablePingPong"};

constexpr std::string_view kBlueGreenMembers[] = {"activeSelector", "previewSelector", "scaleUpPreviewCheckPoint"};

bool same_at(const Json& a, const Json& b, std::initializer_list<std::string_view> path) {
  const Json *left = find(a, path), *right = find(b, path);
  return left && right ? *left == *right : left == right;
}

}  // namespace

bool is_published(const Json& before, const Json& status) {
  return std::all_of(std::begin(kMembers), std::end(kMembers),
                     [&](std::string_view member) { return same_at(before, status, {member}); }) &&
         std::all_of(std::begin(kCanaryMembers), std::end(kCanaryMembers),
                     [&](std::string_view member) {
                       return same_at(before, status, {"canary", member});
                     }) &&
         std::all_of(std::begin(kBlueGreenMembers), std::end(kBlueGreenMembers), [&](std::string_view member) {
           return same_at(before, status, {"blueGreen", member});
         });
}

Json refused_status(const Json& before, const std::string& why, TimePoint now) {
  Json out = Json::object();
  for (std::string_view member : kMembers)
    if (const Json* value = find(before, {member})) out[std::string(member)] = *value;
  for (std::string_view member : kCanaryMembers)
    if (const Json* value = find(before, {"canary", member})) out["canary"][std::string(member)] = *value;
  for (std::string_view member : kBlueGreenMembers)
    if (const Json* value = find(before, {"blueGreen", member})) out["blueGreen"][std::string(member)] = *value;
  out["phase"] = to_text(Phase::Degraded);
  out["message"] = "InvalidSpec: " + why;
  Json conditions =
      Json::array({written({"InvalidSpec", "True", "InvalidSpec", why}, out.value("conditions", Json::array()), now)});
  for (const Json& each : out.value("conditions", Json::array()))
    if (text_at(each, {"type"}) != "InvalidSpec") conditions.push_back(each);
  out["conditions"] = std::move(conditions);
  return out;
}

std::string selector_text(const Json& selector) {
  std::vector<std::string> parts;
  if (const Json* labels = find(selector, {"matchLabels"}); labels && labels->is_object())
    for (const auto& [key, value] : labels->items())
      if (value.is_string()) parts.push_back(key + "=" + value.get<std::string>());
  if (const Json* expressions = find(selector, {"matchExpressions"}); expressions && expressions->is_array())
    for (const Json& expression : *expressions) parts.push_back(expression_text(expression));
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ",") + part;
  return out;
}

Json published_status(const Rollout& desired, const Observed& live, const std::optional<Status>& status,
                      const Json& before, int64_t generation, TimePoint now) {
  const Status nothing;
  const View view(desired, live, status ? *status : nothing, now);
  Json out = view.counts();
  // A string, by the contract of the kind.
  out["observedGeneration"] = std::to_string(generation);
  if (const std::string selector = view.selector(); !selector.empty()) out["selector"] = selector;
  out.update(view.phase());
  out.update(view.revisions());
  if (Json duration = view.duration(before); duration.is_object()) out["duration"] = std::move(duration);
  const Json* conditions = find(before, {"conditions"});
  out["conditions"] = Json::array();
  for (const Condition& condition : view.conditions())
    out["conditions"].push_back(written(condition, conditions ? *conditions : Json(), now));
  return out;
}

}  // namespace reconciler
