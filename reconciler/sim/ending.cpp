#include "sim/ending.h"

#include <set>

#include "base/format.h"
#include "rollout/action.h"
#include "rollout/routing.h"
#include "rollout/target.h"
#include "sim/cluster_view.h"
#include "sim/route_view.h"

namespace reconciler {
namespace {

bool names_broken(const std::string& image) { return image.find("broken") != image.npos; }

bool is_broken(const Rollout& wanted) { return names_broken(wanted.images.front().image); }

/// An Experiment by itself was run to its end, or waits for somebody to end it.
std::string wrong_run(const Rollout& wanted, const Status& status) {
  if (!status.refused.empty()) return "still refused";
  if (!status.run || status.run->hash != wanted.hash) return "what Git asks for was not run";
  const bool over = !status.run->ended.empty();
  if (over) return status.phase == (status.run->failed ? Phase::Degraded : Phase::Healthy) ? "" : "over, but goes on";
  if (wanted.standalone->terminate) return "goes on although Git terminates it";
  return status.phase == Phase::Paused && !wanted.standalone->duration ? "" : "neither over nor waiting for a person";
}

/// Is a rollout in this phase allowed to stay there?
std::string wrong_status(const Rollout& wanted, const Status& status) {
  if (wanted.standalone) return wrong_run(wanted, status);
  const bool is_stable = status.stable && status.stable->hash == wanted.hash;
  const bool failing = is_broken(wanted) && wanted.replicas > 0;
  if (!status.refused.empty()) return "still refused";
  // Under spec.paused no pods come or go, so a way forward or back may have to wait.
  if (wanted.paused && status.phase != Phase::Progressing) return "";
  if (is_stable && failing && status.phase == Phase::Degraded) return "";
  if (is_stable && status.canary) return "a canary stays although Git asks for stable";
  if (is_stable) return status.phase == Phase::Healthy || failing ? "" : "stable, but not Healthy";
  if (is_rejected(status, wanted.hash)) return status.phase == Phase::Degraded ? "" : "rejected, but not Degraded";
  if (!status.canary || status.canary->hash != wanted.hash) return "what Git asks for is neither stable nor a canary";
  if (status.phase == Phase::Paused || wanted.paused) return "";
  // A step may ask for pods even of a rollout that wants none.
  if (is_broken(wanted) && status.phase == Phase::Degraded) return "";
  if (failing) return status.phase == Phase::Degraded ? "" : "failing, but not Degraded";
  return "neither promoted nor paused";
}

/// Nothing is left of an experiment that is over, and what runs has its pods and its traffic.
std::vector<std::string> wrong_experiments(const Target& target, const RolloutView& view, bool failing) {
  std::vector<std::string> out;
  std::map<std::string, int> weights;
  std::set<std::string> names;
  for (const ExperimentPods& pods : target.experiment) {
    names.insert(pods.name);
    auto found = view.experiments.find(pods.name);
    if (!failing && (found == view.experiments.end() || found->second.replicas != pods.replicas))
      out.push_back(format("the experiment {} does not have {} pods", pods.name, pods.replicas));
    if (pods.weight > 0 && found != view.experiments.end() && found->second.answers)
      weights[pods.service] = pods.weight;
  }
  if (!failing && view.further != weights) out.push_back("destinations of experiments are not as they should be");
  for (const auto& [name, experiment] : view.experiments)
    if (!names.contains(name)) out.push_back(name + " is left although its experiment is over");
  return out;
}

/// The world as the recorded status asks for it.
std::vector<std::string> wrong_world(const Rollout& wanted, const Status& status, const RolloutView& view) {
  std::vector<std::string> out;
  const Target target = reconciler::target(wanted, status);
  if (wanted.standalone) return wrong_experiments(target, view, false);
  const bool ails = status.stable && names_broken(status.stable->image);
  const bool failing = is_broken(wanted) || ails;
  for (const int sum : view.weight_sums)
    if (sum != wanted.whole()) out.push_back(format("weights sum to {}", sum));
  if (wanted.paused) return out;
  const bool swapped = wanted.ping_pong && status.pong_is_stable;
  const int share = rescaled_up(target.weight, target.whole, 100), weight = swapped ? 100 - share : share;
  // The preview Service shows what was aborted as long as it is kept.
  auto shown = view.revisions.find(target.canary_service);
  const bool is_kept = shown != view.revisions.end() && shown->second.replicas > 0;
  const bool aborted = wanted.blue_green && !target.replicas.contains(target.canary_service);
  const std::string& canary = aborted && !is_kept ? target.stable_service : target.canary_service;
  const std::string& first = swapped ? canary : target.stable_service;
  const std::string& second = swapped ? target.stable_service : canary;
  if (!failing && view.routed && view.canary_weight != weight)
    out.push_back(format("the second Service has weight {} instead of {}", view.canary_weight, weight));
  if (!failing && !wanted.stable_service.empty() && view.stable_selects != first)
    out.push_back(format("the first Service selects {} instead of {}", view.stable_selects, first));
  if (!failing && !wanted.canary_service.empty() && view.canary_selects != second)
    out.push_back(format("the second Service selects {} instead of {}", view.canary_selects, second));
  if (target.managed.empty() && !view.extra_route_leads_to.empty()) out.push_back("a header or mirror route stays");
  const bool answered = status.canary && view.available(status.canary->hash) > 0;
  if (!failing && answered && !target.managed.empty() && view.extra_route_leads_to != status.canary->hash)
    out.push_back("a header or mirror route is missing");
  for (std::string& wrong : wrong_experiments(target, view, failing)) out.push_back(std::move(wrong));
  for (const auto& [hash, pods] : target.replicas) {
    auto found = view.revisions.find(hash);
    // Of a revision that is gone only Git knows the template, and Git asks for another.
    if (found == view.revisions.end() && hash != wanted.hash) continue;
    const int asked = found == view.revisions.end() ? -1 : found->second.replicas;
    // A revision that never started holds no traffic; that it has too many pods harms nobody. Without routing it has
    // too few, because those that do not start leave no room for more.
    if (asked != pods && !(failing && (asked > pods || !view.routed)))
      out.push_back(format("{} asks for {} pods instead of {}", hash, asked, pods));
    if (!failing && view.available(hash) != pods)
      out.push_back(format("{} has {} of {} pods", hash, view.available(hash), pods));
  }
  for (const auto& [hash, revision] : view.revisions)
    if (!target.replicas.contains(hash) && revision.replicas > 0 && target.linger && !failing)
      out.push_back(format("{} keeps {} pods for no reason", revision.name, revision.replicas));
  return out;
}

/// The view in the cluster says what the report says.
std::string wrong_view(Stage& stage, const RolloutReport& report) {
  const ResourceType* type = stage.world.catalogue().by_kind("argoproj.io/v1alpha1", "Rollout");
  if (!type) return "";
  const bool is_experiment = report.status && report.status->run;
  auto object = stage.world.get({.type = type, .ns = report.key.ns, .name = report.key.name});
  if (is_experiment) return object ? "an Experiment is published as a Rollout" : "";
  if (!object) return "no Rollout object is published";
  const std::string phase = text_at(**object, {"status", "phase"});
  return phase == to_text(report.live.phase)
             ? ""
             : format("{} is published instead of {}", phase, to_text(report.live.phase));
}

/// Pods have the metadata of their revision's role and no other, and none is older than restartAt.
std::vector<std::string> wrong_pods(Stage& stage, const Rollout& wanted, const Status& status) {
  std::vector<std::string> out;
  const ResourceType* pods = stage.world.catalogue().by_kind("v1", "Pod");
  for (const Object& pod : stage.world.store().list(*pods, wanted.key.ns)) {
    const std::string name = text_at(*pod, {"metadata", "name"}),
                      hash = text_at(*pod, {"metadata", "labels", kHashLabel});
    if (text_at(*pod, {"metadata", "labels", "app"}) != wanted.key.name || hash.empty()) continue;
    // On a first deploy the only revision has the stable role.
    const auto& main = status.stable ? status.stable : status.canary;
    const bool is_stable = main && main->hash == hash;
    const auto& labels = is_stable ? wanted.stable_metadata.labels : wanted.canary_metadata.labels;
    auto role = labels.find("role");
    const std::string has = text_at(*pod, {"metadata", "labels", "role"});
    const bool is_canary = status.canary && status.canary->hash == hash;
    if ((is_stable || is_canary) && has != (role == labels.end() ? "" : role->second))
      out.push_back(format("pod {} has the role \"{}\"", name, has));
    auto created = parse_time(text_at(*pod, {"metadata", "creationTimestamp"}));
    const bool is_old =
        created && wanted.restart_at && *created < *wanted.restart_at && *wanted.restart_at <= stage.clock.now();
    // Under spec.paused pods that are missing stay away, so the others must not go.
    if (is_old && is_stable && !wanted.paused && !is_broken(wanted) && !names_broken(main->image))
      out.push_back(format("pod {} is older than restartAt", name));
  }
  return out;
}

/// What Git alone decides about, whoever edited it meanwhile.
std::vector<std::string> wrong_objects(const World& world, const Rollout& wanted) {
  std::vector<std::string> out;
  auto live = [&](const char* api_version, const char* kind, const std::string& name) -> Json {
    Object object = world.store().get({world.catalogue().by_kind(api_version, kind), wanted.key.ns, name});
    return object ? *object : Json();
  };
  for (const std::string& name : {wanted.stable_service, wanted.canary_service}) {
    if (name.empty()) continue;
    const Json service = live("v1", "Service", name);
    const Json* ports = find(service, {"spec", "ports"});
    if (!ports || ports->size() != 1 || integer_at((*ports)[0], {"targetPort"}) != 8080)
      out.push_back(format("the port of Service {} is not as Git asks for", name));
  }
  for (const RouteObject& object : route_objects(wanted)) {
    if (object.use == RouteUse::Made) continue;
    for (const RouteKind& kind : route_kinds_known())
      if (object.key.kind == kind.kind &&
          text_at(live(kind.api_version, kind.kind, object.key.name), {"metadata", "labels", kOwnerLabel}) != "serin")
        out.push_back(format("the {} has not our label", object.key.kind));
  }
  return out;
}

}  // namespace

std::vector<std::string> unrest(Stage& stage) {
  std::vector<std::string> out;
  const Report report = stage.daemon().report();
  if (!report.git_trouble.empty()) out.push_back("git: " + report.git_trouble);
  if (!report.cluster_trouble.empty()) out.push_back("cluster: " + report.cluster_trouble);
  if (report.unpushed > 0) out.push_back(format("{} commits are not pushed", report.unpushed));
  for (const auto& [key, why] : report.objects.failed) out.push_back(key.text() + ": " + why);
  for (const auto& [key, why] : report.prune.held) out.push_back(key.text() + ": held: " + why);
  for (const auto& [key, why] : report.prune.failed) out.push_back(key.text() + ": " + why);
  if (!report.prune.waiting.empty()) out.push_back("prune waits: " + report.prune.waiting);
  for (const RolloutReport& r : report.rollouts)
    if (!r.settled || !r.trouble.empty())
      out.push_back(format("{} is {}: {} {}", r.key.text(), r.status ? to_text(r.status->phase) : "not recorded", r.why,
                           r.trouble));
  return out;
}

std::vector<std::string> wrong_at_the_end(Stage& stage, const People& people, const Watchman& watchman) {
  std::vector<std::string> out;
  const std::string tip = stage.remote.branches.at("main");
  const Report report = stage.daemon().report();
  if (report.head != tip) out.push_back("the newest commit is not in force");
  if (report.unpushed > 0) out.push_back(format("{} commits are not pushed", report.unpushed));
  for (const auto& [key, why] : report.objects.failed) out.push_back(key.text() + ": " + why);
  for (const RolloutReport& r : report.rollouts)
    if (!r.trouble.empty()) out.push_back(r.key.text() + ": trouble at the end: " + r.trouble);
  for (const RolloutReport& r : report.rollouts)
    if (std::string wrong = wrong_view(stage, r); !wrong.empty()) out.push_back(r.key.text() + ": " + wrong);
  for (const auto& [key, why] : report.prune.held) out.push_back(key.text() + ": held at the end: " + why);
  for (const auto& [key, why] : report.prune.failed) out.push_back(key.text() + ": not pruned at the end: " + why);
  for (const ObjectKey& key : watchman.leftovers(tip))
    out.push_back(key.text() + " is left although Git names it no more");
  for (const auto& [key, wanted] : people.wanted_at(tip)) {
    auto status = watchman.status(key);
    if (!status) {
      out.push_back(key.text() + ": nothing is recorded");
      continue;
    }
    if (std::string wrong = wrong_status(*wanted, *status); !wrong.empty()) out.push_back(key.text() + ": " + wrong);
    for (const std::string& wrong : wrong_pods(stage, *wanted, *status)) out.push_back(key.text() + ": " + wrong);
    for (const std::string& wrong : wrong_objects(stage.world, *wanted)) out.push_back(key.text() + ": " + wrong);
    for (const std::string& wrong : wrong_world(*wanted, *status, view_of(stage.world, key)))
      out.push_back(key.text() + ": " + wrong);
  }
  return out;
}

}  // namespace reconciler
