// Who gets traffic, and who has the pods for it.
#include <algorithm>

#include "base/format.h"
#include "daemon/desired_state.h"
#include "rollout/replica_counts.h"
#include "rollout/routing.h"
#include "rollout/target.h"
#include "sim/route_view.h"
#include "sim/watchman.h"

namespace reconciler {
namespace {

int share_of_experiments(const RolloutView& view) {
  int sum = 0;
  for (const auto& [name, weight] : view.further) sum += weight;
  return sum;
}

}  // namespace

/// Who gains traffic must be allowed to, and must have pods for it.
void Watchman::check_traffic(const RolloutKey& rollout, const RolloutView& before, const RolloutView& after) {
  check_extra_route(rollout, before, after);
  check_experiment_traffic(rollout, before, after);
  Known& known = known_[rollout];
  const auto old_traffic = before.traffic(), new_traffic = after.traffic();
  for (const auto& [hash, share] : new_traffic) {
    auto old = old_traffic.find(hash);
    if (hash.empty() || share <= (old == old_traffic.end() ? 0 : old->second)) continue;
    const std::string what = format("{}: {} gets {}% of the traffic", rollout.text(), hash, share);
    if (!known.status) {
      alarm(what + ", but nothing is recorded");
      continue;
    }
    const Status& status = *known.status;
    const bool is_stable = status.stable ? status.stable->hash == hash : status.canary && status.canary->hash == hash;
    const bool is_canary = status.canary && status.canary->hash == hash && status.returning.empty();
    const int allowed = is_stable ? 100 : is_canary ? rescaled_up(status.weight, status.whole, 100) : 0;
    if (share > allowed) alarm(format("{}, recorded are {}%", what, allowed));
    if (known.rejected.contains(hash)) alarm(what + " although it is rejected");
    if (is_disturbed(known)) continue;
    int needed = pods_needed(rollout, share, is_stable);
    // An experiment that is over gives its share back at once.
    if (is_stable && share_of_experiments(after) < share_of_experiments(before)) needed = std::min(needed, 1);
    if (after.available(hash) < needed)
      alarm(format("{} with {} of {} pods available", what, after.available(hash), needed));
  }
}

/// More traffic goes only to an experiment that answers.
void Watchman::check_experiment_traffic(const RolloutKey& rollout, const RolloutView& before,
                                        const RolloutView& after) {
  for (const auto& [name, weight] : after.further) {
    auto old = before.further.find(name);
    if (weight <= (old == before.further.end() ? 0 : old->second) || is_disturbed(known_[rollout])) continue;
    const bool answers = std::any_of(after.experiments.begin(), after.experiments.end(),
                                     [&](auto& each) { return each.second.service == name && each.second.answers; });
    if (!answers) alarm(format("{}: {} gets {}% of the traffic and does not answer", rollout.text(), name, weight));
    const auto& status = known_[rollout].status;
    if (!status || !status->experiment)
      alarm(format("{}: {} gets traffic before its experiment is recorded", rollout.text(), name));
  }
}

/// An Experiment by itself has pods while it runs, and keeps them then.
void Watchman::check_standalone_set(const RolloutKey& rollout, const StoreEvent& event) {
  const Known& known = known_[rollout];
  if (is_gone(rollout) || is_disturbed(known)) return;
  auto pods_in = [](const Json& set) { return integer_at(set, {"spec", "replicas"}).value_or(1); };
  const auto from = event.kind == StoreEvent::Kind::Added ? 0 : pods_in(*event.previous);
  const auto to = event.kind == StoreEvent::Kind::Deleted ? 0 : pods_in(*event.object);
  const std::string name = text_at(*event.object, {"metadata", "name"});
  const bool runs = known.status && known.status->run && known.status->run->ended.empty();
  if (to > from && !runs) alarm(format("pods of {} come although no experiment runs", name));
  if (to >= from || !runs) return;
  for (const Rollout* wanted : wanted_lately(rollout))
    for (const ExperimentPods& pods : target(*wanted, *known.status).experiment)
      if (pods.name == name && pods.hash == text_at(*event.previous, {"metadata", "labels", kHashLabel}) &&
          to < pods.replicas)
        alarm(format("pods of {} go while its experiment runs", name));
}

/// Its pods go after its traffic.
void Watchman::check_experiment_set(const RolloutKey& rollout, const StoreEvent& event) {
  if (known_[rollout].status && known_[rollout].status->run) check_standalone_set(rollout, event);
  if (event.kind == StoreEvent::Kind::Added || is_gone(rollout) || is_disturbed(known_[rollout])) return;
  const bool deleted = event.kind == StoreEvent::Kind::Deleted;
  const auto from = integer_at(*event.previous, {"spec", "replicas"}).value_or(1);
  const auto to = deleted ? 0 : integer_at(*event.object, {"spec", "replicas"}).value_or(1);
  const RolloutView view = view_of(stage_.world, rollout);
  const std::string service = text_at(*event.previous, {"metadata", "annotations", kExperimentServiceAnnotation});
  if (to < from && view.further.contains(service))
    alarm(format("{}: pods of {} go while it has traffic", rollout.text(), service));
}

/// A header or mirror route leads to the canary, and to pods.
void Watchman::check_extra_route(const RolloutKey& rollout, const RolloutView& before, const RolloutView& after) {
  const std::string& hash = after.extra_route_leads_to;
  const Known& known = known_[rollout];
  if (hash.empty() || hash == before.extra_route_leads_to || !known.status || is_disturbed(known)) return;
  const std::string what = format("{}: a header or mirror route leads to {}", rollout.text(), hash);
  // Once the canary is on its way out these routes may still be there when its Service leads back to stable.
  if (known.status->stable && known.status->stable->hash == hash) return;
  if (!known.status->canary || known.status->canary->hash != hash) alarm(what + ", which is not the canary");
  if (known.rejected.contains(hash)) alarm(what + " although it is rejected");
  if (after.available(hash) == 0) alarm(what + " without pods");
}

/// Pods that answer requests may not go, and only what is ours may be deleted.
void Watchman::check_replica_set(const RolloutKey& rollout, const StoreEvent& event) {
  if (!text_at(*event.object, {"metadata", "labels", kExperimentLabel}).empty())
    return check_experiment_set(rollout, event);
  const std::string name = text_at(*event.object, {"metadata", "name"});
  if (event.kind == StoreEvent::Kind::Added) {
    const RolloutView view = view_of(stage_.world, rollout);
    const int pods = int(integer_at(*event.object, {"spec", "replicas"}).value_or(1));
    if (!view.routed) check_limits(rollout, view, name, 0, pods);
    return;
  }
  const std::string hash = text_at(*event.object, {"metadata", "labels", kHashLabel});
  const Json& before = *event.previous;
  const bool owned = text_at(before, {"metadata", "labels", kOwnerLabel}) == "serin" &&
                     text_at(before, {"metadata", "labels", kRolloutLabel}) == rollout.name;
  const bool deleted = event.kind == StoreEvent::Kind::Deleted;
  const int from = int(integer_at(before, {"spec", "replicas"}).value_or(1));
  const int to = deleted ? 0 : int(integer_at(*event.object, {"spec", "replicas"}).value_or(1));
  if (!deleted && to >= from) {
    const RolloutView view = view_of(stage_.world, rollout);
    if (!view.routed) check_limits(rollout, view, name, from, to);
    return;
  }
  if (!owned) alarm(format("{} is not ours, and was scaled down or deleted", name));
  if (deleted && from > 0 && is_gone(rollout)) return check_removal(rollout, hash, name);
  if (deleted && from > 0 && !is_disturbed(known_[rollout]))
    alarm(format("{} was deleted with {} pods asked for", name, from));
  const RolloutView view = view_of(stage_.world, rollout);
  if (is_blue_green(rollout)) return check_kept(rollout, view, hash, from, to);
  if (!view.routed) return check_limits(rollout, view, name, from, to);
  const auto traffic = view.traffic();
  auto share = traffic.find(hash);
  const auto& status = known_[rollout].status;
  const bool is_canary = status && status->canary && status->canary->hash == hash;
  int needed = share == traffic.end() ? 0 : share_of(replicas_wanted(rollout), share->second, 100);
  if (is_canary && needed > 0) needed = std::min(needed, pods_needed(rollout, share->second, false));
  if (to < needed && !is_disturbed(known_[rollout]))
    alarm(format("{} goes from {} to {} pods while it holds {}% of the traffic", name, from, to, share->second));
}

bool Watchman::is_blue_green(const RolloutKey& rollout) const {
  const auto wanted = wanted_lately(rollout);
  return std::any_of(wanted.begin(), wanted.end(), [](const Rollout* r) { return r->blue_green.has_value(); });
}

/// Blue-green: all traffic goes with the active Service, to a version that may have it and has the pods for it.
void Watchman::check_switch(const RolloutKey& rollout, const RolloutView& before, const RolloutView& after) {
  if (before.stable_selects == after.stable_selects || after.stable_selects.empty()) return;
  Known& known = known_[rollout];
  const std::string& to = after.stable_selects;
  const std::string what = format("{}: the active Service is switched to {}", rollout.text(), to);
  if (known.rejected.contains(to)) alarm(what + " although it is rejected");
  if (!known.status) return alarm(what + " before anything is recorded");
  const auto& main = known.status->stable ? known.status->stable : known.status->canary;
  if (!main || main->hash != to) alarm(what + ", which is not the stable version");
  if (is_disturbed(known)) return;
  // On the way back to what is stable anybody is better than nobody.
  const bool back = !known.status->returning.empty() || !known.rejected.empty() || known.status->canary;
  const int needed =
      std::min({replicas_wanted(rollout), std::max(1, after.available(before.stable_selects)), back ? 1 : INT32_MAX});
  if (after.available(to) < needed) alarm(format("{} with {} of {} pods available", what, after.available(to), needed));
}

/// Blue-green: who has the traffic keeps the pods, and no Service leads to a version without any.
void Watchman::check_kept(const RolloutKey& rollout, const RolloutView& now, const std::string& hash, int from,
                          int to) {
  if (is_disturbed(known_[rollout])) return;
  const int needed = std::min(from, replicas_wanted(rollout));
  if (now.stable_selects == hash && to < needed)
    alarm(format("{}: {} has the traffic and goes from {} to {} pods", rollout.text(), hash, from, to));
  const auto wanted = wanted_lately(rollout);
  const bool has_preview =
      std::all_of(wanted.begin(), wanted.end(), [](auto* each) { return !each->canary_service.empty(); });
  if (has_preview && now.canary_selects == hash && to == 0 && from > 0 && replicas_wanted(rollout) > 0)
    alarm(format("{}: {} loses its pods while the preview Service shows it", rollout.text(), hash));
}

/// Without routing the pods are the traffic: no more of them, and no fewer available ones, than the limits allow.
void Watchman::check_limits(const RolloutKey& rollout, const RolloutView& now, const std::string& name, int from,
                            int to) {
  if (is_disturbed(known_[rollout])) return;
  int most = 0, least = INT32_MAX, asked = 0, there = 0, there_before = 0;
  for (const Rollout* wanted : wanted_lately(rollout)) {
    if (wanted->is_routed() || wanted->blue_green) return;
    const Fenceposts limits = fenceposts(wanted->replicas, wanted->max_surge, wanted->max_unavailable);
    most = std::max(most, limits.most);
    least = std::min(least, limits.least);
  }
  for (const auto& [hash, revision] : now.revisions) {
    asked += revision.replicas;
    there += std::min(revision.available, revision.replicas);
    there_before += std::min(revision.available, revision.name == name ? from : revision.replicas);
  }
  if (to > from && asked > most) alarm(format("{} goes to {} pods: {} in all, at most {}", name, to, asked, most));
  if (there < least && there < there_before)
    alarm(format("{} goes from {} to {} pods: {} are left, at least {}", name, from, to, there, least));
}

}  // namespace reconciler
